// Copies that are held up, refused, or can't be made: nothing is lost, nothing multiplies, nobody else waits.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("copies", .serialized, .timeLimit(.minutes(5)))
struct CopyTests {
    private func setMemory(_ fraction: String, _ broker: ThrowawayBroker) async throws {
        try await broker.ctl("set_vm_memory_high_watermark", fraction)
    }

    @Test("R4 R5 a large copy under an alarm holds up no signal, goes out once when the alarm ends, or comes back")
    func alarm() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        _ = fixture.retryQueue("5m")
        // As large as RabbitMQ 4 takes.
        let body = [UInt8](repeating: 0x61, count: 16 << 20)
        for _ in 1...2 { #expect(try await fixture.run("publish", fixture.queue, input: .bytes(body)).status == 0) }
        try await fixture.holds(2)
        try await setMemory("0.00001", broker)

        let words = [
            "work", fixture.queue, "--retry-delay", "5m", "--kill-after", "2s", "--heartbeat", "4", "--", "false",
        ]
        let leaving = try WorkqProcess(words, environment: fixture.environment)
        try await leaving.says("blocked by broker: low on memory", within: .seconds(40))
        let asked = ContinuousClock.now
        leaving.signal(SIGUSR1)
        try await leaving.says("1 held back")
        #expect(ContinuousClock.now - asked < .seconds(6))
        leaving.signal(SIGTERM)
        let (result, time) = try await leaving.end(within: .seconds(40))
        #expect(
            result.status == 0 && time < .seconds(12), "two seconds, and what a busy machine adds: \(time) \(result)")
        #expect(leaving.count(of: "blocked by broker") == 1, "\(result)")
        try await fixture.holds(2)

