// Workers that may have few descriptors open or a small stack, with the real binary.

import Foundation
import TestSupport
import Testing

@Suite("worker limits", .timeLimit(.minutes(5)))
struct WorkerLimitTests {
    @Test("R15 a low soft limit of descriptors holds up no task, and commands get the limit that the worker was given")
    func softLimit() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...200).map(String.init))
        let script = "ulimit -S -n 64; exec \"$0\" work \"$1\" -j 200 --drain -- sh -c 'sleep 1; ulimit -S -n'"
        let result = try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        #expect(result == String(repeating: "64\n", count: 200))
        try await fixture.holds(0)
    }

    @Test("commands get the stack limit that the worker was given", arguments: ["-Ss 1024", "-s 1024"])
    func stackLimit(limit: String) async throws {
        let fixture = try Fixture()
        try await fixture.publish(["task"])
        let script = "ulimit \(limit); exec \"$0\" work \"$1\" --drain -- sh -c 'ulimit -Ss'"
        let result = try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        #expect(result == "1024\n")
    }

    @Test("R15 where the hard limit is low, starts pause once for all jobs, and every task runs")
    func hardLimit() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...60).map(String.init))
        let script = "ulimit -n 30; exec \"$0\" work \"$1\" -j 20 --drain -- sh -c 'sleep 0.2; echo done'"
        let began = ContinuousClock.now
        let result = try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        #expect(result == String(repeating: "done\n", count: 60))
        #expect(ContinuousClock.now - began < .seconds(40), "a pause a job would hold tasks for as long")
        try await fixture.holds(0)
    }
}
