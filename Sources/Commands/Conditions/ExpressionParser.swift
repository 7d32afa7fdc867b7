// Reads expressions, and says where one goes wrong and what would fit.

import Options
import Posix

extension Expression {
    /// Reads `messages_ready > 100 and (state != "running" or not messages < 1000)` with the names of `vocabulary`.
    ///
    /// `and` binds tighter than `or`, `not` tighter than both; `=` means `==`, and `&&`, `||` and `!` are understood
    /// too.
    init(_ text: String, _ vocabulary: Vocabulary<Name>) throws(ExpressionFault) {
        var parser = ExpressionParser(
            tokens: try ExpressionToken.all(in: text), end: text.unicodeScalars.count + 1, vocabulary: vocabulary)
        self = try parser.expression()
    }
}

private struct ExpressionParser<Name: Hashable> {
    typealias Term = Expression<Name>.Term
    typealias Side = ExpressionSide<Name>

    /// Parentheses and `not`s within each other, beyond which a text is refused rather than followed.
    private static var depthLimit: Int { 100 }

    private let tokens: [ExpressionToken]
    /// The position behind the text.
    private let end: Int
    private let vocabulary: Vocabulary<Name>
    private var index = 0
    private var depth = 0

    init(tokens: [ExpressionToken], end: Int, vocabulary: Vocabulary<Name>) {
        self.tokens = tokens
        self.end = end
        self.vocabulary = vocabulary
    }

    private var next: ExpressionToken? { index < tokens.count ? tokens[index] : nil }
    private var position: Int { next?.position ?? end }

    mutating func expression() throws(ExpressionFault) -> Expression<Name> {
        let result = try disjunction()
        guard next == nil else { throw fault("expected and, or, or the end") }
        return result
    }

    private mutating func disjunction() throws(ExpressionFault) -> Expression<Name> {
        var result = try conjunction()
        while take(.or) { result = .or(result, try conjunction()) }
        return result
    }

    private mutating func conjunction() throws(ExpressionFault) -> Expression<Name> {
        var result = try negation()
        while take(.and) { result = .and(result, try negation()) }
        return result
    }

