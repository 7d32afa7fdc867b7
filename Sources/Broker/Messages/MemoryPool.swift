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

    /// Room for `count` values. Throws when memory is short: an empty name in a message would lead it elsewhere.
    private func allocate<Value>(
        _ type: Value.Type, count: Int
    ) throws(BrokerError) -> UnsafeMutablePointer<Value> {
        guard let room = amqp_pool_alloc(pool, max(1, count * MemoryLayout<Value>.stride)) else {
            throw BrokerError("encode a frame", .outOfResources, scope: .client, "no memory")
        }
        return room.bindMemory(to: type, capacity: count)
    }

    /// A copy of `bytes` in the pool.
    func bytes(_ bytes: [UInt8]) throws(BrokerError) -> amqp_bytes_t {
        guard !bytes.isEmpty else { return amqp_bytes_t() }
        let copy = try allocate(UInt8.self, count: bytes.count)
        copy.initialize(from: bytes, count: bytes.count)
        return amqp_bytes_t(len: bytes.count, bytes: copy)
    }

    func bytes(_ text: ShortString) throws(BrokerError) -> amqp_bytes_t { try bytes(text.bytes) }

    /// A copy of `table` in the pool.
    func table(_ table: FieldTable) throws(BrokerError) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
        let entries = try allocate(amqp_table_entry_t.self, count: table.fields.count)
        for (index, field) in table.fields.enumerated() {
            (entries + index).initialize(
                to: amqp_table_entry_t(key: try bytes(field.name), value: try value(field.value)))
        }
        return amqp_table_t(num_entries: Int32(table.fields.count), entries: entries)
    }

    private func value(_ value: FieldValue) throws(BrokerError) -> amqp_field_value_t {
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
            field.value.bytes = try bytes(text)
        case .bytes(let data):
            kind = AMQP_FIELD_KIND_BYTES
            field.value.bytes = try bytes(data)
        case .timestamp(let seconds):
            kind = AMQP_FIELD_KIND_TIMESTAMP
            field.value.u64 = seconds
        case .array(let values):
            kind = AMQP_FIELD_KIND_ARRAY
            field.value.array = try array(values)
        case .table(let nested):
            kind = AMQP_FIELD_KIND_TABLE
            field.value.table = try table(nested)
        case .void:
            kind = AMQP_FIELD_KIND_VOID
        }
        field.kind = UInt8(kind.rawValue)
        return field
    }

    private func array(_ values: [FieldValue]) throws(BrokerError) -> amqp_array_t {
        let entries = try allocate(amqp_field_value_t.self, count: values.count)
        for (index, element) in values.enumerated() {
            (entries + index).initialize(to: try value(element))
        }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    /// `properties` as librabbitmq takes them, strings and headers in the pool.
    func properties(_ properties: MessageProperties) throws(BrokerError) -> amqp_basic_properties_t {
        var encoded = amqp_basic_properties_t()
        for property in MessageProperty.all { try property.encode(properties, self, &encoded) }
        return encoded
    }
}
