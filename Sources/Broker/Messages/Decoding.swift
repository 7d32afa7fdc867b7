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

extension MessageProperties {
    init(_ encoded: amqp_basic_properties_t) {
        func has(_ flag: Int32) -> Bool { encoded._flags & amqp_flags_t(flag) != 0 }
        func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> ShortString? { has(flag) ? ShortString(bytes) : nil }
        self.init()
        contentType = text(AMQP_BASIC_CONTENT_TYPE_FLAG, encoded.content_type)
        contentEncoding = text(AMQP_BASIC_CONTENT_ENCODING_FLAG, encoded.content_encoding)
        headers = has(AMQP_BASIC_HEADERS_FLAG) ? FieldTable(encoded.headers) : nil
        deliveryMode = has(AMQP_BASIC_DELIVERY_MODE_FLAG) ? encoded.delivery_mode : nil
        priority = has(AMQP_BASIC_PRIORITY_FLAG) ? encoded.priority : nil
        correlationID = text(AMQP_BASIC_CORRELATION_ID_FLAG, encoded.correlation_id)
        replyTo = text(AMQP_BASIC_REPLY_TO_FLAG, encoded.reply_to)
        expiration = text(AMQP_BASIC_EXPIRATION_FLAG, encoded.expiration)
        messageID = text(AMQP_BASIC_MESSAGE_ID_FLAG, encoded.message_id)
        timestamp = has(AMQP_BASIC_TIMESTAMP_FLAG) ? encoded.timestamp : nil
        type = text(AMQP_BASIC_TYPE_FLAG, encoded.type)
        userID = text(AMQP_BASIC_USER_ID_FLAG, encoded.user_id)
        appID = text(AMQP_BASIC_APP_ID_FLAG, encoded.app_id)
        clusterID = text(AMQP_BASIC_CLUSTER_ID_FLAG, encoded.cluster_id)
    }
}
