// librabbitmq's own encoder and decoder, as the judge of what workq believes about bytes on the wire.

import CRabbitMQ
import TestSupport

@testable import Broker

enum LibraryCodec {
    struct Failure: Error {
        var status: Int32
    }

    /// The bytes of a table on the wire.
    static func encode(_ table: FieldTable) throws -> [UInt8] {
        let pool = MemoryPool()
        var input = try pool.table(table)
        return try encoded(capacity: table.encodedSize + 4_096) { buffer, offset in
            amqp_encode_table(buffer, &input, &offset)
        }
    }

    /// What the library reads from the bytes of a table.
    static func decodeTable(_ bytes: [UInt8]) throws -> FieldTable {
        try decoded(bytes) { buffer, pool in
            var output = amqp_table_t()
            var offset = 0
            let status = amqp_decode_table(buffer, pool, &output, &offset)
            guard status == AMQP_STATUS_OK.rawValue else { throw Failure(status: status) }
            return FieldTable(output)
        }
    }

    /// The bytes of message properties on the wire, without the content header before them.
    static func encode(_ properties: MessageProperties) throws -> [UInt8] {
        let pool = MemoryPool()
        var input = try pool.properties(properties)
        return try encoded(capacity: 1 << 18) { buffer, offset in
            let count = amqp_encode_properties(UInt16(AMQP_BASIC_CLASS), &input, buffer)
            if count >= 0 { offset = Int(count) }
            return min(count, 0)
        }
    }

    static func decodeProperties(_ bytes: [UInt8]) throws -> MessageProperties {
        try decoded(bytes) { buffer, pool in
            var output: UnsafeMutableRawPointer?
            let status = amqp_decode_properties(UInt16(AMQP_BASIC_CLASS), pool, buffer, &output)
            guard status == AMQP_STATUS_OK.rawValue, let output else { throw Failure(status: status) }
            return MessageProperties(output.load(as: amqp_basic_properties_t.self))
        }
    }

    private static func encoded(
        capacity: Int, _ encode: (amqp_bytes_t, inout Int) -> Int32
    ) throws -> [UInt8] {
        var bytes: [UInt8] = Array(repeating: 0, count: capacity)
        var offset = 0
        let status = bytes.withUnsafeMutableBytes { buffer in
            encode(amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress), &offset)
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw Failure(status: status) }
        return Array(bytes[..<offset])
    }

    /// Gives `decode` the bytes and a pool, both good until it returns.
    private static func decoded<Value>(
        _ bytes: [UInt8], _ decode: (amqp_bytes_t, UnsafeMutablePointer<amqp_pool_t>) throws -> Value
    ) throws -> Value {
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4_096)
        defer { empty_amqp_pool(&pool) }
        var bytes = bytes
        return try bytes.withUnsafeMutableBytes { buffer in
            try decode(amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress), &pool)
        }
    }
}

extension SeededGenerator {
    /// A value of any type, nested at most `depth` levels.
    mutating func fieldValue(depth: Int) -> FieldValue {
        switch Int.random(in: 0..<(depth > 0 ? 18 : 16), using: &self) {
        case 0: .bool(.random(using: &self))
        case 1: .int8(.random(in: .min ... .max, using: &self))
        case 2: .uint8(.random(in: .min ... .max, using: &self))
        case 3: .int16(.random(in: .min ... .max, using: &self))
        case 4: .uint16(.random(in: .min ... .max, using: &self))
        case 5: .int32(.random(in: .min ... .max, using: &self))
        case 6: .uint32(.random(in: .min ... .max, using: &self))
        case 7: .int64(.random(in: .min ... .max, using: &self))
        case 8: .uint64(.random(in: .min ... .max, using: &self))
        case 9: .float(.random(in: -1e6...1e6, using: &self))
        case 10: .double(.random(in: -1e9...1e9, using: &self))
        case 11:
            .decimal(scale: .random(in: .min ... .max, using: &self), value: .random(in: .min ... .max, using: &self))
        case 12: .string(bytes(Int.random(in: 0...40, using: &self)))
        case 13: .bytes(bytes(Int.random(in: 0...40, using: &self)))
        case 14: .timestamp(.random(in: .min ... .max, using: &self))
        case 15: .void
        case 16: .array(list { $0.fieldValue(depth: depth - 1) })
        default: .table(fieldTable(depth: depth - 1))
        }
    }

    mutating func fieldTable(depth: Int) -> FieldTable {
        FieldTable(
            list { generator in
                let name = generator.bytes(Int.random(in: 0...20, using: &generator))
                return FieldTable.Field(name: ShortString(bytes: name), value: generator.fieldValue(depth: depth))
            })
    }

    private mutating func list<Value>(_ make: (inout SeededGenerator) -> Value) -> [Value] {
        (0..<Int.random(in: 0...5, using: &self)).map { _ in make(&self) }
    }
}
