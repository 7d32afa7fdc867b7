// What the management API says of a queue in one column.

import JSON

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

extension QueueValue {
    init(json: JSONValue) {
        switch json {
        case .null: self = .unknown
        case .bool(let flag): self = .flag(flag)
        case .integer(let value): self = .integer(Int(value))
        case .unsigned(let value): self = .number(Double(value))
        // Most rates are whole numbers, which RabbitMQ writes as 0.0.
        case .double(let value): self = Int(exactly: value).map(QueueValue.integer) ?? .number(value)
        case .text(let text): self = .text(String(decoding: text, as: UTF8.self))
        case .array(let values): self = .list(values.map(QueueValue.init(json:)))
        case .object(let members):
            self = .table(Dictionary(members.map { ($0.name, QueueValue(json: $0.value)) }) { first, _ in first })
        }
    }
}
