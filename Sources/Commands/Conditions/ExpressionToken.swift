// Cuts the text of an expression into its words and symbols.

/// Why a text is no expression.
struct ExpressionFault: Error, Equatable {
    /// Where, counting characters from 1.
    var position: Int
    var reason: String
}

/// A word or symbol of an expression.
struct ExpressionToken {
    enum Kind: Equatable {
        case word(String)
        /// What begins as a number does; which unit it may have, the name beside it decides.
        case number(String)
        case text(String)
        case comparison(Comparison)
        case and, or, not, open, close
    }

    var kind: Kind
    var position: Int

    // Longer ones first: they are read in this order.
    private static let symbols: [(text: String, kind: Kind)] =
        Comparison.allCases.filter { $0.rawValue.utf8.count > 1 }.map { ($0.rawValue, .comparison($0)) } + [
            ("=", .comparison(.equal)), ("<", .comparison(.less)), (">", .comparison(.greater)), ("&&", .and),
            ("||", .or), ("!", .not), ("(", .open), (")", .close),
        ]

    /// The tokens of a text. By scalars: a combining mark must not hide a quote.
    static func all(in text: String) throws(ExpressionFault) -> [ExpressionToken] {
        let scalars = Array(text.unicodeScalars)
        var tokens: [ExpressionToken] = []
        var index = 0
        while index < scalars.count {
            let rest = scalars[index...]
            let first = rest[index]
            if first.properties.isWhitespace {
                index += 1
            } else if let symbol = symbols.first(where: { rest.starts(with: $0.text.unicodeScalars) }) {
                tokens.append(ExpressionToken(kind: symbol.kind, position: index + 1))
                index += symbol.text.utf8.count
            } else if first == "\"" || first == "'" {
                let position = index + 1
                tokens.append(ExpressionToken(kind: .text(try quoted(scalars, &index)), position: position))
            } else {
                let word = rest.prefix(while: \.isPartOfExpressionWord)
                guard !word.isEmpty else {
                    throw ExpressionFault(position: index + 1, reason: "unexpected \"\(first)\"")
                }
                let text = String(String.UnicodeScalarView(word))
                tokens.append(ExpressionToken(kind: kind(text), position: index + 1))
                index += word.count
            }
        }
        return tokens
    }

    private static func kind(_ word: String) -> Kind {
        switch word {
        case "and": .and
        case "or": .or
        case "not": .not
        default:
            switch word.unicodeScalars.first {
            case "-", "+", ".", "%": .number(word)
            case let first? where first.properties.numericType != nil: .number(word)
            default: .word(word)
            }
        }
    }

    /// A text between quotes of one kind, in which that kind is doubled. Backslashes are left to regular expressions.
    private static func quoted(_ scalars: [Unicode.Scalar], _ index: inout Int) throws(ExpressionFault) -> String {
        let start = index
        let quote = scalars[start]
        var text = String.UnicodeScalarView()
        index += 1
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if scalar == quote {
                guard index < scalars.count, scalars[index] == quote else { return String(text) }
                index += 1
            }
            text.append(scalar)
        }
        throw ExpressionFault(position: start + 1, reason: "the text that begins here has no closing \(quote)")
    }
}

extension Unicode.Scalar {
    fileprivate var isPartOfExpressionWord: Bool {
        switch self {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-", "+", "%": true
        default: !isASCII && !properties.isWhitespace
        }
    }
}
