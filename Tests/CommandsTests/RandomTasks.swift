// Tasks with anything in them that AMQP allows, edges more often than chance would have it.

import Broker
import TestSupport

@testable import Commands

extension SeededGenerator {
    mutating func taskRecord() -> TaskRecord {
        var properties = MessageProperties()
        for path in Self.shortStrings where flip { properties[keyPath: path] = shortString() }
        if flip { properties.expiration = ShortString("\(UInt32.random(in: .min ... .max, using: &self))") }
        if flip { properties.deliveryMode = UInt8.random(in: 1...2, using: &self) }
        if flip { properties.priority = number() }
        if flip { properties.timestamp = number() }
        if flip { properties.headers = table(depth: 4) }
        return TaskRecord(body: flip ? text() : bytes(Int.random(in: 0...40, using: &self)), properties: properties)
    }

    private static let shortStrings: [any WritableKeyPath<MessageProperties, ShortString?> & Sendable] = [
        \.contentType, \.contentEncoding, \.correlationID, \.replyTo, \.messageID, \.type, \.userID, \.appID,
        \.clusterID,
    ]

    private var flip: Bool {
        mutating get { Bool.random(using: &self) }
    }

    /// The ends of a type's range as often as all between.
    private mutating func number<Number: FixedWidthInteger>() -> Number {
        flip ? [Number.min, 0, Number.max].pick(&self) : .random(in: .min ... .max, using: &self)
    }

    private mutating func shortString() -> ShortString {
        flip ? ShortString(bytes: text()) : ShortString(bytes: bytes(Int.random(in: 0...255, using: &self)))
    }

    private mutating func headerName() -> ShortString {
        flip ? ["a", "b", "$int8", "$", "$table", "e\u{301}", "\u{E9}", ""].pick(&self) : shortString()
    }

    private mutating func table(depth: Int) -> FieldTable {
        FieldTable(
            (0..<Int.random(in: 0...4, using: &self)).map { _ in
                FieldTable.Field(name: headerName(), value: value(depth: depth))
            })
    }

    private mutating func value(depth: Int) -> FieldValue {
        switch Int.random(in: 0..<(depth > 0 ? 18 : 16), using: &self) {
        case 0: .bool(flip)
        case 1: .int8(number())
        case 2: .uint8(number())
        case 3: .int16(number())
        case 4: .uint16(number())
        case 5: .int32(number())
        case 6: .uint32(number())
        case 7: .int64(number())
        case 8: .uint64(number())
        // Any pattern of bits: infinities, values that are not numbers and subnormal ones among them.
        case 9: .float(Float(bitPattern: flip ? number() : UInt32.random(in: 0x7F80_0000...0x7F80_0001, using: &self)))
        case 10:
            .double(flip ? Double(bitPattern: number()) : [0, -0.0, 1, -1e300, 1e-300, .infinity, .nan].pick(&self))
        case 11: .decimal(scale: number(), value: number())
        case 12: .string(text())
        case 13: .string(bytes(Int.random(in: 0...9, using: &self)))
        case 14: flip ? .bytes(bytes(Int.random(in: 0...9, using: &self))) : .timestamp(number())
        case 15: .void
        case 16: .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth - 1) })
        default: .table(table(depth: depth - 1))
        }
    }
}
