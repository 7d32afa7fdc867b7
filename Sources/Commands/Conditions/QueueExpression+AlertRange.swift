// Conditions as monitoring plugins write ranges.

import Management

extension QueueExpression {
    /// The values of a column for which the expression alone holds, as a range of the monitoring plugins' guidelines:
    /// `100` for more than 100 where nothing is negative, `10:` for less than 10, `@` for what lies within. nil where
    /// more decides than one comparison of the column with a number.
    func alertRange(of column: QueueColumn) -> String? {
        let ranges = alternatives?.compactMap { $0.ownRange(of: column) } ?? []
        return ranges.count == 1 ? ranges[0] : nil
    }

    /// The comparisons of which one is enough; nil where they are joined in another way.
    private var alternatives: [QueueExpression]? {
        switch self {
        case .comparison: return [self]
        case .or(let left, let right):
            guard let left = left.alternatives, let right = right.alternatives else { return nil }
            return left + right
        case .and, .not: return nil
        }
    }

    private func ownRange(of column: QueueColumn) -> String? {
        switch self {
        case .comparison(.name(column), let comparison, .number(let number)):
            comparison.range(number.plainText)
        case .comparison(.number(let number), let comparison, .name(column)):
            comparison.reversed.range(number.plainText)
        default: nil
        }
    }
}

extension Comparison {
    /// The comparison with its sides exchanged.
    fileprivate var reversed: Self {
        switch self {
        case .equal, .unequal, .matches, .matchesNot: self
        case .less: .greater
        case .greater: .less
        case .lessOrEqual: .greaterOrEqual
        case .greaterOrEqual: .lessOrEqual
        }
    }

    fileprivate func range(_ number: String) -> String? {
        switch self {
        case .greater: number
        case .greaterOrEqual: "@\(number):"
        case .less: "\(number):"
        case .lessOrEqual: "@0:\(number)"
        case .equal: "@\(number):\(number)"
        case .unequal: "\(number):\(number)"
        case .matches, .matchesNot: nil
        }
    }
}

extension Double {
    /// Digits with a point at most: no exponent, which many readers of performance data don't know.
    var plainText: String {
        guard isFinite, magnitude < 9e12 else { return magnitude < 9e18 ? "\(Int(self))" : "U" }
        let millionths = Int((magnitude * 1e6).rounded())
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        var fraction = String(rest + 1_000_000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return (self < 0 && millionths > 0 ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }
}