        let waiting = try WorkqProcess(words, environment: fixture.environment)
        try await waiting.says("blocked by broker: low on memory", within: .seconds(40))
        // Longer than two heartbeats, after which a copy in a full socket's buffer would be given up.
        try await Task.sleep(for: .seconds(10))
        try await setMemory("0.4", broker)
        try await eventually("both copies are there", within: .seconds(60)) {
            fixture.ready(fixture.retryQueue("5m")) == 2
        }
        try await waiting.leave()
        #expect(fixture.ready(fixture.retryQueue("5m")) == 2 && fixture.ready() == 0, "\(waiting.errors)")
        try await broker.stop()
    }

    @Test("R16 a copy under way when the consumer's connection goes settles the task that comes back: it runs once")
    func lostLink() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let folder = try TemporaryFolder()
        _ = fixture.retryQueue("5m")
        try await fixture.publish(["1", "2"])
        try await setMemory("0.00001", broker)
        let worker = try fixture.start(
            "work", fixture.queue, "-j2", "--retry-delay", "5m", "--", "sh", "-c", "cat >> \"$0\"; exit 1",
            folder.path("log"))
        try await worker.says("blocked by broker: low on memory", within: .seconds(40))
        for lost in 1...2 {
            let channels = try await broker.ctl("-q", "list_channels", "connection", "consumer_count")
            let consumer = channels.split(separator: "\n").first { $0.hasSuffix("\t1") }?.split(separator: "\t").first
            try await broker.ctl("close_connection", String(try #require(consumer, "\(channels)")), "test")
            try await eventually("the worker is back", within: .seconds(40)) {
                worker.count(of: "connected again") == lost && fixture.consumers() == 1
            }
        }
        try await setMemory("0.4", broker)
        try await eventually("both copies are there", within: .seconds(60)) {
            fixture.ready(fixture.retryQueue("5m")) == 2
        }
        try await worker.leave()
        #expect(fixture.ready(fixture.retryQueue("5m")) == 2 && fixture.ready() == 0, "\(worker.errors)")
        #expect(folder.read("log").sorted() == ["1", "2"], "each ran once")
        try await broker.stop()
    }

    @Test("R6 a task that its dead-letter queue won't take is told and kept, and those behind it run")
    func fullDeadLetterQueue() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let dead = ShortString("\(fixture.queue).dead")
        let channel = try fixture.channel()
        try channel.declareQueue(
            dead, type: .classic, arguments: ["x-max-length": .int64(1), "x-overflow": .text("reject-publish")])
        try channel.publish(
            [1], exchange: "", routingKey: dead, mandatory: true, properties: MessageProperties())
        try await fixture.publish(["bad"] + (1...6).map(String.init))
        let worker = try fixture.start(
            "work", fixture.queue, "--max-attempts", "1", "--", "sh", "-c",
            "read -r task; echo $task >> \"$0\"; [ $task != bad ]", folder.path("log"))
        try await eventually("those behind it ran") { folder.read("log") == "bad\n1\n2\n3\n4\n5\n6\n" }
        try await worker.says("copy couldn't be sent")
        try await worker.leave()
        try await fixture.holds(1)
    }

    @Test("R6 a task without room for a count of attempts is dead-lettered, and those behind it run")
    func noRoom() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        for room in [57, 38] {
            var properties = MessageProperties()
            let size = channel.connection.frameMax - room
            properties.headers = ["h": .string([UInt8](repeating: 0x61, count: size))]
            try channel.publish(
                [UInt8(ascii: "x")], exchange: "", routingKey: ShortString(fixture.queue), mandatory: true,
                properties: properties)
        }
        try await fixture.holds(2)
        try await fixture.publish((1...6).map(String.init))
        let result = try await fixture.run(
            "work", fixture.queue, "--idle-timeout", "10s", "--max-attempts", "2", "--retry-delay", "200ms", "--", "sh",
            "-c", "[ $(cat) != x ]")
        _ = fixture.retryQueue("200ms")
        #expect(result.status == 1, "\(result)")
        #expect(fixture.ready("\(fixture.queue).dead") == 2 && fixture.ready() == 0, "\(result)")
    }

    @Test("R6 an answer that its queue won't take is told and kept, and tasks behind it run")
    func fullReplyQueue() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let answers = fixture.anotherQueue("answers")
        let channel = try fixture.channel()
        try channel.declareQueue(
            ShortString(answers), type: .classic,
            arguments: ["x-max-length": .int64(0), "x-overflow": .text("reject-publish")])
        #expect(try await fixture.run("publish", fixture.queue, "asked", "--reply-to", answers).status == 0)
        try await fixture.publish(["1", "2"])
        let worker = try fixture.start(
            "work", fixture.queue, "--reply", "--", "sh", "-c", "cat >> \"$0\"; echo >> \"$0\"; echo 42",
            folder.path("log"))
        try await eventually("those behind it ran") { folder.read("log") == "asked\n1\n2\n" }
        try await worker.says("copy couldn't be sent")
        try await worker.leave()
        try await fixture.holds(1)
    }

    @Test("R8 later attempts, dead letters and moved tasks know the exchange and the routing key of the first one")
    func origin() async throws {
        let fixture = try Fixture()
        _ = fixture.retryQueue("100ms")
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        let api = fixture.broker
        try await api.ctl(
            "eval",
            "rabbit_binding:add({binding, rabbit_misc:r(<<\"/\">>, exchange, <<\"amq.topic\">>), <<\"disk.full\">>, "
                + "rabbit_misc:r(<<\"/\">>, queue, <<\"\(fixture.queue)\">>), []}, <<\"test\">>).")
        let published = try await fixture.run("publish", "--exchange", "amq.topic", "--routing-key", "disk.full", "x")
        #expect(published.status == 0, "\(published)")
        let script = "echo $WORKQ_ATTEMPT $WORKQ_EXCHANGE $WORKQ_ROUTING_KEY; exit 1"
        let words = [
            "--max-attempts", "2", "--retry-delay", "100ms", "--idle-timeout", "10s", "--", "sh", "-c", script,
        ]
        let first = try await WorkqProcess.run(["work", fixture.queue] + words, environment: fixture.environment)
        #expect(first.lines == ["1 amq.topic disk.full", "2 amq.topic disk.full"], "\(first)")
        let moved = try await fixture.run("work", "\(fixture.queue).dead", "--move-to", fixture.queue, "--drain")
        #expect(moved.status == 0, "\(moved)")
        let again = try await fixture.run(
            "work", fixture.queue, "--count", "1", "--", "sh", "-c", "echo $WORKQ_EXCHANGE $WORKQ_ROUTING_KEY")
        #expect(again.text == "amq.topic disk.full\n", "\(again)")
    }
}
