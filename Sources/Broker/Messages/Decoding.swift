// Copies what librabbitmq decoded out of its pools, which die with the next `amqp_maybe_release_buffers`.

import CRabbitMQ

extension ShortString {
    init(_ bytes: amqp_bytes_t) {
        self.init(bytes: Array(bytes))
    }
}

extension String {
    /// The text, invalid UTF-8 replaced: to be shown.
    init(shown bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }
}

extension [UInt8] {
    init(_ bytes: amqp_bytes_t) {
        self.init(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
    }
}

extension FieldTable {
    /// How deep tables and arrays may nest before the rest is left out: any publisher can send thousands of levels, and
    /// each needs stack.
    private static let maximumDepth = 64

    init(headers table: amqp_table_t) {
        self.init(table)
    }

    init(_ table: amqp_table_t, depth: Int = 0) {
        self.init()
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            fields.append(Field(name: ShortString(entry.key), value: Self.value(entry.value, depth: depth)))
        }
    }

    private static func value(_ field: amqp_field_value_t, depth: Int) -> FieldValue {
        let value = field.value
        switch amqp_field_value_kind_t(rawValue: .init(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: return .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I8: return .int8(value.i8)
        case AMQP_FIELD_KIND_U8: return .uint8(value.u8)
        case AMQP_FIELD_KIND_I16: return .int16(value.i16)
        case AMQP_FIELD_KIND_U16: return .uint16(value.u16)
        case AMQP_FIELD_KIND_I32: return .int32(value.i32)
        case AMQP_FIELD_KIND_U32: return .uint32(value.u32)
        case AMQP_FIELD_KIND_I64: return .int64(value.i64)
        case AMQP_FIELD_KIND_U64: return .uint64(value.u64)
        case AMQP_FIELD_KIND_F32: return .float(value.f32)
        case AMQP_FIELD_KIND_F64: return .double(value.f64)
        case AMQP_FIELD_KIND_DECIMAL: return .decimal(scale: value.decimal.decimals, value: value.decimal.value)
        case AMQP_FIELD_KIND_UTF8: return .string(Array(value.bytes))
        case AMQP_FIELD_KIND_BYTES: return .bytes(Array(value.bytes))
        case AMQP_FIELD_KIND_TIMESTAMP: return .timestamp(value.u64)
        case AMQP_FIELD_KIND_TABLE where depth < maximumDepth: return .table(FieldTable(value.table, depth: depth + 1))
        case AMQP_FIELD_KIND_ARRAY where depth < maximumDepth:
            let entries = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
            return .array(entries.map { Self.value($0, depth: depth + 1) })
        default: return .void
        }
    }
}
