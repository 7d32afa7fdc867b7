// Header tables and arguments: AMQP's typed name-value lists.

/// An AMQP field table, in order. Names may repeat on the wire, so this is a list.
package struct FieldTable: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        package var name: ShortString
        package var value: FieldValue

        package init(name: ShortString, value: FieldValue) {
            self.name = name
            self.value = value
        }

        /// Bytes on the wire.
        package var encodedSize: Int { 1 + name.bytes.count + value.encodedSize }
    }

    package var fields: [Field]

    package init(_ fields: [Field] = []) {
        self.fields = fields
    }

    package var isEmpty: Bool { fields.isEmpty }

    /// The first field's value of that name; setting replaces it or appends, setting nil removes all of the name.
    package subscript(name: ShortString) -> FieldValue? {
        get { fields.first { $0.name == name }?.value }
        set {
            guard let newValue else { return fields.removeAll { $0.name == name } }
            if let index = fields.firstIndex(where: { $0.name == name }) {
                fields[index].value = newValue
            } else {
                fields.append(Field(name: name, value: newValue))
            }
        }
    }

    /// Bytes on the wire, the four of the table's own length included.
    package var encodedSize: Int {
        fields.reduce(4) { $0 + $1.encodedSize }
    }

    /// The first name that is empty, over 128 bytes (the specification's limit) or holds a control character; nil when
    /// there is none.
    package var firstInvalidName: ShortString? {
        firstName { name in
            name.isEmpty || name.bytes.count > 128 || name.bytes.contains { $0 < 0x20 || $0 == 0x7F }
        }
    }

    /// The first name over 255 bytes, with which librabbitmq corrupts the table; nil when there is none. Brokers take
    /// all other names, so messages have them.
    var firstUnsendableName: ShortString? {
        firstName { $0.bytes.count > ShortString.maximumCount }
    }

    /// The first name, also in tables within, that `isSought`.
    fileprivate func firstName(where isSought: (ShortString) -> Bool) -> ShortString? {
        for field in fields {
            if isSought(field.name) { return field.name }
            if let nested = field.value.firstName(where: isSought) { return nested }
        }
        return nil
    }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (ShortString, FieldValue)...) {
        self.init(elements.map { Field(name: $0.0, value: $0.1) })
    }
}

/// A value in a field table: all types that RabbitMQ's dialect of AMQP 0-9-1 knows.
package indirect enum FieldValue: Equatable, Sendable {
    case bool(Bool)
    case int8(Int8)
    case uint8(UInt8)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case float(Float)
    case double(Double)
    /// `value` divided by ten to the power of `scale`.
    case decimal(scale: UInt8, value: UInt32)
    /// A long string: usually text, any bytes allowed.
    case string([UInt8])
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    case array([FieldValue])
    case table(FieldTable)
    case void

    package static func text(_ text: String) -> FieldValue { .string(Array(text.utf8)) }

    /// Bytes on the wire, the type's octet included.
    var encodedSize: Int {
        switch self {
        case .void: 1
        case .bool, .int8, .uint8: 2
        case .int16, .uint16: 3
        case .int32, .uint32, .float: 5
        case .decimal: 6
        case .int64, .uint64, .double, .timestamp: 9
        case .string(let bytes), .bytes(let bytes): 5 + bytes.count
        case .array(let values): values.reduce(5) { $0 + $1.encodedSize }
        case .table(let table): 1 + table.encodedSize
        }
    }

    fileprivate func firstName(where isSought: (ShortString) -> Bool) -> ShortString? {
        switch self {
        case .table(let table): return table.firstName(where: isSought)
        case .array(let values):
            for value in values {
                if let name = value.firstName(where: isSought) { return name }
            }
            return nil
        default: return nil
        }
    }
}
