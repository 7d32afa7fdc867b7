// Frames arrive as the broker pleases to split them; what comes out are the messages that went in, or a violation.

import TestSupport
import Testing

@testable import Broker

@Suite("Frame assembler") struct FrameAssemblerTests {
    private static var delivery: FrameAssembler.Envelope {
        .delivery(consumerTag: "c", deliveryTag: 7, redelivered: true, exchange: "x", routingKey: "q")
    }

    private static var returned: FrameAssembler.Envelope {
        .returned(code: 312, text: "NO_ROUTE", exchange: "x", routingKey: "q")
    }

    private static var properties: MessageProperties {
        var properties = MessageProperties()
        properties.messageID = "id"
        return properties
    }

    private static func delivered(_ body: [UInt8]) -> BrokerEvent {
        .delivery(
            Delivery(
                consumerTag: "c", deliveryTag: 7, redelivered: true, exchange: "x", routingKey: "q",
                properties: properties, body: body))
    }

    private static func body(_ assembler: inout FrameAssembler, _ bytes: [UInt8]) throws -> BrokerEvent? {
        try bytes.withUnsafeBytes { try assembler.body($0) }
    }

    @Test("M1 an empty body needs no body frame")
    func emptyBody() throws {
        var assembler = FrameAssembler()
        try assembler.begin(Self.delivery)
        #expect(assembler.isInContent)
        #expect(try assembler.header(bodySize: 0, properties: Self.properties) == Self.delivered([]))
        #expect(!assembler.isInContent)
    }

    @Test("M2 a body is the same however it is split, message after message", arguments: seeds(50))
    func splits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var assembler = FrameAssembler()
        for _ in 0..<5 {
            let body = generator.bytes(Int.random(in: 1...3_000, using: &generator))
            let longest = Int.random(in: 1...body.count, using: &generator)
            try assembler.begin(Self.delivery)
            #expect(try assembler.header(bodySize: UInt64(body.count), properties: Self.properties) == nil)
            var rest = body[...]
            var event: BrokerEvent?
            while !rest.isEmpty {
                #expect(event == nil)
                #expect(assembler.isInContent)
                // An empty frame now and then is allowed.
                let part = rest.prefix(Int.random(in: 0...longest, using: &generator))
                event = try Self.body(&assembler, Array(part))
                rest = rest.dropFirst(part.count)
            }
            #expect(event == Self.delivered(body))
            #expect(!assembler.isInContent)
        }
    }

    @Test("a returned message is told from a delivery")
    func returnedMessage() throws {
        var assembler = FrameAssembler()
        try assembler.begin(Self.returned)
        _ = try assembler.header(bodySize: 2, properties: Self.properties)
        let event = try Self.body(&assembler, [1, 2])
        #expect(
            event
                == .returned(
                    ReturnedMessage(
                        code: .noRoute, text: "NO_ROUTE", exchange: "x", routingKey: "q", properties: Self.properties,
                        body: [1, 2])))
    }

    @Test("S13 a message that announces more than any broker takes is refused before memory is")
    func oversize() throws {
        for size in [FrameAssembler.maximumBodySize + 1, UInt64(Int64.max), UInt64.max] {
            var assembler = FrameAssembler()
            try assembler.begin(Self.delivery)
            let error = #expect(throws: FrameAssembler.Violation.self) {
                try assembler.header(bodySize: size, properties: Self.properties)
            }
            #expect(error?.text.contains("\(size) bytes") == true)
        }
    }

    @Test("a body longer than announced is a violation, also by one byte and in the last frame")
    func tooLongBody() throws {
        for parts in [[4], [3, 1], [1, 3], [2, 2]] {
            var assembler = FrameAssembler()
            try assembler.begin(Self.delivery)
            _ = try assembler.header(bodySize: 3, properties: Self.properties)
            #expect(throws: FrameAssembler.Violation.self) {
                var events: [BrokerEvent?] = []
                for part in parts { events.append(try Self.body(&assembler, Array(repeating: 0, count: part))) }
            }
        }
    }

    @Test("N17, S13 a frame that has no place in the sequence is a violation")
    func outOfSequence() throws {
        var idle = FrameAssembler()
        #expect(throws: FrameAssembler.Violation.self) { try idle.header(bodySize: 0, properties: Self.properties) }
        #expect(throws: FrameAssembler.Violation.self) { try Self.body(&idle, [1]) }

        var begun = FrameAssembler()
        try begun.begin(Self.delivery)
        #expect(throws: FrameAssembler.Violation.self) { try begun.begin(Self.returned) }
        #expect(throws: FrameAssembler.Violation.self) { try Self.body(&begun, [1]) }

        var inBody = FrameAssembler()
        try inBody.begin(Self.delivery)
        _ = try inBody.header(bodySize: 2, properties: Self.properties)
        _ = try Self.body(&inBody, [1])
        #expect(throws: FrameAssembler.Violation.self) { try inBody.begin(Self.delivery) }
        #expect(throws: FrameAssembler.Violation.self) { try inBody.header(bodySize: 1, properties: Self.properties) }

        var done = FrameAssembler()
        try done.begin(Self.delivery)
        _ = try done.header(bodySize: 0, properties: Self.properties)
        #expect(throws: FrameAssembler.Violation.self) { try Self.body(&done, []) }
    }

    @Test("N8 what was half received when the channel closed is forgotten, and the next message is whole")
    func reset() throws {
        for received in 0...2 {
            var assembler = FrameAssembler()
            try assembler.begin(Self.returned)
            if received > 0 { _ = try assembler.header(bodySize: 5, properties: MessageProperties()) }
            if received > 1 { _ = try Self.body(&assembler, [9, 9]) }
            assembler.reset()
            #expect(!assembler.isInContent)
            try assembler.begin(Self.delivery)
            _ = try assembler.header(bodySize: 3, properties: Self.properties)
            #expect(try Self.body(&assembler, [1, 2, 3]) == Self.delivered([1, 2, 3]))
        }
    }
}
