// Reads and writes the arguments of AMQP methods and the properties of messages, by tables of names and types.

/// The type of a method's argument or a message's property on the wire.
package enum AMQPFieldType: Sendable {
    case octet, short, long, longLong
    /// Neighbouring bits share an octet, the first one lowest.
    case bit
    case shortString, longString
    /// Raw: the table's bytes without its length (`AMQPTable`).
    case table
}

/// A named place for a value, as the specification lists them.
package struct AMQPField: Sendable, Hashable {
    package var name: String
    package var type: AMQPFieldType

    package init(_ name: String, _ type: AMQPFieldType) {
        self.name = name
        self.type = type
    }
}

/// A value of an argument or property. Literals make them: `3`, `true`, `"text"`, `[0xFF, 0x00]`.
package enum AMQPValue: Sendable, Equatable {
    case number(UInt64)
    case flag(Bool)
    /// A short or long string, or a raw table.
    case bytes([UInt8])

    package static func text(_ text: String) -> AMQPValue { .bytes(Array(text.utf8)) }
}

extension AMQPValue: ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral
{
    package init(integerLiteral value: UInt64) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(arrayLiteral elements: UInt8...) { self = .bytes(elements) }
}

/// Values under the names of a field list. Asking for a name that isn't there throws: it is a slip in the test.
package struct AMQPArguments: Sendable, Equatable {
    private(set) var values: [String: AMQPValue]

    /// Checks names, types and ranges against `fields`.
    init(_ values: [String: AMQPValue], for fields: [AMQPField], of owner: String) throws {
        for (name, value) in values {
            guard let field = fields.first(where: { $0.name == name }) else {
                throw Failure("\(owner) has no field \(name), only \(fields.map(\.name))")
            }
            guard field.type.admits(value) else { throw Failure("\(owner): \(name) can't be \(value)") }
        }
        self.values = values
    }

    /// With zero, false or nothing for every field that has no value.
    func filled(_ fields: [AMQPField]) -> AMQPArguments {
        let zeros = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.type.zero) })
        return AMQPArguments(decoded: values.merging(zeros) { given, _ in given })
    }

    fileprivate init(decoded values: [String: AMQPValue]) {
        self.values = values
    }

    package func number(_ name: String) throws -> UInt64 {
        guard case .number(let number) = try value(name) else { throw Failure("\(name) is no number") }
        return number
    }

    package func flag(_ name: String) throws -> Bool {
        guard case .flag(let flag) = try value(name) else { throw Failure("\(name) is no bit") }
        return flag
    }

    /// A string's bytes, or a table's without its length.
    package func bytes(_ name: String) throws -> [UInt8] {
        guard case .bytes(let bytes) = try value(name) else { throw Failure("\(name) is no string or table") }
        return bytes
    }

    /// A string's text; invalid UTF-8 is repaired.
    package func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    private func value(_ name: String) throws -> AMQPValue {
        guard let value = values[name] else { throw Failure("no \(name) among \(values.keys.sorted())") }
        return value
    }
}

extension AMQPFieldType {
    fileprivate func admits(_ value: AMQPValue) -> Bool {
        switch (self, value) {
        case (.octet, .number(let number)): number <= UInt8.max
        case (.short, .number(let number)): number <= UInt16.max
        case (.long, .number(let number)): number <= UInt32.max
        case (.longLong, .number), (.bit, .flag), (.longString, .bytes), (.table, .bytes): true
        case (.shortString, .bytes(let bytes)): bytes.count <= UInt8.max
        default: false
        }
    }

    fileprivate var zero: AMQPValue {
        switch self {
        case .octet, .short, .long, .longLong: .number(0)
        case .bit: .flag(false)
        case .shortString, .longString, .table: .bytes([])
        }
    }
}

/// Takes AMQP values from the front of some bytes. Throws when they run out.
struct AMQPReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    var remaining: [UInt8] { Array(rest) }

    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) throws -> Integer {
        try bytes(Integer.bitWidth / 8).reduce(0) { $0 << 8 | Integer($1) }
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard rest.count >= count else { throw Failure("\(count) bytes due, \(rest.count) there") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// All values of `fields`.
    mutating func arguments(_ fields: [AMQPField]) throws -> AMQPArguments {
        var values: [String: AMQPValue] = [:]
        var bits: UInt8 = 0
        var usedBits = 0
        for field in fields {
            if field.type == .bit {
                if usedBits % 8 == 0 { bits = try integer() }
                values[field.name] = .flag(bits >> (usedBits % 8) & 1 == 1)
                usedBits += 1
            } else {
                usedBits = 0
                values[field.name] = try value(field.type)
            }
        }
        return AMQPArguments(decoded: values)
    }

    private mutating func value(_ type: AMQPFieldType) throws -> AMQPValue {
        switch type {
        case .octet: .number(UInt64(try integer(UInt8.self)))
        case .short: .number(UInt64(try integer(UInt16.self)))
        case .long: .number(UInt64(try integer(UInt32.self)))
        case .longLong: .number(try integer())
        case .bit: .flag(try integer(UInt8.self) & 1 == 1)
        case .shortString: .bytes(try bytes(Int(integer(UInt8.self))))
        case .longString, .table: .bytes(try bytes(Int(integer(UInt32.self))))
        }
    }
}

/// Puts AMQP values one behind the other.
struct AMQPWriter {
    private(set) var bytes: [UInt8] = []

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }

    mutating func append(_ more: [UInt8]) {
        bytes += more
    }

    /// The values of all `fields`; those not given are zero or empty.
    mutating func arguments(_ arguments: AMQPArguments, _ fields: [AMQPField]) {
        var usedBits = 0
        for field in fields {
            let value = arguments.values[field.name] ?? field.type.zero
            if case .flag(let flag) = value {
                if usedBits % 8 == 0 { bytes.append(0) }
                if flag { bytes[bytes.count - 1] |= 1 << UInt8(usedBits % 8) }
                usedBits += 1
            } else {
                usedBits = 0
                append(value, field.type)
            }
        }
    }

    private mutating func append(_ value: AMQPValue, _ type: AMQPFieldType) {
        switch (value, type) {
        case (.number(let number), .octet): integer(UInt8(truncatingIfNeeded: number))
        case (.number(let number), .short): integer(UInt16(truncatingIfNeeded: number))
        case (.number(let number), .long): integer(UInt32(truncatingIfNeeded: number))
        case (.number(let number), _): integer(number)
        case (.bytes(let text), .shortString):
            integer(UInt8(truncatingIfNeeded: text.count))
            append(text)
        case (.bytes(let text), _):
            integer(UInt32(truncatingIfNeeded: text.count))
            append(text)
        case (.flag(let flag), _): integer(UInt8(flag ? 1 : 0))
        }
    }
}
