// Workers on several queues, with the real binary on a real broker.

import Foundation
import TestSupport
import Testing

@Suite("several queues", .serialized, .timeLimit(.minutes(5)))
struct SeveralQueuesTests {
    private static let name = "printf '%s %s\\n' \"$WORKQ_QUEUE\" \"$(cat)\""

    /// Queues of a test, the first one the fixture's own.
    private static func queues(_ fixture: Fixture, with count: Int, _ type: String = "classic") async throws -> String {
        let other = fixture.anotherQueue("normal")
        for queue in [fixture.queue, other] {
            let tasks = (0..<count).map { "\($0)\n" }.joined()
            let result = try await fixture.run(
                "publish", "--lines", "--allow-empty", "--queue-type", type, queue, input: .text(tasks))
            try #require(result.status == 0, "\(result)")
        }
        return other
    }

    @Test("tasks of the earlier queue go first, and each knows its queue", arguments: ["classic", "quorum"])
    func order(type: String) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let other = try await Self.queues(fixture, with: 20, type)
        // With fewer at hand a busy broker may take longer to send the next ones than a later queue waits for them.
        let result = try await fixture.run(
            "work", fixture.queue, other, "--drain", "--prefetch", "20", "--metrics-file", folder.path("w.prom"),
            "--", "sh", "-c", Self.name)
        #expect(result.status == 0, "\(result)")
        #expect(result.lines == [fixture.queue, other].flatMap { name in (0..<20).map { "\(name) \($0)" } })
        for name in [fixture.queue, other] {
            let line = "workq_tasks_total{queue=\"\(name)\",verdict=\"ack\"} 20\n"
            #expect(folder.read("w.prom").contains(line))
        }
    }

    @Test("an urgent task that comes later starts before those that wait, once a place is free")
    func urgent() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let other = try await Self.queues(fixture, with: 0)
        #expect(try await fixture.run("publish", "--lines", other, input: .text("0\n1\n2\n")).status == 0)
        let worker = try fixture.start(
            "work", fixture.queue, other, "--count", "4", "--", "sh", "-c",
            "\(Self.name); until [ -e \"$0\" ]; do sleep 0.05; done", folder.path("go"))
        try await eventually("the first runs") { worker.output == "\(other) 0\n" }
        #expect(try await fixture.run("publish", fixture.queue, "now").status == 0)
        try await worker.tells("1 running, 1 waiting")
        try folder.write("", to: "go")
        let result = try await worker.wait()
        #expect(result.status == 0, "\(result)")
        #expect(result.lines == ["\(other) 0", "\(fixture.queue) now", "\(other) 1", "\(other) 2"], "\(result)")
    }

    @Test("failed tasks wait and end on their own queue's queues, and say where they failed")
    func failures() async throws {
        let fixture = try Fixture()
        let other = try await Self.queues(fixture, with: 1)
        let dead = [fixture.queue, other].map { "\($0).dead" }
        _ = (
            fixture.anotherQueue("normal.dead"), fixture.retryQueue("100ms"), fixture.anotherQueue("normal.retry.100ms")
        )
        let result = try await fixture.run(
            "work", fixture.queue, other, "--max-attempts", "2", "--retry-delay", "100ms", "--idle-timeout", "3s",
            "--log-format", "json", "--", "false")
        #expect(result.status == 1, "\(result)")
        for (queue, deadQueue) in zip([fixture.queue, other], dead) {
            #expect(fixture.ready("\(queue).retry.100ms") == 0)
            let printed = try await fixture.run("work", deadQueue, "--drain", "--ndjson")
            #expect(printed.text.contains("\"x-workq-queue\":\"\(queue)\""), "\(printed)")
            #expect(printed.text.contains(#""x-workq-attempts":{"$int32":2}"#), "\(printed)")
            let ends = result.errors.split(separator: "\n").filter {
                $0.contains("\"event\":\"end\"") && $0.contains("\"queue\":\"\(queue)\"")
            }
            #expect(ends.count == 2, "\(result)")
        }
        #expect(result.errors.contains("\"event\":\"summary\",\"queues\":[\"\(fixture.queue)\",\"\(other)\"]"))
    }

    @Test("a batch has tasks of one queue only")
    func batches() async throws {
        let fixture = try Fixture()
        let other = try await Self.queues(fixture, with: 5)
        let result = try await fixture.run(
            "work", fixture.queue, other, "--batch", "3", "--batch-wait", "30s", "--drain", "--", "sh", "-c",
            "printf '%s:' \"$WORKQ_QUEUE\"; tr '\\n' ' '; echo")
        #expect(result.status == 0, "\(result)")
        #expect(
            result.lines.sorted()
                == [fixture.queue, other].flatMap { ["\($0):0 1 2 ", "\($0):3 4 "] }.sorted(), "\(result)")
    }

    @Test("queues that are missing are created, one after the other, and no task of the others is lost or done twice")
    func creation() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let (second, third) = (fixture.anotherQueue("second"), fixture.anotherQueue("third"))
        try await fixture.publish((0..<50).map(String.init))
        let result = try await fixture.run(
            "work", fixture.queue, second, third, "-j", "3", "--drain", "-v", "--queue-arg", "x-max-length=7", "--",
            "sh", "-c", "t=$(cat); echo $t >> \"$0\"", folder.path("done"))
        #expect(result.status == 0, "\(result)")
        #expect(folder.read("done").split(separator: "\n").compactMap { Int($0) }.sorted() == Array(0..<50))
        #expect(result.errors.contains("queue \"\(third)\" didn't exist and was created"), "\(result)")
        let listed = try await fixture.run("list-queues", "name", "arguments", "--queue", third, "-s")
        // RabbitMQ 4 says the type, too.
        #expect(listed.text.hasPrefix("\(third)\t{\"x-max-length\":7"), "\(listed)")
        let again = try await fixture.run(
            "work", third, "--drain", "--queue-arg", "x-max-length=8", "--", "cat")
        #expect(again.status == 0, "an existing queue keeps its arguments: \(again)")
        let refused = try await fixture.run(
            "work", fixture.anotherQueue("refused"), "--queue-arg", "x-max-length=many", "--", "cat")
        #expect(refused.status == 65 && refused.errors.contains("x-max-length"), "\(refused)")
    }

    @Test("printing and moving take from several queues")
    func printing() async throws {
        let fixture = try Fixture()
        let other = try await Self.queues(fixture, with: 3)
        let target = fixture.anotherQueue("target")
        let moved = try await fixture.run("work", fixture.queue, other, "--move-to", target, "--count", "4")
        #expect(moved.status == 0, "\(moved)")
        try await eventually("the others are back") { (fixture.ready() ?? 0) + (fixture.ready(other) ?? 0) == 2 }
        let printed = try await fixture.run("work", other, target, fixture.queue, "--drain", "--ndjson")
        let bodies = printed.lines.map { $0.prefix(11) }.sorted()
        #expect(
            printed.status == 0 && bodies == ["0", "0", "1", "1", "2", "2"].map { #"{"body":"\#($0)""# }, "\(printed)")
    }

    @Test("a queue that is deleted under the worker is created again, and the tasks that ran are done with once")
    func deletion() async throws {
        let fixture = try Fixture()
        let other = try await Self.queues(fixture, with: 0)
        let worker = try fixture.start("work", fixture.queue, other, "--", "sh", "-c", Self.name)
        // The worker makes the queues, one after the other.
        try await eventually("the worker consumes") { fixture.consumers() == 1 && fixture.consumers(other) == 1 }
        #expect(try await fixture.run("delete", "--yes", other).status == 0)
        try await worker.says("connected again")
        try await eventually("the queue is there again") { fixture.ready(other) == 0 }
        for queue in [other, fixture.queue] { #expect(try await fixture.run("publish", queue, "x").status == 0) }
        try await eventually("both are done") { worker.output.split(separator: "\n").count == 2 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && fixture.ready() == 0 && fixture.ready(other) == 0, "\(result)")
    }

    @Test("a pause holds back all queues, and going on takes from all")
    func pause() async throws {
        let fixture = try Fixture()
        let other = try await Self.queues(fixture, with: 0)
        let worker = try fixture.start("work", fixture.queue, other, "-v", "--", "sh", "-c", Self.name)
        try await worker.says("connected")
        worker.signal(SIGTSTP)
        try await worker.says("paused")
        try await eventually("nobody consumes") { fixture.consumers() == 0 }
        for queue in [fixture.queue, other] { #expect(try await fixture.run("publish", queue, "x").status == 0) }
        #expect(fixture.ready() == 1 && fixture.ready(other) == 1)
        worker.signal(SIGCONT)
        try await eventually("both are done") { worker.output.split(separator: "\n").count == 2 }
        worker.signal(SIGTERM)
        #expect(try await worker.wait().status == 0)
    }

    @Test("10,000 tasks of three queues in short commands: none lost, none twice")
    func many() async throws {
        let fixture = try Fixture()
        let names = [fixture.queue, fixture.anotherQueue("b"), fixture.anotherQueue("c")]
        for (index, name) in names.enumerated() {
            let tasks = (0..<3_334).map { "\(index)-\($0)\n" }.joined()
            #expect(try await fixture.run("publish", "--lines", name, input: .text(tasks)).status == 0)
        }
        let result = try await fixture.run(
            "work", names[0], names[1], names[2], "-j", "4", "--drain", "--", "sh", "-c", "cat; echo",
            timeout: .seconds(240))
        #expect(result.status == 0, "\(result.errors)")
        let expected = names.indices.flatMap { index in (0..<3_334).map { "\(index)-\($0)" } }
        #expect(result.lines.sorted() == expected.sorted())
    }

    @Test(
        "what can't go together is refused with what to do",
        arguments: [
            (["a", "a", "--", "true"], "each QUEUE can be named once"), (["a", "b", "--peek"], "run workq for each"),
            (["a", "b", "--where", "size > 1"], "run workq for each"),
            (["a", "b", "--move-back"], "run workq for each"),
            (["a", "b", "--move-to", "b"], "must name another queue"),
            (["a", "./send"], "COMMAND goes after --"),
            (["a", "a.dead", "--", "true"], "--dead-letter must name another queue"),
            (["a", "b", "--dead-letter", "b", "--", "true"], "--dead-letter must name another queue"),
            (["a", "a.retry.1s", "--", "true"], "leave that out"), (["--", "true"], "QUEUE is missing"),
            (["a", "", "--", "true"], "QUEUE must be"),
            (["a", "--results", "d", "--tag", "--", "true"], "the output goes to files"),
            (["a", "--results", "d", "--reply", "--", "true"], "the output goes to files"),
            (["a", "--results", "d", "--output", "group", "--", "true"], "the output goes to files"),
            (["a", "--results", "d"], "--results needs COMMAND"),
            (["a", "--results=", "--", "true"], "a folder's path"),
            (["a", "--queue-arg", "x", "--", "true"], "KEY=VALUE"),
            (["a", "--queue-arg", "x-queue-type=quorum", "--", "true"], "is given by --queue-type"),
        ])
    func refused(words: [String], says: String) async throws {
        let result = try await WorkqProcess.run(["work"] + words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains(says), "\(result)")
    }
}
