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
        #expect(deliveries.allSatisfy { $0.properties == properties }, "\(deliveries.map(\.properties))")
    }
}
