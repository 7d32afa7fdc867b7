// What becomes of tasks whose command fails, with the real binary on a real broker.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@Suite("failed tasks", .serialized, .timeLimit(.minutes(5)))
struct FailureTests {
    private static let noteAttempt =
        "echo $WORKQ_ATTEMPT/$WORKQ_MAX_ATTEMPTS >> \"$0\"; echo oops $WORKQ_ATTEMPT >&2; exit 7"

    @Test(
        "W15 a task that always fails is tried as often as allowed, later each time, and dead-lettered with the reason")
    func deadLettered() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        _ = [fixture.retryQueue("200ms"), fixture.retryQueue("1s")]
        try await fixture.publish(["poison"])
        let result = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "3", "--retry-delay", "200ms,1s", "--idle-timeout", "10s", "--",
            "sh",
            "-c", Self.noteAttempt, folder.path("runs"))
        #expect(result.status == 1, "\(result)")
        #expect(folder.read("runs") == "1/3\n2/3\n3/3\n")
        #expect(fixture.ready() == 0 && fixture.ready("\(fixture.queue).dead") == 1)
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--count", "1", "--", "env")
        for line in [
            "WORKQ_HEADER_X_WORKQ_REASON=status 7", "WORKQ_HEADER_X_WORKQ_ATTEMPTS=3",
            "WORKQ_HEADER_X_WORKQ_QUEUE=\(fixture.queue)", "WORKQ_HEADER_X_WORKQ_STDERR=oops 3",
        ] {
            #expect(dead.lines.contains(line), "\(line) is not in \(dead)")
        }
    }

    @Test(
        "a task that fails once is tried again and succeeds, on a classic and on a quorum queue",
        arguments: ["classic", "quorum"])
    func retried(type: String) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        _ = fixture.retryQueue("500ms")
        var generator = SeededGenerator()
        let body = generator.bytes(100_000)
        #expect(try await fixture.run("publish", "--queue-type", type, fixture.queue, input: .bytes(body)).status == 0)
        let script = "cat > \"$0.$WORKQ_ATTEMPT\"; echo $WORKQ_MESSAGE_ID >> \"$0.ids\"; [ $WORKQ_ATTEMPT -eq 2 ]"
        let result = try await fixture.run(
            "work", fixture.queue, "--retry-delay", "500ms", "--idle-timeout", "10s", "--", "sh", "-c", script,
            folder.path("body"))
        #expect(result.status == 0, "\(result)")
        let second = FileManager.default.contents(atPath: folder.path("body.2")).map(Array.init)
        #expect(second == body)
        #expect(Set(folder.read("body.ids").split(separator: "\n")).count == 1)
        try await fixture.holds(0)
    }

    @Test("a task with header names that nobody should choose, but brokers take, is tried again and dead-lettered")
    func oddHeaderNames() async throws {
        let fixture = try Fixture()
        _ = fixture.retryQueue("100ms")
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        let long = ShortString(String(repeating: "k", count: 255))
        var properties = MessageProperties()
        properties.headers = [long: .text("v"), "line\nbreak": .int64(1), "fine": .table([long: .bool(true)])]
        try channel.publish(
            Array("task".utf8), exchange: "", routingKey: ShortString(fixture.queue), mandatory: true,
            properties: properties)
        try await fixture.holds(1)
        let result = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "2", "--retry-delay", "100ms", "--idle-timeout", "10s", "--",
            "false")
        #expect(result.status == 1 && fixture.ready() == 0, "\(result)")
        let dead = "\(fixture.queue).dead"
        #expect(fixture.ready(dead) == 1, "\(result)")
        _ = try channel.consume(ShortString(dead))
        var headers: FieldTable?
        while headers == nil, let event = try channel.connection.nextEvent(until: .now + .seconds(10)) {
            if case .delivery(let delivery) = event { headers = delivery.properties.headers }
        }
        for name in [long, "line\nbreak", "fine"] {
            #expect(headers?[name] == properties.headers?[name], "\(name)")
        }
    }

    @Test("W13 a crash counts as a failed attempt, 65 is dead-lettered at once, 75 is tried again without counting")
    func statuses() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        _ = fixture.retryQueue("100ms")
        try await fixture.publish(["crash", "bad", "busy"])
        let script = """
            read -r task; echo "$task $WORKQ_ATTEMPT" >> "$0"
            case $task in crash) kill -SEGV $$;; bad) exit 65;; esac
            [ "$(grep -c busy "$0")" -ge 3 ] || exit 75
            """
        let result = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "2", "--retry-delay", "100ms", "--idle-timeout", "10s", "--", "sh",
            "-c", script, folder.path("log"))
        #expect(result.status == 1, "\(result)")
        let log = folder.read("log").split(separator: "\n").map(String.init)
        #expect(log.filter { $0.hasPrefix("crash") } == ["crash 1", "crash 2"])
        #expect(log.filter { $0.hasPrefix("bad") } == ["bad 1"])
        #expect(log.filter { $0.hasPrefix("busy") } == ["busy 1", "busy 1", "busy 1"])
        #expect(fixture.ready("\(fixture.queue).dead") == 2)
    }

    @Test("W21 a task whose copy the broker refuses stays on its queue, and isn't tried in a hot loop")
    func refusedCopy() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        // A retry queue that takes nothing: workq's own declaration then differs, and the broker answers 406.
        try fixture.channel().declareQueue(ShortString(fixture.retryQueue("1s")), type: .classic)
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--max-time", "10s", "--", "sh", "-c", "echo run >> \"$0\"; exit 1",
            folder.path("runs"))
        #expect(result.status == 0 && result.errors.contains("copy couldn't be sent"), "\(result)")
        #expect((1...4).contains(folder.read("runs").split(separator: "\n").count), "\(result)")
        try await fixture.holds(1)
    }

    @Test("W4 a command that takes too long is ended, killed when it ignores that, and the task counts as failed")
    func timeout() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let started = ContinuousClock.now
        let result = try await fixture.run(
            "work", fixture.queue, "--timeout", "1s", "--kill-after", "1s", "--max-attempts", "1", "--drain", "--",
            "sh",
            "-c", "trap '' TERM; while :; do sleep 0.2; done")
        #expect(result.status == 1 && result.errors.contains("too long"), "\(result)")
        #expect(ContinuousClock.now - started >= .seconds(2))
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--count", "1", "--", "env")
        #expect(dead.lines.contains("WORKQ_HEADER_X_WORKQ_REASON=timeout"), "\(dead)")
    }

    @Test("a rejected task is left to the queue's own dead-letter exchange, and the status says that something failed")
    func rejected() async throws {
        let fixture = try Fixture()
        let target = fixture.anotherQueue("target")
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(target), type: .classic)
        try channel.declareQueue(
            ShortString(fixture.queue), type: .classic,
            arguments: ["x-dead-letter-exchange": .text(""), "x-dead-letter-routing-key": .text(target)])
        try await fixture.publish(["x"])
        let result = try await fixture.run("work", fixture.queue, "--drain", "--on-exit", "1=reject", "--", "false")
        #expect(result.status == 1, "\(result)")
        try await eventually("it is dead-lettered") { fixture.ready(target) == 1 }
    }
}
