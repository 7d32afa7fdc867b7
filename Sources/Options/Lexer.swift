// Splits the words of a command line into options and operands, without knowing what they mean.

/// One argument as the system passed it: bytes, because not every argument is text.
package typealias Word = [UInt8]

/// One meaningful piece of a command line.
package enum Token: Equatable {
    /// An option, by the spelling that was used (`--jobs`, `-j`), with its value unless it is a switch.
    case option(spelling: String, value: String?)
    /// A word that is neither an option nor an option's value.
    case operand(String)
    /// Everything after `--`, byte for byte. The last token, when there is one.
    case rest([Word])
}

/// The GNU rules: `--x=v`, `--x v`, `-xv`, `-x v`, bundled switches, `--` ends options, a lone `-` is an operand.
package struct Lexer {
    /// Whether an option takes a value.
    package enum Shape {
        case flag, value
        /// A number, which may be left out: a word behind it that isn't one is another's.
        case optionalNumber
    }

    /// Answers for a spelling (`--jobs`, `-j`) which shape it has, nil for an unknown option.
    let shape: (_ spelling: String) -> Shape?
    /// All spellings, to suggest one for a mistyped option.
    let spellings: [String]

    package init(spellings: [String], shape: @escaping (String) -> Shape?) {
        self.spellings = spellings
        self.shape = shape
    }

    /// All tokens of `words`.
    package func tokens(of words: [Word]) throws(UsageError) -> [Token] {
        var tokens: [Token] = []
        var remaining = words[...]
        while !remaining.isEmpty {
            try appendNext(from: &remaining, to: &tokens)
        }
        return tokens
    }

    /// Takes one word, and the one behind it where that is its value, from the front of `words`.
    package func appendNext(from words: inout ArraySlice<Word>, to tokens: inout [Token]) throws(UsageError) {
        guard let word = words.popFirst() else { return }
        if word == Array("--".utf8) {
            tokens.append(.rest(Array(words)))
            words = []
        } else if word.starts(with: "--".utf8) {
            tokens.append(try longOption(word, words: &words))
        } else if word.first == UInt8(ascii: "-"), word.count > 1 {
            try appendShortOptions(word, words: &words, to: &tokens)
        } else {
            tokens.append(.operand(try Self.text(word)))
        }
    }

    private func longOption(_ word: Word, words: inout ArraySlice<Word>) throws(UsageError) -> Token {
        let text = try Self.text(word)
        // Scalars, since = and a combining mark at the start of the value would be one character.
        let parts = text.unicodeScalars.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        let spelling = parts[0]
        let attached = parts.count == 2 ? parts[1] : nil
        switch shape(spelling) {
        case nil:
            throw unknown(spelling)
        case .flag:
            guard attached == nil else { throw UsageError("\(spelling) takes no value") }
            return .option(spelling: spelling, value: nil)
        case .value:
            if let attached { return .option(spelling: spelling, value: attached) }
            return .option(spelling: spelling, value: try Self.value(of: spelling, from: &words))
        case .optionalNumber:
            return .option(spelling: spelling, value: attached ?? Self.number(from: &words))
        }
    }

    private func appendShortOptions(
        _ word: Word, words: inout ArraySlice<Word>, to tokens: inout [Token]
    ) throws(UsageError) {
        var letters = try Self.text(word).unicodeScalars.dropFirst()
        while let letter = letters.popFirst() {
            let spelling = "-\(letter)"
            switch shape(spelling) {
            case nil:
                throw unknown(spelling)
            case .flag:
                tokens.append(.option(spelling: spelling, value: nil))
            case .optionalNumber:
                tokens.append(
                    .option(spelling: spelling, value: letters.isEmpty ? Self.number(from: &words) : String(letters)))
                return
            case .value:
                let value = letters.isEmpty ? try Self.value(of: spelling, from: &words) : String(letters)
                tokens.append(.option(spelling: spelling, value: value))
                return
            }
        }
    }

    private func unknown(_ spelling: String) -> UsageError {
        let isNumber = spelling.unicodeScalars.dropFirst().first.map { ("0"..."9").contains($0) } == true
        let hint =
            isNumber
            ? "; a number below zero, like all that begins with - and is no option, goes behind --"
            : Suggestion.hint(for: spelling, among: spellings).map { "; \($0)" } ?? ""
        return UsageError("unknown option \(spelling.escapedForDisplay)\(hint)")
    }

    private static func value(of spelling: String, from words: inout ArraySlice<Word>) throws(UsageError) -> String {
        guard let next = words.popFirst() else { throw UsageError("\(spelling) needs a value") }
        return try text(next)
    }

    private static func number(from words: inout ArraySlice<Word>) -> String? {
        guard let next = words.first, !next.isEmpty, next.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        words.removeFirst()
        return String(decoding: next, as: UTF8.self)
    }

    /// A word as text. Words that aren't UTF-8 are refused rather than repaired: a repaired name is another name.
    static func text(_ word: Word) throws(UsageError) -> String {
        guard let text = String(validating: word, as: UTF8.self) else {
            throw UsageError("\"\(String(decoding: word, as: UTF8.self).escapedForDisplay)\" is not valid UTF-8")
        }
        return text
    }
}
