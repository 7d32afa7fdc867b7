// Reads conditions on queues, and says where one goes wrong.

import Management
import Options

extension QueueExpression {
    /// Why a text is no expression.
    struct Fault: Error, Equatable {
        /// Where, counting characters from 1.
        var position: Int
        var reason: String
    }

    /// Reads `messages_ready > 100 and (consumers == 0 or not messages < 1000)`. `and` binds tighter than `or`, `not`
    /// tighter than both; `=` means `==`, and `&&`, `||` and `!` are understood too.
    init(_ text: String) throws(Fault) {
        var parser = Parser(tokens: try Token.all(in: text), end: text.count + 1)
        self = try parser.disjunction()
        if let next = parser.next { throw Fault(position: next.position, reason: "expected and, or, or the end") }
    }

    private struct Token {
        enum Kind: Equatable {
            case word(String)
            case number(Double)
            case comparison(Comparison)
            case and, or, not, open, close
        }

        var kind: Kind
        var position: Int

        private static let symbols: [(text: String, kind: Kind)] = [
            ("==", .comparison(.equal)), ("!=", .comparison(.unequal)), ("<=", .comparison(.lessOrEqual)),
            (">=", .comparison(.greaterOrEqual)), ("=", .comparison(.equal)), ("<", .comparison(.less)),
            (">", .comparison(.greater)), ("&&", .and), ("||", .or), ("!", .not), ("(", .open), (")", .close),
        ]

        static func all(in text: String) throws(Fault) -> [Token] {
            var tokens: [Token] = []
            var rest = text[...]
            var position = 1
            while let first = rest.first {
                var length = 1
                defer {
                    rest = rest.dropFirst(length)
                    position += length
                }
                if first.isWhitespace {
                    continue
                } else if let symbol = symbols.first(where: { rest.hasPrefix($0.text) }) {
                    tokens.append(Token(kind: symbol.kind, position: position))
                    length = symbol.text.count
                } else {
                    let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "-" }
                    guard !word.isEmpty else {
                        throw Fault(position: position, reason: "unexpected \"\(first)\"")
                    }
                    tokens.append(Token(kind: try kind(String(word), at: position), position: position))
                    length = word.count
                }
            }
            return tokens
        }

        private static func kind(_ word: String, at position: Int) throws(Fault) -> Kind {
            switch word {
            case "and": return .and
            case "or": return .or
            case "not": return .not
            default: break
            }
            guard let first = word.first, first.isNumber || first == "-" || first == "." else { return .word(word) }
            guard word.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }), let number = Double(word)
            else { throw Fault(position: position, reason: "\"\(word)\" is no number") }
            return .number(number)
        }
    }

    private struct Parser {
        /// Parentheses and `not`s within each other, beyond which a text is refused rather than followed.
        private static let depthLimit = 100

        var tokens: [Token]
        /// The position behind the text.
        let end: Int
        private var index = 0
        private var depth = 0

        init(tokens: [Token], end: Int) {
            self.tokens = tokens
            self.end = end
        }

        var next: Token? { index < tokens.count ? tokens[index] : nil }
        private var position: Int { next?.position ?? end }

        mutating func disjunction() throws(Fault) -> QueueExpression {
            var result = try conjunction()
            while take(.or) { result = .or(result, try conjunction()) }
            return result
        }

        private mutating func conjunction() throws(Fault) -> QueueExpression {
            var result = try negation()
            while take(.and) { result = .and(result, try negation()) }
            return result
        }

        private mutating func negation() throws(Fault) -> QueueExpression {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.depthLimit else { throw Fault(position: position, reason: "too many parentheses") }
            if take(.not) { return .not(try negation()) }
            if take(.open) {
                let inner = try disjunction()
                guard take(.close) else { throw Fault(position: position, reason: "expected )") }
                return inner
            }
            let left = try term()
            guard case .comparison(let comparison) = next?.kind else {
                throw Fault(position: position, reason: "expected a comparison such as ==, < or >=")
            }
            index += 1
            return .comparison(left, comparison, try term())
        }

        private mutating func term() throws(Fault) -> Term {
            defer { index += 1 }
            switch next?.kind {
            case .number(let number): return .number(number)
            case .word(let name): return .column(try column(name))
            default: throw Fault(position: position, reason: "expected a column or a number")
            }
        }

        private func column(_ name: String) throws(Fault) -> QueueColumn {
            let numeric = QueueColumn.all.filter { $0.kind == .count || $0.kind == .number }
            if let column = numeric.first(where: { $0.name == name }) { return column }
            guard QueueColumn.named(name) == nil else {
                throw Fault(position: position, reason: "the column \(name) holds no numbers")
            }
            let names = numeric.map(\.name)
            let hint =
                Suggestion.nearest(to: name, among: names).map { "did you mean \($0)?" }
                ?? "there are \(names.joined(separator: ", "))"
            throw Fault(position: position, reason: "no column is called \"\(name)\"; \(hint)")
        }

        private mutating func take(_ kind: Token.Kind) -> Bool {
            guard next?.kind == kind else { return false }
            index += 1
            return true
        }
    }
}
