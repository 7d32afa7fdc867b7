// Memory that librabbitmq reads from while it encodes a frame.

import CRabbitMQ

/// An arena for names, tables and properties on their way out. What it hands out lives until `recycle()` or its end.
struct MemoryPool: ~Copyable {
    private let pool: UnsafeMutablePointer<amqp_pool_t>

    init() {
        pool = .allocate(capacity: 1)
        init_amqp_pool(pool, 4096)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deinitialize(count: 1)
        pool.deallocate()
    }

    /// Takes back all that was handed out, keeping the pages.
    func recycle() {
        recycle_amqp_pool(pool)
    }

    /// Room for `count` values, nil when memory is short.
    private func allocate<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value>? {
        amqp_pool_alloc(pool, max(1, count * MemoryLayout<Value>.stride))?.bindMemory(to: type, capacity: count)
    }

    /// A copy of `bytes` in the pool; empty when memory is short.
    func bytes(_ bytes: [UInt8]) -> amqp_bytes_t {
        guard !bytes.isEmpty, let copy = allocate(UInt8.self, count: bytes.count) else { return amqp_bytes_t() }
        copy.initialize(from: bytes, count: bytes.count)
        return amqp_bytes_t(len: bytes.count, bytes: copy)
    }

    func bytes(_ text: ShortString) -> amqp_bytes_t { bytes(text.bytes) }

    /// A copy of `table` in the pool.
    func table(_ table: FieldTable) -> amqp_table_t {
        guard !table.isEmpty, let entries = allocate(amqp_table_entry_t.self, count: table.fields.count) else {
            return amqp_table_t(num_entries: 0, entries: nil)
        }
        for (index, field) in table.fields.enumerated() {
            (entries + index).initialize(to: amqp_table_entry_t(key: bytes(field.name), value: value(field.value)))
        }
        return amqp_table_t(num_entries: Int32(table.fields.count), entries: entries)
    }

    private func value(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        let kind: amqp_field_value_kind_t
        switch value {
        case .bool(let flag):
            kind = AMQP_FIELD_KIND_BOOLEAN
            field.value.boolean = flag ? 1 : 0
        case .int8(let number):
            kind = AMQP_FIELD_KIND_I8
            field.value.i8 = number
        case .uint8(let number):
            kind = AMQP_FIELD_KIND_U8
            field.value.u8 = number
        case .int16(let number):
            kind = AMQP_FIELD_KIND_I16
            field.value.i16 = number
        case .uint16(let number):
            kind = AMQP_FIELD_KIND_U16
            field.value.u16 = number
        case .int32(let number):
            kind = AMQP_FIELD_KIND_I32
            field.value.i32 = number
        case .uint32(let number):
            kind = AMQP_FIELD_KIND_U32
            field.value.u32 = number
        case .int64(let number):
            kind = AMQP_FIELD_KIND_I64
            field.value.i64 = number
        case .uint64(let number):
            kind = AMQP_FIELD_KIND_U64
            field.value.u64 = number
        case .float(let number):
            kind = AMQP_FIELD_KIND_F32
            field.value.f32 = number
        case .double(let number):
            kind = AMQP_FIELD_KIND_F64
            field.value.f64 = number
        case .decimal(let scale, let number):
            kind = AMQP_FIELD_KIND_DECIMAL
            field.value.decimal = amqp_decimal_t(decimals: scale, value: number)
        case .string(let text):
            kind = AMQP_FIELD_KIND_UTF8
            field.value.bytes = bytes(text)
        case .bytes(let data):
            kind = AMQP_FIELD_KIND_BYTES
            field.value.bytes = bytes(data)
        case .timestamp(let seconds):
            kind = AMQP_FIELD_KIND_TIMESTAMP
            field.value.u64 = seconds
        case .array(let values):
            kind = AMQP_FIELD_KIND_ARRAY
            field.value.array = array(values)
        case .table(let nested):
            kind = AMQP_FIELD_KIND_TABLE
            field.value.table = table(nested)
        case .void:
            kind = AMQP_FIELD_KIND_VOID
        }
        field.kind = UInt8(kind.rawValue)
        return field
    }

    private func array(_ values: [FieldValue]) -> amqp_array_t {
        guard let entries = allocate(amqp_field_value_t.self, count: values.count) else {
            return amqp_array_t(num_entries: 0, entries: nil)
        }
        for (index, element) in values.enumerated() {
            (entries + index).initialize(to: value(element))
        }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    /// `properties` as librabbitmq takes them, strings and headers in the pool.
    func properties(_ properties: MessageProperties) -> amqp_basic_properties_t {
        var encoded = amqp_basic_properties_t()
        func set(_ value: ShortString?, _ flag: Int32, _ path: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
            guard let value else { return }
            encoded._flags |= amqp_flags_t(flag)
            encoded[keyPath: path] = bytes(value)
        }
        set(properties.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, \.content_type)
        set(properties.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, \.content_encoding)
        set(properties.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, \.correlation_id)
        set(properties.replyTo, AMQP_BASIC_REPLY_TO_FLAG, \.reply_to)
        set(properties.expiration, AMQP_BASIC_EXPIRATION_FLAG, \.expiration)
        set(properties.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, \.message_id)
        set(properties.type, AMQP_BASIC_TYPE_FLAG, \.type)
        set(properties.userID, AMQP_BASIC_USER_ID_FLAG, \.user_id)
        set(properties.appID, AMQP_BASIC_APP_ID_FLAG, \.app_id)
        set(properties.clusterID, AMQP_BASIC_CLUSTER_ID_FLAG, \.cluster_id)
        if let headers = properties.headers {
            encoded._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
            encoded.headers = table(headers)
        }
        if let deliveryMode = properties.deliveryMode {
            encoded._flags |= amqp_flags_t(AMQP_BASIC_DELIVERY_MODE_FLAG)
            encoded.delivery_mode = deliveryMode
        }
        if let priority = properties.priority {
            encoded._flags |= amqp_flags_t(AMQP_BASIC_PRIORITY_FLAG)
            encoded.priority = priority
        }
        if let timestamp = properties.timestamp {
            encoded._flags |= amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG)
            encoded.timestamp = timestamp
        }
        return encoded
    }
}
