// Conditions on queues: the columns by their names.

import Management

/// What may or may not hold of a queue: `messages_ready > 100 and state != "running"`.
typealias QueueExpression = Expression<QueueColumn>

extension QueueExpression {
    init(_ text: String) throws(ExpressionFault) {
        try self.init(text, .queueColumns)
    }

    /// Whether it holds of a queue whose columns have these values.
    func truth(_ value: (QueueColumn) -> QueueValue) -> Truth {
        truth { ExpressionValue(value($0)) }
    }
}

extension Vocabulary<QueueColumn> {
    static var queueColumns: Self {
        // Most conditions are about numbers.
        let names = QueueColumn.all.filter { $0.kind.isNumeric } + QueueColumn.all.filter { !$0.kind.isNumeric }
        return Self(
            noun: "column",
            meaning: { word in
                guard let column = QueueColumn.named(word) else { return .nothing }
                guard let kind = ExpressionKind(column) else {
                    return .incomparable("the column \(word) holds no single value to compare")
                }
                return .name(column, kind)
            },
            known: names.filter { $0.kind != .structure }.map(\.name))
    }
}

extension ExpressionKind {
    /// nil for what can't be compared.
    fileprivate init?(_ column: QueueColumn) {
        switch column.kind {
        case .count, .number: self = .number(.plain)
        case .bytes: self = .number(.size)
        case .seconds: self = .number(.time)
        case .text: self = .text
        case .flag: self = .flag
        case .structure: return nil
        }
    }
}

extension ExpressionValue {
    fileprivate init(_ value: QueueValue) {
        switch value {
        case .integer(let number): self = .number(Double(number))
        case .number(let number): self = .number(number)
        case .text(let text): self = .text(text)
        case .flag(let flag): self = .flag(flag)
        case .unknown, .list, .table: self = .unknown
        }
    }
}
