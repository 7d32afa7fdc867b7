// JSON as it stands in the text. Foundation's decoder loses what a task must keep: the order of headers, repeated keys,
// 1 beside 1.0. It also takes ten times as long, which counts at a line a task.

/// A JSON value. Texts are UTF-8 in bytes, compared byte by byte.
enum JSONValue: Equatable, Sendable {
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
    var kind: String {
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

/// A key and its value in an object.
struct JSONMember: Equatable, Sendable {
    var key: [UInt8]
    var value: JSONValue

    /// The key, to be shown.
    var name: String { String(decoding: key, as: UTF8.self) }
}

extension [JSONMember] {
    /// The first key that has stood before; nil when each stands once.
    var repeatedKey: String? {
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
