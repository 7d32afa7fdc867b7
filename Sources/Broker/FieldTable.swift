// Header tables and arguments: AMQP's typed name-value lists.

/// An AMQP field table, in order. Names may repeat on the wire, so this is a list.
package struct FieldTable: Equatable {
    package struct Field: Equatable {
        package var name: ShortString
        package var value: FieldValue

        package init(name: ShortString, value: FieldValue) {
            self.name = name
            self.value = value
        }
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
        fields.reduce(4) { $0 + 1 + $1.name.bytes.count + $1.value.encodedSize }
    }

    /// The first name that is empty, over 128 bytes (the specification's limit; librabbitmq corrupts a table beyond 255)
    /// or holds a control character; nil when all can be sent.
    package var firstInvalidName: ShortString? {
        for field in fields {
            if !Self.isValid(name: field.name) { return field.name }
            if let nested = field.value.firstInvalidName { return nested }
        }
        return nil
    }

    private static func isValid(name: ShortString) -> Bool {
        !name.isEmpty && name.bytes.count <= 128 && !name.bytes.contains { $0 < 0x20 || $0 == 0x7F }
    }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (ShortString, FieldValue)...) {
        self.init(elements.map { Field(name: $0.0, value: $0.1) })
    }
}

/// A value in a field table: all types that RabbitMQ's dialect of AMQP 0-9-1 knows.
package indirect enum FieldValue: Equatable {
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

    var firstInvalidName: ShortString? {
        switch self {
        case .table(let table): table.firstInvalidName
        case .array(let values): values.lazy.compactMap(\.firstInvalidName).first
        default: nil
        }
    }
}
