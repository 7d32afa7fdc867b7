// Workers that leave, or can't, in situations that nobody would wish for.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("leaving", .serialized, .timeLimit(.minutes(5)))
struct LeavingTests {
    /// A workq that a shell starts, which sees to what a process inherits.
    private func inShell(_ script: String, _ words: [String], _ fixture: Fixture) throws -> WorkqProcess {
        try WorkqProcess(
            ["-c", script, WorkqProcess.executable] + words, environment: fixture.environment, executable: "/bin/sh")
    }

    @Test(
        "W2 the first TERM lets commands finish, also when the worker is leaving for a reason of its own",
        arguments: [["--count", "1"], ["--max-time", "5s"]])
    func firstSignal(options: [String]) async throws {
        let fixture = try Fixture()
        // A quorum queue counts a consumer that has left until its last task is settled.
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        try await fixture.publish(["x"])
        let folder = try TemporaryFolder()
        let script = "echo started; until [ -e \"$0\" ]; do sleep 0.1; done; echo finished"
        let worker = try WorkqProcess(
            ["work", fixture.queue] + options + ["--", "sh", "-c", script, folder.path("go")],
            environment: fixture.environment)
        try await eventually("the command runs") { worker.output.contains("started") }
        try await eventually("the worker leaves by itself") { fixture.consumers() == 0 }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        _ = try folder.write("", to: "go")
        let result = try await worker.wait()
        #expect(result.status == 0 && result.text == "started\nfinished\n", "\(result)")
        #expect(fixture.ready() == 0)
    }

    @Test("W2 a worker whose printed tasks nobody reads leaves at the second TERM, and gives them back")
    func stuckReader() async throws {
        let fixture = try Fixture()
        let line = String(repeating: "x", count: 100_000)
        try await fixture.publish((1...5).map { "\($0)\(line)" })
        let pipe = try TaskPipe()
        let worker = try inShell(
            "exec \"$0\" \"$@\" > '\(pipe.path)'", ["work", fixture.queue, "--kill-after", "500ms"], fixture)
        // Tasks that are still on their way would be given back at once.
        try await eventually("the first task is being printed") { fixture.ready() == 0 && pipe.isFilled }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        try await worker.signalAgain(SIGTERM)
        let result = try await worker.wait(timeout: .seconds(20))
        #expect(result.status == 0, "\(result)")
        try await eventually("what wasn't printed is back") { (fixture.ready() ?? 0) >= 4 }
    }

    @Test("W20 twenty thousand tasks that wait here are given back in a moment")
    func manyTasks() async throws {
        let fixture = try Fixture()
        let count = 20_000
        // A quorum queue gives a consumer without a limit 2,000 of them.
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        try await fixture.publish((1...count).map(String.init))
        let command = try HeldCommand()
        let worker = try WorkqProcess(
            ["work", fixture.queue, "--prefetch", "0", "--"] + command.words, environment: fixture.environment)
        try await command.isStarted()
        try await eventually("the others wait") { fixture.ready() == 0 }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        // What is running holds back those behind it no longer than it runs.
        try command.letGo()
        try await fixture.holds(count - 1)
        let result = try await worker.wait(timeout: .seconds(60))
        #expect(result.status == 0, "\(result)")
    }

    @Test("W14, R6 a task whose headers fill a frame is dead-lettered with them, and holds nobody up")
    func largeHeaders() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        let size = channel.connection.frameMax - 172
        var properties = MessageProperties()
        properties.headers = ["large": .string(Array(repeating: 0x61, count: size)), "small": .text("kept")]
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        try channel.publish(
            Array("first".utf8), exchange: "", routingKey: ShortString(fixture.queue), mandatory: true,
            properties: properties)
        try await fixture.holds(1)
        try await fixture.publish(["second"])
        let result = try await fixture.run(
            "work", fixture.queue, "--drain", "--", "sh", "-c", "grep -q second || exit 65", timeout: .seconds(30))
        #expect(result.status == 1, "\(result)")
        let dead = try await fixture.run(
            "work", "\(fixture.queue).dead", "--drain", "--", "sh", "-c",
            "cat; echo \" $WORKQ_HEADER_SMALL $WORKQ_HEADER_X_WORKQ_REASON ${#WORKQ_HEADER_LARGE}\"")
        #expect(dead.text == "first kept status 65 \(min(size, 32_768))\n", "\(dead)")
    }

    @Test(
        "S1 R6 a worker that may not send failed tasks on leaves with 77, says so, and keeps them on their queue",
        arguments: [
            // Not to create retry queues, which is found before a task runs; to publish, when the first one has failed.
            ("^$", ".*", "true", 77, ["configure", ".retry."]),
            (".*", "^$", "false", 77, ["write", ".retry.", "1 given back"]),
            // Without retries there are no such queues.
            ("^$", "^$", "true", 0, ["1 acknowledged"]),
        ])
    func missingRight(
        configure: String, write: String, command: String, status: Int32, told: [String]
    ) async throws {
        let fixture = try Fixture()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "secret")
        try await fixture.broker.ctl("set_permissions", user, configure, write, ".*")
        try await fixture.publish(["x"])
        let attempts = status == 0 ? ["--max-attempts", "1"] : []
        let result = try await WorkqProcess.run(
            ["work", fixture.queue, "-v", "--drain"] + attempts + ["--", command],
            environment: ["WORKQ_URL": "amqp://\(user):secret@127.0.0.1:\(fixture.broker.port)"])
        #expect(result.status == status && told.allSatisfy(result.errors.contains), "\(result)")
        try await fixture.holds(status == 77 ? 1 : 0)
    }

    @Test("W23 commands get the limit of open files that the worker was started with")
    func descriptorLimit() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let words = ["work", fixture.queue, "-j", "60", "--drain", "--", "sh", "-c", "ulimit -Sn"]
        let result = try await inShell("ulimit -Sn 100; exec \"$0\" \"$@\"", words, fixture).wait()
        #expect(result.text == "100\n" && result.errors.isEmpty, "\(result)")
    }

    @Test("a queue whose name begins with a dash has workers, too")
    func dash() async throws {
        let fixture = try Fixture()
        let name = "-\(fixture.anotherQueue("dash"))"
        let published = try await fixture.run("publish", "--", name, "x")
        #expect(published.status == 0, "\(published)")
        let result = try await fixture.run("work", "--drain", "--", name, "--", "cat")
        #expect(result.status == 0 && result.text == "x", "\(result)")
        let printed = try await fixture.run("work", "--drain", "--", name)
        #expect(printed.status == 0 && printed.text.isEmpty, "\(printed)")
        let wrong = try await fixture.run("work", "--drain", "--", name, "cat")
        #expect(wrong.status == 64 && wrong.errors.contains("another --"), "\(wrong)")
        #expect(try await fixture.run("delete", "--yes", "--", name).status == 0)
    }
}
