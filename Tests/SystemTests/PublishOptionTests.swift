// What the options of workq publish put on a queue, and what is refused before a byte is sent.

import Broker
import Foundation
import TestSupport
import Testing

extension Fixture {
    /// Takes `count` tasks from a queue, with everything that they carry.
    func take(_ count: Int, from name: String? = nil) async throws -> [Delivery] {
        let channel = try channel()
        _ = try channel.consume(ShortString(name ?? queue))
        var deliveries: [Delivery] = []
        try await eventually("\(count) tasks come") {
            while let event = try channel.connection.nextEvent() {
                if case .delivery(let delivery) = event {
                    try channel.acknowledge(delivery.deliveryTag)
                    deliveries.append(delivery)
                }
            }
            return deliveries.count >= count
        }
        channel.connection.close()
        return deliveries
    }
}

@Suite("publish options", .serialized, .timeLimit(.minutes(5)))
struct PublishOptionTests {
    @Test("M15 every property and typed header of the command line is on the message")
    func properties() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", fixture.queue, "task", "--header", "text=a=b", "--header", "number:=3", "--header",
            "list:=[1.5,null,{\"x\":true}]", "--header", "empty=", "--priority", "7", "--ttl", "90s", "--content-type",
            "text/plain", "--content-encoding", "utf-8", "--type", "thumbnail", "--app-id", "tests", "--message-id",
            "m-1", "--correlation-id", "c-1", "--reply-to", "replies", "--user-id", "guest", "--timestamp",
            "1700000000",
            "--print-id")
        #expect(result.status == 0 && result.text == "m-1\n", "\(result)")
        let delivery = try #require(try await fixture.take(1).first)
        var expected = MessageProperties()
        expected.headers = [
            "text": .text("a=b"), "number": .int64(3),
            "list": .array([.double(1.5), .void, .table(["x": .bool(true)])]), "empty": .text(""),
        ]
        expected.priority = 7
        expected.expiration = "90000"
        expected.contentType = "text/plain"
        expected.contentEncoding = "utf-8"
        expected.type = "thumbnail"
        expected.appID = "tests"
        expected.messageID = "m-1"
        expected.correlationID = "c-1"
        expected.replyTo = "replies"
        expected.userID = "guest"
        expected.timestamp = 1_700_000_000
        expected.deliveryMode = 2
        #expect(delivery.properties == fixture.broker.delivers(expected))
        #expect(String(decoding: delivery.body, as: UTF8.self) == "task")
    }

    @Test("a user id that isn't the login's is refused by the broker, and told")
    func userID() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["first"])
        for name in ["somebody", "guest2"] {
            let result = try await fixture.run("publish", fixture.queue, "task", "--user-id", name)
            #expect(result.status == 65 && result.errors.contains(name), "\(result)")
        }
        try await fixture.holds(1)
    }

    @Test("M15 what isn't asked for is a persistent task with a UUID and the time, or a transient one")
    func usualProperties() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", fixture.queue, "a").status == 0)
        #expect(try await fixture.run("publish", fixture.queue, "b", "--transient").status == 0)
        let deliveries = try await fixture.take(2)
        for (delivery, mode) in zip(deliveries, [2, 1] as [UInt8]) {
            var rest = delivery.properties
            #expect(rest.deliveryMode == mode)
            #expect(UUID(uuidString: rest.messageID?.description ?? "") != nil)
            let now = UInt64(Date().timeIntervalSince1970)
            #expect(rest.timestamp.map { now - 60...now ~= $0 } == true)
            (rest.deliveryMode, rest.messageID, rest.timestamp) = (nil, nil, nil)
            #expect(rest == MessageProperties())
        }
    }

    private static let unsendable: [(options: [String], message: String)] = [
        (["--content-type", String(repeating: "a", count: 256)], "content-type is 256 bytes long"),
        (["--message-id", String(repeating: "é", count: 128)], "message-id is 256 bytes long"),
        (["--header", String(repeating: "k", count: 129) + "=v"], "a header's name"),
        (["--header", String(repeating: "k", count: 300) + "=v"], "a header's name"),
        (["--header", "a\nb=v"], "a header's name"),
        (["--header", "a\r:=1"], "a header's name"),
        (["--header", "a=\(large)", "--header", "b=\(large)"], "the connection allows 131072"),
        (["--queue-arg", "a\nb=v"], "an argument's name"),
    ]
    private static let large = String(repeating: "v", count: 66_000)

    @Test(
        "M11 M12 names and values that AMQP can't carry are refused with 65 before anything is connected to",
        arguments: 0..<8)
    func tooLong(index: Int) async throws {
        let (options, message) = Self.unsendable[index]
        // Nobody listens there.
        let result = try await WorkqProcess.run(
            ["publish", "queue", "task"] + options, environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
        #expect(result.status == 65 && result.errors.contains(message), "\(result.status) \(result.errors)")
    }

    @Test("M11 exactly 255 bytes of property and 128 of header name are fine")
    func longest() async throws {
        let fixture = try Fixture()
        let long = String(repeating: "a", count: 255)
        let name = String(repeating: "k", count: 128)
        let result = try await fixture.run(
            "publish", fixture.queue, "task", "--type", long, "--message-id", long, "--header", "\(name)=v")
        #expect(result.status == 0, "\(result)")
        let properties = try #require(try await fixture.take(1).first).properties
        #expect(properties.type == ShortString(long) && properties.headers == [ShortString(name): .text("v")])
    }

    @Test(
        "M13 values and combinations that make no sense are usage errors before anything is connected to",
        arguments: [
            ["q", "t", "--priority", "256"], ["q", "t", "--priority", "-1"], ["q", "t", "--ttl", "soon"],
            ["q", "t", "--ttl", "2000h"], ["q", "t", "--header", "novalue"], ["q", "t", "--header", "=v"],
            ["q", "t", "--header", "k:={"], ["q", "t", "--timestamp", "now"], ["q", "t", "--message-id", ""],
            ["q", "--lines", "--message-id", "m"], ["q", "t", "--ttl", "1s", "--delay", "1s"],
            ["q", "t", "u"], ["q", "t", "--exchange", "x"], ["--exchange", "x", "--delay", "1s"],
            ["--exchange", "x", "--unless-queued"], ["--exchange", "x", "--queue-arg", "a=b"],
            ["q", "t", "--queue-arg", "x-queue-type=quorum"], ["q", "t", "--no-confirm", "--retry-for", "1s"],
            ["q", "t", "--no-confirm", "--spool", "/tmp"], ["q", "t", "--no-confirm", "--unsent", "/tmp/x"], [],
            ["--flush"], ["q", "--flush", "--spool", "/tmp"], ["q", "t", "--lines"], ["q", "t", "--ndjson"], ["a\nb"],
            ["q", "t", "--delay", "0"], ["q", "t", "--max-depth", "0"],
        ])
    func nonsense(arguments: [String]) async throws {
        let result = try await WorkqProcess.run(
            ["publish"] + arguments, environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
        #expect(result.status == 64, "\(result)")
    }

    @Test(
        "M8 an exchange and a routing key lead where the exchange says; what leads nowhere is 65, and nothing is created"
    )
    func exchange() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["first"])
        let direct = try await fixture.run("publish", "--exchange=", "--routing-key", fixture.queue, "second")
        #expect(direct.status == 0, "\(direct)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "first\nsecond\n")
        let lost = try await fixture.run("publish", "--exchange", "amq.topic", "--routing-key", fixture.queue, "x")
        #expect(lost.status == 65 && lost.errors.contains("unroutable"), "\(lost)")
        let missing = try await fixture.run("publish", "--exchange", "no-such-exchange", "x")
        #expect(missing.status == 65 && missing.errors.contains("no exchange 'no-such-exchange'"), "\(missing)")
        #expect(!missing.errors.contains("unknown"), "\(missing)")
    }

    @Test("a queue that is created gets its arguments, and an existing one keeps its own")
    func queueArguments() async throws {
        let fixture = try Fixture()
        // A quorum queue notices a moment later that it is full.
        let arguments = [
            "--queue-type", "classic", "--queue-arg", "x-max-length=1", "--queue-arg", "x-overflow=reject-publish",
        ]
        let first = try await WorkqProcess.run(
            ["publish", fixture.queue, "1"] + arguments, environment: fixture.environment)
        #expect(first.status == 0, "\(first)")
        let second = try await fixture.run("publish", fixture.queue, "2", "--queue-arg", "x-max-length:=5")
        #expect(second.status == 75, "\(second)")
        try await fixture.holds(1)
    }

    @Test("tasks as JSON come with their own properties, and the options' where they have none")
    func records() async throws {
        let fixture = try Fixture()
        let lines = """
            {"body":"text","headers":{"a":1,"b":{"$int8":5}},"message_id":"m1","timestamp":5,"delivery_mode":1}
            {"body_base64":"AP8K","priority":3,"expiration":"60000"}

            """
        let result = try await fixture.run(
            "publish", "--ndjson", fixture.queue, "--header", "a=option", "--header", "c=option", "--type", "t",
            "--print-id", input: .text(lines))
        #expect(result.status == 0, "\(result)")
        let deliveries = try await fixture.take(2)
        let (first, second) = (deliveries[0].properties, deliveries[1].properties)
        #expect(first.headers == ["a": .int64(1), "b": .int8(5), "c": .text("option")])
        #expect(first.messageID == "m1" && first.timestamp == 5 && first.deliveryMode == 1 && first.type == "t")
        #expect(deliveries[1].body == [0, 0xFF, 0x0A])
        #expect(second.headers == ["a": .text("option"), "c": .text("option")])
        // RabbitMQ 4 would hand out a priority over 4 first, also from a quorum queue.
        #expect(second.priority == 3 && second.expiration == "60000" && second.deliveryMode == 2)
        #expect(result.lines == ["m1", second.messageID?.description])
    }

    @Test(
        "M5 M13 a line that is no task is told by its number; what was before it is confirmed, nothing behind it is sent",
        arguments: [
            (#"{"bodi":"x"}"#, "unknown key"), (#"{"body":1}"#, "must be text"), (#"{"body_base64":"?"}"#, "Base64"),
            (#"{"body":"x""#, "not JSON"), ("", "not JSON"), (#"{"body":"x","user_id":"somebody"}"#, "user_id"),
            (#"{"body":"x","expiration":"1s"}"#, "expiration"),
        ])
    func malformedRecord(line: String, message: String) async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", "--ndjson", fixture.queue,
            input: .text("{\"body\":\"1\"}\n{\"body\":\"2\"}\n\(line)\n{\"body\":\"4\"}\n"))
        #expect(result.status == 3 && result.errors.contains("line 3 is no task"), "\(result)")
        #expect(result.errors.contains(message) && result.errors.contains("2 confirmed"), "\(result)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "1\n2\n")
    }

    @Test("ids are printed in the order of the tasks")
    func printedIDs() async throws {
        let fixture = try Fixture()
        let text = (1...3_000).map { "\($0)\n" }.joined()
        let result = try await fixture.run("publish", "-l", "--print-id", fixture.queue, input: .text(text))
        #expect(result.status == 0)
        let deliveries = try await fixture.take(3_000)
        #expect(result.lines == deliveries.map { $0.properties.messageID?.description })
    }

    @Test("a guard publishes nothing when the queue holds enough, says so only when asked, and is 0")
    func guards() async throws {
        let fixture = try Fixture()
        for _ in 0..<2 {
            let result = try await fixture.run("publish", fixture.queue, "once", "--unless-queued")
            #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
            try await fixture.holds(1)
        }
        #expect(try await fixture.run("publish", fixture.queue, "again", "--max-depth", "2").status == 0)
        try await fixture.holds(2)
        let full = try await fixture.run("publish", fixture.queue, "again", "--max-depth", "2", "-v")
        #expect(full.status == 0 && full.errors.contains("holds 2 tasks"), "\(full)")
        try await fixture.holds(2)
    }

    @Test("a delayed task arrives after its time on a queue that is created first, and counts for a guard meanwhile")
    func delay() async throws {
        let fixture = try Fixture()
        let waiting = "\(fixture.queue).delay.3s"
        let start = ContinuousClock.now
        let result = try await fixture.run("publish", fixture.queue, "later", "--delay", "3s")
        #expect(result.status == 0, "\(result)")
        #expect(fixture.ready() != nil, "the queue is there")
        #expect(try await fixture.run("publish", fixture.queue, "x", "--delay", "3s", "--unless-queued").status == 0)
        let worker = try await fixture.run("work", fixture.queue, "--count", "1")
        #expect(worker.text == "later\n" && ContinuousClock.now - start > .seconds(3), "\(worker)")
        #expect(fixture.ready() == 0 && fixture.ready(waiting) == 0)
        let missing = fixture.anotherQueue("missing")
        let refused = try await fixture.run("publish", missing, "x", "--delay", "3s", "--no-create")
        #expect(refused.status == 65 && fixture.ready(missing) == nil, "\(refused)")
        _ = try fixture.channel().deleteQueue(ShortString(waiting))
    }
}
