// JSON as it stands in the text. Foundation's decoder loses what a task must keep: the order of headers, repeated keys,
// 1 beside 1.0. It also takes ten times as long, which counts at a line a task.

/// A JSON value. Texts are UTF-8 in bytes, compared byte by byte.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent.
    case integer(Int64)
    /// The same, beyond the greatest `Int64`.
    case unsigned(UInt64)
    /// A number with a fraction or an exponent; finite.
    case double(Double)
    case text([UInt8])
    case array([JSONValue])
    /// In the order of the text; keys may repeat.
    case object([JSONMember])

    /// The value's type, as it follows "not": `a number`.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer, .unsigned, .double: "a number"
        case .text: "text"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// The value of an object's first member of that key.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.elementsEqual(key.utf8) }?.value
    }

    /// The text that this value is.
    package var string: String? {
        guard case .text(let text) = self else { return nil }
        return String(decoding: text, as: UTF8.self)
    }
}

extension JSONValue {
    package init(_ text: String) { self = .text(Array(text.utf8)) }

    package init(_ number: some FixedWidthInteger) {
        self = Int64(exactly: number).map(JSONValue.integer) ?? .unsigned(UInt64(truncatingIfNeeded: number))
    }

    // What is absent makes no value.

    package init?(_ text: String?) {
        guard let text else { return nil }
        self.init(text)
    }

    package init?(_ flag: Bool?) {
        guard let flag else { return nil }
        self = .bool(flag)
    }

    package init?(_ number: (some FixedWidthInteger)?) {
        guard let number else { return nil }
        self.init(number)
    }

    package init?(_ number: Double?) {
        guard let number else { return nil }
        self = .double(number)
    }
}

/// A key and its value in an object.
package struct JSONMember: Equatable, Sendable {
    package var key: [UInt8]
    package var value: JSONValue

    package init(key: [UInt8], value: JSONValue) {
        self.key = key
        self.value = value
    }

    package init(_ name: String, _ value: JSONValue) {
        self.init(key: Array(name.utf8), value: value)
    }

    /// The key, to be shown.
    package var name: String { String(decoding: key, as: UTF8.self) }
}

extension [JSONMember] {
    /// The first key that has stood before; nil when each stands once.
    package var repeatedKey: String? {
        // Objects with few members are the rule, and need no set.
        if count <= 16 {
            for index in indices where self[..<index].contains(where: { $0.key == self[index].key }) {
                return self[index].name
            }
            return nil
        }
        var seen: Set<[UInt8]> = []
        return first { !seen.insert($0.key).inserted }?.name
    }
}
