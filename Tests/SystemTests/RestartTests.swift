// What a restart of the broker does to tasks and workers. These tests have a broker of their own.

import Foundation
import TestSupport
import Testing

@Suite("restart", .serialized, .timeLimit(.minutes(10)))
struct RestartTests {
    @Test("N2 N3 tasks survive a restart and a crash of the broker, and a worker comes back to it by itself")
    func restart() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        try await fixture.publish(["1", "2", "3"])
        try await broker.restart()
        try await fixture.holds(3)

        let folder = try TemporaryFolder()
        let script = "cat >> \"$0\"; echo >> \"$0\"; sleep 2"
        let worker = try fixture.start("work", fixture.queue, "-v", "--", "sh", "-c", script, folder.path("done"))
        try await eventually("the first task runs") { folder.read("done").hasPrefix("1\n") }
        try await broker.kill()
        try await worker.says("Trying again")
        try await broker.restart()
        try await eventually("all tasks were run", within: .seconds(60)) {
            Set(folder.read("done").split(separator: "\n")) == ["1", "2", "3"]
        }
        try await eventually("all are acknowledged", within: .seconds(30)) { fixture.ready() == 0 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0, "\(result)")
        try await broker.stop()
        let refused = try await fixture.run("publish", fixture.queue, "x", timeout: .seconds(20))
        #expect(refused.status == 69, "\(refused)")
    }
}
