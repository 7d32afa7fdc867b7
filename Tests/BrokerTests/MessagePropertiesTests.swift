// Message properties: all of them arrive, and what can't be sent is found before a byte is.

import TestSupport
import Testing

@testable import Broker

@Suite("Message properties") struct MessagePropertiesTests {
    private static var shortStrings: [(name: String, path: WritableKeyPath<MessageProperties, ShortString?>)] {
        [
            ("content-type", \.contentType), ("content-encoding", \.contentEncoding),
            ("correlation-id", \.correlationID), ("reply-to", \.replyTo), ("expiration", \.expiration),
            ("message-id", \.messageID), ("type", \.type), ("user-id", \.userID), ("app-id", \.appID),
            ("cluster-id", \.clusterID),
        ]
    }
    private static let frameMax = 131_072

    /// Every property, each with a value of its own.
    private static var all: MessageProperties {
        var properties = MessageProperties()
        for (name, path) in shortStrings { properties[keyPath: path] = ShortString("the \(name)") }
        properties.headers = ["a": .int32(1), "b": .text("text")]
        properties.deliveryMode = 2
        properties.priority = 255
        properties.timestamp = 1_700_000_000
        return properties
    }

    /// The properties as they go through the pool and back, in memory and over the wire.
    private static func expectToSurvive(_ properties: MessageProperties) throws {
        let pool = MemoryPool()
        #expect(try MessageProperties(pool.properties(properties)) == properties)
        #expect(try LibraryCodec.decodeProperties(try LibraryCodec.encode(properties)) == properties)
    }

    @Test("M15 each property alone arrives, and the others stay absent")
    func each() throws {
        try Self.expectToSurvive(MessageProperties())
        for (_, path) in Self.shortStrings {
            for value in ["x", "", ShortString(bytes: [0xFF, 0x00])] as [ShortString] {
                var properties = MessageProperties()
                properties[keyPath: path] = value
                try Self.expectToSurvive(properties)
            }
        }
        var numbers = [MessageProperties](repeating: MessageProperties(), count: 5)
        numbers[0].deliveryMode = 1
        numbers[1].priority = 0
        numbers[2].timestamp = .max
        numbers[3].headers = [:]
        numbers[4].headers = ["n": .table(["m": .array([.void])])]
        for properties in numbers { try Self.expectToSurvive(properties) }
    }

    @Test("all properties together arrive, none taken for another")
    func together() throws {
        try Self.expectToSurvive(Self.all)
    }

    @Test("M14, M15 any combination arrives", arguments: seeds(100))
    func combinations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var properties = MessageProperties()
        for (_, path) in Self.shortStrings where Bool.random(using: &generator) {
            properties[keyPath: path] = ShortString(bytes: generator.bytes(Int.random(in: 0...255, using: &generator)))
        }
        if Bool.random(using: &generator) { properties.headers = generator.fieldTable(depth: 3) }
        if Bool.random(using: &generator) { properties.deliveryMode = .random(in: 0...255, using: &generator) }
        if Bool.random(using: &generator) { properties.priority = .random(in: 0...255, using: &generator) }
        if Bool.random(using: &generator) { properties.timestamp = .random(in: 0 ... .max, using: &generator) }
        try Self.expectToSurvive(properties)
    }

    @Test("M11 a short property may have 255 bytes, and the message names the one that has more")
    func boundary() {
        for (name, path) in Self.shortStrings {
            var properties = MessageProperties()
            properties[keyPath: path] = ShortString(bytes: Array(repeating: 0x78, count: 255))
            #expect(properties.invalidity(frameMax: Self.frameMax) == nil)
            properties[keyPath: path] = ShortString(bytes: Array(repeating: 0x78, count: 256))
            #expect(properties.invalidity(frameMax: Self.frameMax) == "\(name) is 256 bytes long, the limit is 255")
        }
    }

    @Test("M11 headers may fill the frame to the last byte, and not one more")
    func frameLimit() throws {
        func properties(value count: Int) -> MessageProperties {
            var properties = Self.all
            properties.headers = ["h": .bytes(Array(repeating: 0, count: count))]
            return properties
        }
        // The frame has 7 bytes before and 1 behind; the content header 12 before the properties.
        let rest = try LibraryCodec.encode(properties(value: 0)).count + 20
        for frameMax in [4_096, Self.frameMax] {
            let room = frameMax - rest
            let fitting = properties(value: room)
            #expect(try LibraryCodec.encode(fitting).count + 20 == frameMax)
            #expect(fitting.invalidity(frameMax: frameMax) == nil)
            let reason = properties(value: room + 1).invalidity(frameMax: frameMax)
            #expect(reason == "the headers need \(frameMax + 1) bytes, the connection allows \(frameMax)")
        }
    }

    @Test("M11 what is found valid always fits the frame", arguments: seeds(100))
    func neverTooLarge(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var properties = Bool.random(using: &generator) ? Self.all : MessageProperties()
        properties.headers = [
            "h": .bytes(Array(repeating: 1, count: 4_096 - Int.random(in: 0...400, using: &generator)))
        ]
        let size = try LibraryCodec.encode(properties).count + 20
        let isValid = properties.invalidity(frameMax: 4_096) == nil
        if isValid { #expect(size <= 4_096) }
        // Numbers that aren't set are counted all the same, so up to ten bytes may be refused too early.
        if size <= 4_086 { #expect(isValid) }
    }

    @Test("M12 a header's name that can't be sent is named, however deep it lies")
    func headerNames() {
        var properties = MessageProperties()
        properties.headers = ["ok": .table(["evil\r\nname": .text("x")])]
        #expect(
            properties.invalidity(frameMax: Self.frameMax)
                == "a header's name must have 1 to 128 bytes and no control characters, \"evil\r\nname\" has 10")
        properties.headers = [ShortString(bytes: Array(repeating: 0x6E, count: 129)): .void]
        #expect(properties.invalidity(frameMax: Self.frameMax)?.hasSuffix("has 129") == true)
        properties.headers = [ShortString(bytes: Array(repeating: 0x6E, count: 128)): .void]
        #expect(properties.invalidity(frameMax: Self.frameMax) == nil)
    }
}
