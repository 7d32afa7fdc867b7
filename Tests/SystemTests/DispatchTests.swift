// Several workers on one queue: RabbitMQ's work-queue tutorial, as promises.

import Foundation
import TestSupport
import Testing

@Suite("dispatch", .serialized, .timeLimit(.minutes(5)))
struct DispatchTests {
    /// Two workers that each write the tasks they have done to a file of their own.
    private func startTwo(
        _ fixture: Fixture, _ folder: TemporaryFolder, _ options: [String], script: String
    ) async throws -> [WorkqProcess] {
        let workers = try ["a", "b"].map { name in
            try WorkqProcess(
                ["work", fixture.queue] + options + ["--", "sh", "-c", script, folder.path(name)],
                environment: fixture.environment)
        }
        try await eventually("both consume") { fixture.consumers() == 2 }
        return workers
    }

    private func done(_ folder: TemporaryFolder, _ name: String) -> [String] {
        folder.read(name).split(separator: "\n").map(String.init)
    }

    @Test("ten tasks to two idle workers without a prefetch limit split five and five")
    func roundRobin() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let workers = try await startTwo(fixture, folder, ["--prefetch", "0"], script: "cat >> \"$0\"; echo >> \"$0\"")
        try await fixture.publish((1...10).map(String.init))
        try await eventually("all are done") { done(folder, "a").count + done(folder, "b").count == 10 }
        #expect(done(folder, "a").count == 5)
        #expect(Set(done(folder, "a") + done(folder, "b")) == Set((1...10).map(String.init)))
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers { #expect(try await worker.wait().status == 0) }
    }

    @Test("with a prefetch count of 1 and every other task heavy, the worker with light tasks takes more")
    func fairDispatch() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        // Round robin would give all heavy tasks to one worker.
        let script = "read -r task; case $task in heavy*) sleep 1;; esac; echo \"$task\" >> \"$0\""
        let workers = try await startTwo(fixture, folder, ["--prefetch", "1"], script: script)
        try await fixture.publish((1...12).map { $0 % 2 == 1 ? "heavy \($0)" : "light \($0)" })
        try await eventually("all are done") { done(folder, "a").count + done(folder, "b").count == 12 }
        let heavy = ["a", "b"].map { name in done(folder, name).filter { $0.hasPrefix("heavy") }.count }
        #expect(heavy.allSatisfy { $0 >= 2 }, "heavy tasks a worker: \(heavy)")
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers { _ = try await worker.wait() }
    }

    @Test("W1 the task of a worker that is killed in the middle of it goes to the other, and its command ends")
    func killedWorker() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let script =
            "echo $$ >> \"$0.started\"; until [ -e \"$0.go\" ]; do sleep 0.1; done; cat >> \"$0\"; echo >> \"$0\""
        let workers = try await startTwo(fixture, folder, [], script: script)
        try await fixture.publish(["1", "2"])
        try await eventually("both are busy") {
            done(folder, "a.started").count == 1 && done(folder, "b.started").count == 1
        }
        let orphan = try #require(done(folder, "a.started").first.flatMap { pid_t($0) })
        workers[0].signal(SIGKILL)
        #expect(try await workers[0].wait().status == 128 + SIGKILL)
        _ = try folder.write("", to: "b.go")
        try await eventually("the other worker has done both") { done(folder, "b").count == 2 }
        #expect(Set(done(folder, "b")) == ["1", "2"])
        try await eventually("the killed worker's command is gone") { !isAlive(orphan) }
        workers[1].signal(SIGTERM)
        #expect(try await workers[1].wait().status == 0)
    }

    @Test("100,000 numbered lines: none lost, none unexpected, both sides under 32 MB")
    func hundredThousand() async throws {
        let fixture = try Fixture()
        let numbers = (1...100_000).map(String.init)
        let published = try await fixture.run(
            "publish", "--lines", fixture.queue, input: .text(numbers.joined(separator: "\n")), timeout: .seconds(120))
        #expect(published.status == 0, "\(published)")
        let printed = try await fixture.run("work", "--drain", fixture.queue, timeout: .seconds(120))
        #expect(printed.status == 0, "\(printed)")
        #expect(printed.lines == numbers)
        #expect((1..<32 << 10).contains(published.residentKiB), "publish: \(published.residentKiB) KiB")
        #expect((1..<32 << 10).contains(printed.residentKiB), "work: \(printed.residentKiB) KiB")
    }
}
