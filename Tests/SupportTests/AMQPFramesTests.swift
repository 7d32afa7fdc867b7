// The codec of the scripted peer, against itself and against bytes written by hand.

import TestSupport
import Testing

@Suite("The frame codec")
struct AMQPFramesTests {
    /// A value that fits and isn't zero.
    private static func value(_ field: AMQPField) -> AMQPValue {
        switch field.type {
        case .octet: 0xFE
        case .short: 0xFEDC
        case .long: 0xFEDC_BA98
        case .longLong: 0xFEDC_BA98_7654_3210
        case .bit: true
        case .shortString: .bytes(.sample(255))
        case .longString, .table: .bytes(.sample(300))
        }
    }

    /// Every method with all of its arguments, with the last one only, and with none.
    private static func methods() throws -> [AMQPFrame] {
        var frames: [AMQPFrame] = []
        for kind in AMQPMethodKind.all {
            for count in [kind.fields.count, 1, 0] {
                let arguments = Dictionary(uniqueKeysWithValues: kind.fields.suffix(count).map { ($0.name, value($0)) })
                frames.append(.method(channel: 7, try AMQPMethod(kind, arguments)))
            }
        }
        return frames
    }

    private static let others: [AMQPFrame] = [
        .heartbeat, .header(channel: 1, bodySize: 1 << 40, .none), .body(channel: 65_535, []),
        .body(channel: 1, .sample(70_000)), .other(type: 9, channel: 3, payload: [1, 2]),
        .other(type: 1, channel: 1, payload: [0, 60, 0, 99]),
    ]

    @Test("reads back every frame that it writes, from one piece and byte by byte")
    func roundTrip() throws {
        for frame in try Self.methods() + Self.others {
            let encoded = frame.encoded
            var whole = encoded[...] + [0xAA]
            #expect(try AMQPFrame.decode(from: &whole) == frame)
            #expect(whole == [0xAA])
            for count in 0..<min(encoded.count, 1_000) {
                var part = encoded.prefix(count)
                #expect(try AMQPFrame.decode(from: &part) == nil)
                #expect(part.count == count)
            }
        }
    }

    @Test("writes what the specification says")
    func knownBytes() throws {
        let consume = try AMQPMethod(.basicConsume, ["queue": "q", "no-ack": true, "no-wait": true])
        #expect(
            AMQPFrame.method(channel: 1, consume).encoded
                == [1, 0, 1, 0, 0, 0, 14, 0, 60, 0, 20, 0, 0, 1, 0x71, 0, 0b1010, 0, 0, 0, 0, 0xCE])
        #expect(AMQPFrame.heartbeat.encoded == [8, 0, 0, 0, 0, 0, 0, 0xCE])
        let properties = try AMQPProperties(["content-type": "a", "delivery-mode": 2, "message-id": "m"])
        #expect(properties.bytes == [0x90, 0x80, 1, 0x61, 2, 1, 0x6D])
        #expect(
            AMQPFrame.header(channel: 2, bodySize: 3, properties).encoded
                == [2, 0, 2, 0, 0, 0, 19, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0x90, 0x80, 1, 0x61, 2, 1, 0x6D, 0xCE])
    }

    @Test("reads properties by name")
    func properties() throws {
        let headers = AMQPTable.text("a", "b") + AMQPTable.number("n", -1)
        let properties = try AMQPProperties(["headers": .bytes(headers), "cluster-id": "c", "timestamp": 5])
        let decoded = try properties.decoded()
        #expect(try decoded.bytes("headers") == headers)
        #expect(try decoded.text("cluster-id") == "c")
        #expect(try decoded.number("timestamp") == 5)
        #expect(throws: Failure.self) { try decoded.text("message-id") }
        #expect(throws: Failure.self) { try AMQPProperties(bytes: [0x80, 0, 5, 1]).decoded() }
        #expect(throws: Failure.self) { try AMQPProperties(bytes: [0, 0, 1]).decoded() }
    }

    @Test("refuses names and values that a method doesn't have")
    func slips() throws {
        #expect(throws: Failure.self) { try AMQPMethod(.basicAck, ["delivery tag": 1]) }
        #expect(throws: Failure.self) { try AMQPMethod(.basicAck, ["multiple": 1]) }
        #expect(throws: Failure.self) { try AMQPMethod(.basicQos, ["prefetch-count": 65_536]) }
        #expect(throws: Failure.self) { try AMQPMethod(.channelClose, ["reply-text": .bytes(.sample(256))]) }
        #expect(throws: Failure.self) { try AMQPMethod(.basicAck).text("delivery-tag") }
    }

    @Test("refuses what is no frame")
    func garbage() {
        var noEndMark: ArraySlice<UInt8> = [8, 0, 0, 0, 0, 0, 0, 0xCD]
        #expect(throws: Failure.self) { try AMQPFrame.decode(from: &noEndMark) }
        var shortAck: ArraySlice<UInt8> = [1, 0, 1, 0, 0, 0, 5, 0, 60, 0, 80, 1, 0xCE]
        #expect(throws: Failure.self) { try AMQPFrame.decode(from: &shortAck) }
    }

    @Test("knows which method answers which")
    func replies() {
        #expect(AMQPMethodKind.connectionOpen.reply == .connectionOpenOK)
        #expect(AMQPMethodKind.confirmSelect.reply == .confirmSelectOK)
        #expect(AMQPMethodKind.basicAck.reply == nil)
        #expect(AMQPMethodKind.basicPublish.reply == nil)
        #expect(AMQPMethodKind.connectionTune.reply == .connectionTuneOK)
        let withReply = AMQPMethodKind.all.filter { $0.reply != nil }
        #expect(withReply.count == AMQPMethodKind.all.filter { $0.name.hasSuffix("-ok") }.count)
    }
}
