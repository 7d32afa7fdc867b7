// The small language of conditions: columns, numbers, comparisons, `and`, `or`, `not`, parentheses.

import Management

/// What may or may not hold of a queue: `messages_ready > 100 and consumers == 0`.
indirect enum QueueExpression: Equatable {
    enum Comparison: String {
        case equal = "=="
        case unequal = "!="
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case less = "<"
        case greater = ">"
    }

    enum Term: Equatable {
        case column(QueueColumn)
        case number(Double)
    }

    case comparison(Term, Comparison, Term)
    case and(QueueExpression, QueueExpression)
    case or(QueueExpression, QueueExpression)
    case not(QueueExpression)

    /// Whether an expression holds: a number that the broker hasn't reported may make that unknown.
    enum Truth {
        case holds, fails, unknown
    }

    /// The columns whose values it needs, each once, in the order of the text.
    var columns: [QueueColumn] {
        switch self {
        case .comparison(let left, _, let right):
            [left, right].compactMap { if case .column(let column) = $0 { column } else { nil } }.withoutRepeats
        case .and(let left, let right), .or(let left, let right): (left.columns + right.columns).withoutRepeats
        case .not(let inner): inner.columns
        }
    }

    /// Whether it holds of a queue whose columns have these values.
    func truth(_ value: (QueueColumn) -> QueueValue) -> Truth {
        switch self {
        case .comparison(let left, let comparison, let right):
            guard let left = left.number(value), let right = right.number(value) else { return .unknown }
            return comparison.holds(left, right) ? .holds : .fails
        case .and(let left, let right):
            let both = [left.truth(value), right.truth(value)]
            return both.contains(.fails) ? .fails : both.contains(.unknown) ? .unknown : .holds
        case .or(let left, let right):
            let both = [left.truth(value), right.truth(value)]
            return both.contains(.holds) ? .holds : both.contains(.unknown) ? .unknown : .fails
        case .not(let inner):
            switch inner.truth(value) {
            case .holds: return .fails
            case .fails: return .holds
            case .unknown: return .unknown
            }
        }
    }
}

extension QueueExpression.Term {
    fileprivate func number(_ value: (QueueColumn) -> QueueValue) -> Double? {
        switch self {
        case .number(let number): number
        case .column(let column): value(column).number
        }
    }
}

extension QueueExpression.Comparison {
    fileprivate func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .equal: left == right
        case .unequal: left != right
        case .lessOrEqual: left <= right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .greater: left > right
        }
    }
}
