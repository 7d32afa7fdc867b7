// The small language of conditions: names, numbers, texts, comparisons, `and`, `or`, `not`, parentheses.

import Posix

/// What may or may not hold of something whose figures have names: `messages_ready > 100 and consumers == 0` of a
/// queue, `p99 > 50ms` of a bench's run.
///
/// What the names are, and what each holds, is a `Vocabulary`.
indirect enum Expression<Name: Hashable>: Equatable {
    enum Term: Equatable {
        case name(Name)
        case number(Double)
        case text(String)
        case flag(Bool)
        case pattern(RegularExpression)
        /// So many times what the name holds.
        case multiple(Name, Double)
    }

    case comparison(Term, Comparison, Term)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case not(Expression)

    /// The names whose values it needs, each once, in the order of the text.
    var names: [Name] {
        switch self {
        case .comparison(let left, _, let right): [left, right].compactMap(\.name).withoutRepeats
        case .and(let left, let right), .or(let left, let right): (left.names + right.names).withoutRepeats
        case .not(let inner): inner.names
        }
    }

    /// Whether it holds where the names have these values.
    func truth(_ value: (Name) -> ExpressionValue) -> Truth {
        switch self {
        case .comparison(let left, let comparison, let right):
            comparison.truth(left, right, value)
        case .and(let left, let right): left.truth(value) && right.truth(value)
        case .or(let left, let right): left.truth(value) || right.truth(value)
        case .not(let inner): !inner.truth(value)
        }
    }
}

extension Expression.Term {
    fileprivate var name: Name? {
        switch self {
        case .name(let name), .multiple(let name, _): name
        case .number, .text, .flag, .pattern: nil
        }
    }

    fileprivate func value(_ value: (Name) -> ExpressionValue) -> ExpressionValue {
        switch self {
        case .name(let name): return value(name)
        case .number(let number): return .number(number)
        case .text(let text): return .text(text)
        case .flag(let flag): return .flag(flag)
        case .pattern: return .unknown
        case .multiple(let name, let factor):
            guard case .number(let number) = value(name) else { return .unknown }
            return .number(number * factor)
        }
    }
}

/// What a name holds. What isn't known is never 0, nor an empty text.
enum ExpressionValue: Equatable {
    case unknown
    case number(Double)
    case text(String)
    case flag(Bool)
}

/// Whether an expression holds: a value that nobody has told may make that unknown.
enum Truth {
    case holds, fails, unknown

    init(_ holds: Bool) { self = holds ? .holds : .fails }

    static prefix func ! (truth: Truth) -> Truth {
        switch truth {
        case .holds: .fails
        case .fails: .holds
        case .unknown: .unknown
        }
    }

    static func && (left: Truth, right: Truth) -> Truth {
        left == .fails || right == .fails ? .fails : left == .unknown || right == .unknown ? .unknown : .holds
    }

    static func || (left: Truth, right: Truth) -> Truth { !(!left && !right) }
}

/// How two values are compared.
enum Comparison: String, CaseIterable {
    case equal = "=="
    case unequal = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case matches = "=~"
    case matchesNot = "!~"
    case less = "<"
    case greater = ">"

    /// Those that need an order, which only numbers have here.
    var needsNumbers: Bool { [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(self) }
    var needsPattern: Bool { self == .matches || self == .matchesNot }

    /// Values of different kinds can't be compared, which is unknown too.
    fileprivate func truth<Name>(
        _ left: Expression<Name>.Term, _ right: Expression<Name>.Term, _ value: (Name) -> ExpressionValue
    ) -> Truth {
        if case .pattern(let pattern) = right {
            guard case .text(let text) = left.value(value) else { return .unknown }
            return Truth(pattern.matches(text) == (self == .matches))
        }
        switch (left.value(value), right.value(value)) {
        case (.number(let left), .number(let right)): return Truth(holds(left, right))
        // By bytes: to Swift's strings, texts that differ may be equal.
        case (.text(let left), .text(let right)): return equality(left.utf8.elementsEqual(right.utf8))
        case (.flag(let left), .flag(let right)): return equality(left == right)
        default: return .unknown
        }
    }

    private func equality(_ areEqual: Bool) -> Truth {
        switch self {
        case .equal: Truth(areEqual)
        case .unequal: Truth(!areEqual)
        default: .unknown
        }
    }

    private func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .equal: left == right
        case .unequal: left != right
        case .lessOrEqual: left <= right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .greater: left > right
        case .matches, .matchesNot: false
        }
    }
}
