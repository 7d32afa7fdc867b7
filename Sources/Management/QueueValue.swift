// What the management API says of a queue in one column.

/// A value in a queue's column. What the broker hasn't reported is unknown, never 0.
package enum QueueValue: Equatable, Sendable {
    case unknown
    case integer(Int)
    case number(Double)
    case text(String)
    case flag(Bool)
    case list([QueueValue])
    case table([String: QueueValue])

    /// The number that a numeric value is.
    package var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The whole number that a value is.
    package var integer: Int? {
        if case .integer(let value) = self { value } else { nil }
    }
}

extension QueueValue: Decodable {
    package init(from decoder: any Decoder) throws {
        self = try Self(decoder.singleValueContainer())
    }

    private init(_ container: any SingleValueDecodingContainer) throws {
        if container.decodeNil() {
            self = .unknown
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let values = try? container.decode([QueueValue].self) {
            self = .list(values)
        } else {
            self = .table(try container.decode([String: QueueValue].self))
        }
    }
}
