// Batches, moving and answers, with the real binary on a real broker.

import CRabbitMQ
import Foundation
import Posix
import TestSupport
import Testing

@testable import Broker

@Suite("batches, moving and answers", .serialized, .timeLimit(.minutes(5)))
struct ModeTests {
    /// Each batch on a line of its own: its size as the command knows it, and its tasks.
    private static let noteBatch = "printf '%s:' \"$WORKQ_BATCH_SIZE\"; tr '\\n' ' '; echo"

    @Test("a command gets up to so many tasks, a line each; what is left comes after the wait")
    func batches() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...7).map(String.init))
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "3", "--batch-wait", "2s", "--drain", "--", "sh", "-c",
            Self.noteBatch)
        #expect(result.status == 0, "\(result)")
        #expect(result.lines == ["3:1 2 3 ", "3:4 5 6 ", "1:7 "], "\(result)")
        try await fixture.holds(0)
    }

    @Test("a batch knows nothing that describes a single task, and a count counts tasks")
    func batchEnvironment() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2", "3", "4", "5"])
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "2", "--count", "3", "--batch-wait", "10s", "--", "env",
            environment: ["WORKQ_MESSAGE_ID": "of another worker's task"])
        #expect(result.status == 0, "\(result)")
        let names = result.lines.filter { $0.hasPrefix("WORKQ_") }
        #expect(
            Set(names) == [
                "WORKQ_QUEUE=\(fixture.queue)", "WORKQ_BATCH_SIZE=2", "WORKQ_BATCH_SIZE=1", "WORKQ_MAX_ATTEMPTS=5",
            ], "\(result)")
        try await fixture.holds(2)
    }

    @Test("NUL separates tasks of any text; with newlines a task that holds one is dead-lettered with the reason")
    func separators() async throws {
        let fixture = try Fixture()
        for task in ["a\nb", "c"] { #expect(try await fixture.run("publish", fixture.queue, task).status == 0) }
        let lines = try await fixture.run(
            "work", fixture.queue, "--batch", "5", "--batch-wait", "200ms", "--drain", "--", "cat")
        #expect(lines.status == 1 && lines.text == "c\n", "\(lines)")
        let back = try await fixture.run("work", "\(fixture.queue).dead", "--move-to", fixture.queue, "--drain")
        #expect(back.status == 0, "\(back)")
        #expect(try await fixture.run("publish", fixture.queue, "d").status == 0)
        let zeros = try await fixture.run(
            "work", fixture.queue, "--batch", "5", "--batch-wait", "200ms", "-0", "--drain", "--", "cat")
        #expect(zeros.status == 0 && zeros.text == "a\nb\0d\0", "\(zeros)")
    }

    @Test("a batch that fails is tried again as often as each task may, and each is dead-lettered with the reason")
    func failingBatch() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        _ = fixture.retryQueue("200ms")
        try await fixture.publish(["1", "2", "3"])
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "3", "--batch-wait", "300ms", "--max-attempts", "2", "--retry-delay",
            "200ms", "--idle-timeout", "10s", "--", "sh", "-c", "cat >> \"$0\"; echo broken >&2; exit 1",
            folder.path("seen"))
        #expect(result.status == 1, "\(result)")
        #expect(folder.read("seen").split(separator: "\n").sorted() == ["1", "1", "2", "2", "3", "3"])
        #expect(fixture.ready("\(fixture.queue).dead") == 3)
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--drain", "--", "env")
        #expect(dead.lines.filter { $0 == "WORKQ_HEADER_X_WORKQ_STDERR=broken" }.count == 3, "\(dead)")
        #expect(dead.lines.filter { $0 == "WORKQ_HEADER_X_WORKQ_ATTEMPTS=2" }.count == 3, "\(dead)")
    }

    @Test("10,000 tasks in batches to several jobs: none lost, none twice")
    func manyBatches() async throws {
        let fixture = try Fixture()
        let numbers = (1...10_000).map(String.init)
        try await fixture.publish(numbers)
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "64", "--batch-wait", "200ms", "-j3", "--drain", "--", "cat")
        #expect(result.status == 0, "\(result)")
        #expect(result.lines.sorted() == numbers.sorted())
        try await fixture.holds(0)
    }

    @Test("moved tasks arrive in order with all that they carry, and a missing queue is created")
    func moving() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        var properties = MessageProperties()
        properties.priority = 3
        properties.correlationID = "c"
        properties.replyTo = "asker"
        properties.contentType = "image/png"
        properties.headers = ["tenant": .text("acme"), "x-workq-attempt": .int32(3)]
        for number in 1...300 {
            properties.messageID = ShortString("id-\(number)")
            try channel.publish(
                Array("\(number)".utf8), exchange: "", routingKey: ShortString(fixture.queue), mandatory: false,
                properties: properties)
        }
        try await fixture.holds(300)
        let result = try await fixture.run("work", "-v", fixture.queue, "--move-to", other, "--drain")
        #expect(result.status == 0 && result.errors.contains("300 moved") && result.output.isEmpty, "\(result)")
        #expect(fixture.ready() == 0 && fixture.ready(other) == 300)
        let first = try await fixture.run("work", other, "--count", "1", "--", "env")
        for line in [
            "WORKQ_MESSAGE_ID=id-1", "WORKQ_PRIORITY=3", "WORKQ_CORRELATION_ID=c", "WORKQ_REPLY_TO=asker",
            "WORKQ_CONTENT_TYPE=image/png", "WORKQ_HEADER_TENANT=acme", "WORKQ_ATTEMPT=3",
        ] {
            #expect(first.lines.contains(line), "\(line) is not in \(first)")
        }
        let rest = try await fixture.run("work", other, "--drain")
        #expect(rest.lines == (2...300).map(String.init))
    }

    @Test("a dead-letter queue is kicked back to life: its tasks start again at the first attempt, without the reasons")
    func kickedBack() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let failed = try await fixture.run("work", fixture.queue, "--max-attempts", "1", "--drain", "--", "false")
        #expect(failed.status == 1 && fixture.ready("\(fixture.queue).dead") == 2, "\(failed)")
        let moved = try await fixture.run("work", "\(fixture.queue).dead", "--move-to", fixture.queue, "--drain")
        #expect(moved.status == 0, "\(moved)")
        let result = try await fixture.run("work", fixture.queue, "--drain", "--", "env")
        #expect(result.lines.filter { $0 == "WORKQ_ATTEMPT=1" }.count == 2, "\(result)")
        #expect(!result.text.contains("X_WORKQ"), "\(result)")
    }

    @Test("moving is refused onto itself and where nothing may be created, and a full queue loses nothing")
    func refusedMoves() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("full")
        try await fixture.publish(["1", "2", "3"])
        let itself = try await fixture.run("work", fixture.queue, "--move-to", fixture.queue)
        #expect(itself.status == 64, "\(itself)")
        let missing = try await fixture.run("work", fixture.queue, "--move-to", other, "--no-create", "--drain")
        #expect(missing.status == 65 && missing.errors.contains(other), "\(missing)")
        try await fixture.holds(3)
        try fixture.channel().declareQueue(
            ShortString(other), type: .classic,
            arguments: ["x-max-length": .int32(1), "x-overflow": .text("reject-publish")])
        let full = try await fixture.run(
            "work", fixture.queue, "--move-to", other, "--max-time", "8s", "--drain")
        #expect(full.errors.contains("couldn't be sent"), "\(full)")
        try await eventually("nothing is lost") { (fixture.ready() ?? 0) + (fixture.ready(other) ?? 0) == 3 }
    }

    @Test(
        "options that say something of commands are refused where none is run",
        arguments: [
            ["--batch", "2"], ["--reply"], ["--timeout", "1s"], ["--on-exit", "2=ack"], ["--max-attempts", "3"],
            ["--retry-delay", "1s"], ["--dead-letter", "d"], ["--output", "line"], ["--tag"],
        ])
    func withoutCommand(options: [String]) async throws {
        let printing = try await WorkqProcess.run(["work", "queue", "--drain"] + options)
        #expect(printing.status == 64 && printing.errors.contains("\(options[0]) needs COMMAND: "), "\(printing)")
        let moving = try await WorkqProcess.run(["work", "queue", "--drain", "--move-to", "other"] + options)
        #expect(
            moving.status == 64 && moving.errors.contains("--move-to and \(options[0]) exclude each other"),
            "\(moving)")
        // What a script's unset variable leaves of "-- $COMMAND" must not print the queue away.
        let nothing = try await WorkqProcess.run(["work", "queue", "--drain", "--"])
        #expect(nothing.status == 64 && nothing.errors.contains("COMMAND is missing after --"), "\(nothing)")
    }

    private func ask(
        _ fixture: Fixture, _ task: String, replyTo: String?, on channel: Channel? = nil
    ) throws {
        let channel = try channel ?? fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        var properties = MessageProperties()
        properties.correlationID = ShortString("about \(task)")
        properties.replyTo = replyTo.map { ShortString($0) }
        try channel.publish(
            Array(task.utf8), exchange: "", routingKey: ShortString(fixture.queue), mandatory: false,
            properties: properties)
        try channel.synchronize()
    }

    @Test("what a command prints answers its task; without reply-to it is printed; an asker that is gone is told")
    func answers() async throws {
        let fixture = try Fixture()
        let answers = fixture.anotherQueue("answers")
        try fixture.channel().declareQueue(ShortString(answers), type: .classic)
        try ask(fixture, "one", replyTo: answers)
        try ask(fixture, "two", replyTo: nil)
        try ask(fixture, "three", replyTo: fixture.anotherQueue("gone"))
        let result = try await fixture.run(
            "work", fixture.queue, "--reply", "--drain", "--", "sh", "-c", "printf 'done: '; cat")
        #expect(result.status == 0 && result.text == "done: two", "\(result)")
        #expect(result.errors.contains("nobody waits"), "\(result)")
        try await fixture.holds(0)
        let answer = try await fixture.run(
            "work", answers, "--drain", "--", "sh", "-c", "cat; echo \"|$WORKQ_CORRELATION_ID\"")
        #expect(answer.lines == ["done: one|about one"], "\(answer)")
    }

    @Test("an answer that is too long is no success: the task is dead-lettered; one of 16 MiB is sent")
    func longAnswers() async throws {
        let fixture = try Fixture()
        let answers = fixture.anotherQueue("answers")
        try fixture.channel().declareQueue(ShortString(answers), type: .classic)
        try ask(fixture, "16777216", replyTo: answers)
        try ask(fixture, "16777217", replyTo: answers)
        let result = try await fixture.run(
            "work", fixture.queue, "--reply", "--drain", "--", "sh", "-c", "read -r n; head -c $n /dev/zero")
        #expect(result.status == 1, "\(result)")
        #expect(fixture.ready(answers) == 1 && fixture.ready("\(fixture.queue).dead") == 1)
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--drain", "--", "env")
        #expect(dead.text.contains("the answer is longer than 16 MiB"), "\(dead)")
    }

    @Test("RabbitMQ's direct reply-to is answered, also when the asker is gone")
    func directReply() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        // Direct replies need a consumer that acknowledges nothing, on the channel that asks.
        _ = try channel.connection.request("wait for answers") { state in
            amqp_basic_consume(
                state, Channel.number, amqp_cstring_bytes("amq.rabbitmq.reply-to"), amqp_bytes_t(), 0, 1, 0,
                amqp_table_t())
        }
        try ask(fixture, "task", replyTo: "amq.rabbitmq.reply-to", on: channel)
        let result = try await fixture.run("work", fixture.queue, "--reply", "--drain", "--", "echo", "answer")
        #expect(result.status == 0 && !result.errors.contains("nobody"), "\(result)")
        var answer: BrokerEvent?
        let deadline = Instant.now + .seconds(10)
        while case let event? = try channel.connection.nextEvent(until: deadline) {
            if case .delivery = event {
                answer = event
                break
            }
        }
        guard case .delivery(let delivery) = answer else {
            Issue.record("no answer came")
            return
        }
        #expect(delivery.body == Array("answer\n".utf8) && delivery.properties.correlationID == "about task")

        try ask(fixture, "late", replyTo: "amq.rabbitmq.reply-to", on: channel)
        channel.connection.close()
        let late = try await fixture.run("work", fixture.queue, "--reply", "--drain", "--", "echo", "answer")
        #expect(late.status == 0, "\(late)")
        try await fixture.holds(0)
    }
}