    private mutating func negation() throws(ExpressionFault) -> Expression<Name> {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw fault("too many parentheses") }
        if take(.not) { return .not(try negation()) }
        if take(.open) {
            let inner = try disjunction()
            guard take(.close) else { throw fault("expected )") }
            return inner
        }
        return try comparison()
    }

    private mutating func take(_ kind: ExpressionToken.Kind) -> Bool {
        guard next?.kind == kind else { return false }
        index += 1
        return true
    }

    private func fault(_ reason: String, at position: Int? = nil) -> ExpressionFault {
        ExpressionFault(position: position ?? self.position, reason: reason)
    }

    // MARK: - Comparisons

    private mutating func comparison() throws(ExpressionFault) -> Expression<Name> {
        let left = try side()
        let operatorPosition = position
        guard case .comparison(let comparison) = next?.kind else {
            if let reason = left.strayReason { throw fault(reason, at: left.position) }
            throw fault("expected a comparison such as ==, < or >=")
        }
        index += 1
        let right = try side()
        try checkNames(left, right)
        if let reason = Self.complaint(comparison, left, right) { throw fault(reason, at: operatorPosition) }
        try checkKinds(left, right)
        guard !comparison.needsPattern else {
            return .comparison(try term(left, beside: right), comparison, try pattern(right))
        }
        return .comparison(try term(left, beside: right), comparison, try term(right, beside: left))
    }

    private mutating func side() throws(ExpressionFault) -> Side {
        guard let token = next else { throw fault(expectedSide) }
        let meaning: Side.Meaning
        switch token.kind {
        case .number(let text): meaning = .number(text)
        case .text(let text): meaning = .text(text)
        case .word("true"): meaning = .flag(true)
        case .word("false"): meaning = .flag(false)
        case .word(let word):
            switch vocabulary.meaning(word) {
            case .name(let name, let kind): meaning = .name(name, kind, word)
            case .incomparable(let reason): throw fault(reason)
            case .nothing: meaning = .stray(word, reason: strayReason(word))
            }
        default: throw fault(expectedSide)
        }
        index += 1
        return Side(meaning: meaning, position: token.position)
    }

    private var expectedSide: String { "expected a \(vocabulary.noun), a number or a text in quotes" }

    private func strayReason(_ word: String) -> String {
        let hint =
            Suggestion.column(for: word, among: vocabulary.known).map { "did you mean \($0)?" }
            ?? "there are \(vocabulary.known.joined(separator: ", "))"
        return "no \(vocabulary.noun) is called \"\(word)\"; \(hint)"
    }

    /// Shells take quotes away, so a text may come as a word that names nothing.
    private func checkNames(_ left: Side, _ right: Side) throws(ExpressionFault) {
        for (side, other) in [(left, right), (right, left)] {
            guard case .stray(let word, let reason) = side.meaning else { continue }
            throw fault(
                other.namesText ? "a text is written in quotes: '\"\(word)\"' in a shell" : reason,
                at: side.position)
        }
    }

    /// What an operator can't be used for.
    private static func complaint(_ comparison: Comparison, _ left: Side, _ right: Side) -> String? {
        let contents = [left, right].compactMap(\.content)
        if comparison.needsPattern, let other = contents.first(where: { $0 != .text }) {
            return "\(comparison.rawValue) compares texts, not \(other.plural): there \(other.comparisons) fit"
        }
        if comparison.needsNumbers, let other = contents.first(where: { $0 != .number }) {
            return "\(comparison.rawValue) compares numbers, not \(other.plural): there \(other.comparisons) fit"
        }
        return nil
    }

    /// Refuses sides of which one holds what the other never does.
    private func checkKinds(_ left: Side, _ right: Side) throws(ExpressionFault) {
        guard let first = left.content, let second = right.content, first != second else {
            guard case .name(_, .number(let first), let name) = left.meaning,
                case .name(_, .number(let second), let other) = right.meaning, first != second
            else { return }
            throw fault("\(name) is a \(first.noun), and \(other) a \(second.noun)", at: left.position)
        }
        for (side, other) in [(left, second), (right, first)] {
            guard case .name(_, let kind, let name) = side.meaning else { continue }
            throw fault(
                "\(name) holds no \(other.plural); it is compared with \(kind.expectation)", at: side.position)
        }
        throw fault("\(first.plural) can't be compared with \(second.plural)", at: left.position)
    }

    // MARK: - Terms

    private func term(_ side: Side, beside other: Side) throws(ExpressionFault) -> Term {
        switch side.meaning {
        case .name(let name, _, _): return .name(name)
        case .text(let text): return .text(text)
        case .flag(let flag): return .flag(flag)
        case .number(let text): return try number(text, at: side.position, beside: other)
        case .stray(_, let reason): throw fault(reason, at: side.position)
        }
    }

    private func number(_ text: String, at position: Int, beside other: Side) throws(ExpressionFault) -> Term {
        var quantity = Quantity.plain
        if case .name(let name, let kind, _) = other.meaning {
            if case .number(let named) = kind { quantity = named }
            if let baseline = vocabulary.baseline, text.utf8.last == UInt8(ascii: "%") {
                return .multiple(baseline(name), try factor(text, at: position))
            }
        }
        if let number = quantity.number(text) { return .number(number) }
        let percentage = vocabulary.baseline == nil ? "" : ", or +20% for 20% above the baseline"
        throw fault(
            "\"\(text)\" is no \(quantity.noun); what fits is \(quantity.expectation)\(percentage)", at: position)
    }

    /// `+20%` is 1.2. The sign of a percentage says on which side of the baseline it is.
    private func factor(_ text: String, at position: Int) throws(ExpressionFault) -> Double {
        let digits = text.dropFirst().dropLast()
        guard text.hasPrefix("+") || text.hasPrefix("-") else {
            throw fault("a percentage needs a sign: +20% is 20% above the baseline", at: position)
        }
        guard digits.first?.isNumber == true, let number = Quantity.plain.number(String(digits)) else {
            throw fault("\"\(text)\" is no percentage such as +20% or -10%", at: position)
        }
        return 1 + (text.hasPrefix("-") ? -number : number) / 100
    }

    private func pattern(_ side: Side) throws(ExpressionFault) -> Term {
        guard case .text(let text) = side.meaning else {
            throw fault("expected a regular expression in quotes", at: side.position)
        }
        do {
            return .pattern(try RegularExpression(text))
        } catch {
            throw fault("this is no regular expression: \(error.reason)", at: side.position)
        }
    }
}

/// What stands on one side of a comparison, before the other one is known.
private struct ExpressionSide<Name: Hashable> {
    enum Meaning {
        /// With the word that named it.
        case name(Name, ExpressionKind, String)
        /// A number as it is written.
        case number(String)
        case text(String)
        case flag(Bool)
        /// A word that names nothing, and why it is refused.
        case stray(String, reason: String)
    }

    var meaning: Meaning
    var position: Int

    /// nil where that isn't known before there is a value.
    var content: ExpressionContent? {
        switch meaning {
        case .name(_, let kind, _): kind.content
        case .number: .number
        case .text: .text
        case .flag: .flag
        case .stray: nil
        }
    }

    /// Whether it is a name that holds a text.
    var namesText: Bool { if case .name = meaning { content == .text } else { false } }

    var strayReason: String? { if case .stray(_, let reason) = meaning { reason } else { nil } }
}
