// A backup is worth what can be put back from it.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@Suite("restore", .timeLimit(.minutes(2)))
struct RestoreTests {
    @Test("M2 what purge saves, publish --ndjson puts back: bodies byte for byte, with properties and headers")
    func roundTrip() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        var properties = MessageProperties()
        properties.contentType = "image/png"
        properties.messageID = "id-1"
        properties.timestamp = 1_700_000_000
        properties.deliveryMode = 2
        properties.priority = 3
        properties.headers = ["tenant": .text("acme"), "n": .int64(5), "when": .timestamp(7), "raw": .bytes([0, 255])]
        let bodies: [[UInt8]] = [[0, 10, 255, 13], Array("text\n".utf8), []]
        for body in bodies {
            try channel.publish(
                body, exchange: "", routingKey: ShortString(fixture.queue), mandatory: true, properties: properties)
        }
        try await fixture.holds(3)

        let backup = try await fixture.run("purge", fixture.queue, "--backup", folder.path("backup"))
        #expect(backup.status == 0 && backup.lines == ["\(fixture.queue)\t3"], "\(backup)")
        #expect(fixture.ready() == 0)
        let restored = try await fixture.run(
            "publish", "--ndjson", fixture.queue, input: .file(folder.path("backup")))
        #expect(restored.status == 0, "\(restored)")

        _ = try channel.consume(ShortString(fixture.queue))
        var deliveries: [Delivery] = []
        while deliveries.count < 3, let event = try channel.connection.nextEvent(until: .now + .seconds(10)) {
            if case .delivery(let delivery) = event { deliveries.append(delivery) }
        }
        #expect(deliveries.map(\.body) == bodies)
        let expected = fixture.broker.delivers(properties)
        #expect(deliveries.allSatisfy { $0.properties == expected }, "\(deliveries.map(\.properties))")
    }

    @Test("Q10 another client's tasks come back with just the properties they had, and every type of header")
    func absentProperties() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        var all = MessageProperties()
        all.contentType = "t"
        all.contentEncoding = "e"
        all.deliveryMode = 1
        all.priority = 0
        all.correlationID = "c"
        all.replyTo = "r"
        all.expiration = "3600000"
        all.messageID = ""
        all.timestamp = 0
        all.type = "y"
        all.userID = "guest"
        all.appID = "a"
        all.clusterID = "u"
        all.headers = [
            "void": .void, "yes": .bool(true), "i8": .int8(-8), "u8": .uint8(8), "i16": .int16(-16), "u16": .uint16(16),
            "i32": .int32(-32), "u32": .uint32(32), "i64": .int64(-64), "u64": .uint64(.max), "float": .float(1.5),
            "double": .double(-2.25), "decimal": .decimal(scale: 2, value: 314), "time": .timestamp(7),
            "text": .text("ü"), "bytes": .bytes([0, 255]), "raw": .string([255]),
            "table": .table(["inner": .array([.int32(1), .text("x"), .table(["deep": .void])])]),
        ]
        var tasks: [MessageProperties] = [MessageProperties(), all]
        // Each of the three that publishing adds, absent alone.
        for change: (inout MessageProperties) -> Void in [
            { $0.messageID = nil }, { $0.timestamp = nil }, { $0.deliveryMode = nil },
        ] {
            var some = all
            change(&some)
            tasks.append(some)
        }
        let bodies: [[UInt8]] = tasks.indices.map { Array(repeating: UInt8($0), count: 40) }
        for (body, properties) in zip(bodies, tasks) {
            try channel.publish(
                body, exchange: "", routingKey: ShortString(fixture.queue), mandatory: true, properties: properties)
        }
        try await fixture.holds(tasks.count)
        let backup = try await fixture.run("purge", fixture.queue, "--backup", folder.path("backup"))
        #expect(backup.status == 0, "\(backup)")
        let text = folder.read("backup")
        #expect(!text.contains("\\u0001") && text.contains("body_base64"), "Base64 is shorter: \(text)")
        let restored = try await fixture.run(
            "publish", "--ndjson", fixture.queue, input: .file(folder.path("backup")))
        #expect(restored.status == 0, "\(restored)")
        _ = try channel.consume(ShortString(fixture.queue))
        var deliveries: [Delivery] = []
        while deliveries.count < tasks.count, let event = try channel.connection.nextEvent(until: .now + .seconds(10)) {
            if case .delivery(let delivery) = event { deliveries.append(delivery) }
        }
        #expect(deliveries.map(\.body) == bodies)
        for (delivery, properties) in zip(deliveries, tasks) {
            #expect(delivery.properties == fixture.broker.delivers(properties))
        }
    }
}
