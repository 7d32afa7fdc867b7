// Text in the syntax of mdoc(7): the escapes and the macro lines that the manual pages are put together from.

import Text

/// Writes mdoc source. A line starting with a dot calls a macro, all others are filled into paragraphs.
enum Mdoc {
    /// Prose as source lines: a new line for each sentence, and a macro line for each word in backquotes.
    static func lines(prose: String) -> [String] {
        var lines: [String] = []
        var sentence: [String] = []
        func finishSentence() {
            guard !sentence.isEmpty else { return }
            lines.append(protected(sentence.joined(separator: " ")))
            sentence = []
        }
        let words = prose.proseWords
        for (index, word) in words.enumerated() {
            if let text = word.plainText {
                sentence.append(escaped(prose: text))
                let next = index + 1 < words.count ? words[index + 1] : []
                if text.endsSentence, !next.startsInLowerCase { finishSentence() }
            } else {
                finishSentence()
                lines.append(macroLine(word))
            }
        }
        finishSentence()
        return lines
    }

    /// A script or a file, as it is.
    static func literal(_ script: String) -> [String] {
        [".Bd -literal -offset indent"] + lines(script: script) + [".Ed"]
    }

    /// Lines of a script, to stand between `.Bd -literal` and `.Ed`.
    static func lines(script: String) -> [String] {
        script.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let end = line.lastIndex { $0 != " " && $0 != "\t" }.map { line.index(after: $0) } ?? line.startIndex
            return protected(escaped(literal: String(line[..<end])))
        }
    }

    /// Literal words as the end of a sentence: a, b or c.
    static func alternatives(_ words: [String]) -> [String] {
        var lines = words.enumerated().map { index, word in
            let end = index + 1 == words.count ? " ." : index + 2 == words.count ? "" : " ,"
            return ".Ql \(argument(word))\(end)"
        }
        if lines.count > 1 { lines.insert("or", at: lines.count - 1) }
        return lines
    }

    /// One argument of a macro that stands for exactly `text`, even where mdoc knows a macro or a delimiter of that
    /// name.
    static func argument(_ text: String) -> String {
        let escaped = escaped(literal: text).replacing("\"", with: "\\(dq")
        let guarded = text.looksLikeMacro || text.isDelimiter ? "\\&" + escaped : escaped
        return guarded.isEmpty || guarded.contains(where: \.isWhitespace) ? "\"\(guarded)\"" : guarded
    }

    /// The macro that shows an option's spelling; mdoc writes the first dash itself.
    static func flag(_ spelling: String) -> String {
        "Fl " + argument(String(spelling.dropFirst()))
    }

    /// A title as the arguments of `.Sh` or `.Ss`.
    static func heading(_ title: String) -> String {
        title.split(separator: " ").map { word in
            let escaped = escaped(prose: String(word)).replacing("\"", with: "\\(dq")
            return String(word).looksLikeMacro || String(word).isDelimiter ? "\\&" + escaped : escaped
        }.joined(separator: " ")
    }

    /// A literal word with what is attached to it: `.Ql --lines ,`.
    private static func macroLine(_ word: [ProsePiece]) -> String {
        var pieces = word[...]
        var lead = "Ql"
        if case .plain(let text)? = pieces.first {
            lead = ["(", "["].contains(text) ? "Ql \(text)" : "Pf \(argument(text)) Ql"
            pieces.removeFirst()
        }
        if case .literal(let literal)? = pieces.first, pieces.dropFirst().allSatisfy(\.isPunctuation) {
            return ".\(lead) \(argument(literal))" + punctuation(pieces.dropFirst())
        }
        // .Ql would take what follows .Ns into its quotes, so here they are closed by hand.
        let calls = word.map { piece in
            switch piece {
            case .literal(let literal): "So \(argument(literal)) Sc"
            case .plain(let text): "No \(argument(text))"
            }
        }
        return "." + calls.joined(separator: " Ns ")
    }

    private static func punctuation(_ pieces: ArraySlice<ProsePiece>) -> String {
        guard case .plain(let text)? = pieces.first else { return "" }
        return text.map { " \($0)" }.joined()
    }

    /// A text line that isn't taken for a macro.
    private static func protected(_ line: String) -> String {
        line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
    }

    /// Characters that must come out as they are: formatters make typographic ones of plain dashes and quotes.
    private static func escaped(literal text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            default: escaped(scalar)
            }
        }.joined()
    }

    /// A word of prose; its dashes are hyphens unless they belong to an option.
    private static func escaped(prose word: String) -> String {
        let scalars = Array(word.unicodeScalars)
        return scalars.enumerated().map { index, scalar in
            let isHyphen = index > 0 && scalars[index - 1].properties.isAlphabetic
            return scalar == "-" && !isHyphen ? "\\-" : escaped(scalar)
        }.joined()
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        if scalar == "\\" { return "\\e" }
        guard !scalar.isASCII else { return String(scalar) }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
    }
}

extension String {
    /// The text's words, each in pieces: a literal with blanks inside is still one word.
    fileprivate var proseWords: [[ProsePiece]] {
        var words: [[ProsePiece]] = []
        var isAttached = false
        for piece in prosePieces {
            switch piece {
            case .literal:
                if isAttached { words[words.count - 1].append(piece) } else { words.append([piece]) }
                isAttached = true
            case .plain(let text):
                let parts = text.split(omittingEmptySubsequences: false, whereSeparator: \.isWhitespace).map(
                    String.init)
                for (index, part) in parts.enumerated() where !part.isEmpty {
                    if index == 0, isAttached {
                        words[words.count - 1].append(.plain(part))
                    } else {
                        words.append([.plain(part)])
                    }
                }
                isAttached = parts.last != ""
            }
        }
        return words
    }

    fileprivate var endsSentence: Bool {
        let text = reversed().drop { ")\"'".contains($0) }
        guard let mark = text.first, ".!?".contains(mark) else { return false }
        return !["e.g.", "i.e.", "etc.", "cf.", "vs.", "..."].contains { String(text.reversed()).hasSuffix($0) }
    }

    fileprivate var isDelimiter: Bool { count == 1 && ".,:;()[]?!|".contains(self) }

    /// Macros are named like `Ql`, `D1` or `%T`.
    fileprivate var looksLikeMacro: Bool {
        guard (2...3).contains(count), let first else { return false }
        return (first.isUppercase || first == "%") && dropFirst().contains { $0.isLowercase || $0.isNumber }
            || first == "%"
    }
}

extension ProsePiece {
    fileprivate var isPunctuation: Bool {
        guard case .plain(let text) = self else { return false }
        return text.allSatisfy { ".,:;)]?!".contains($0) }
    }
}

extension [ProsePiece] {
    /// The word's text where nothing in it is literal.
    fileprivate var plainText: String? {
        guard count == 1, case .plain(let text)? = first else { return nil }
        return text
    }

    fileprivate var startsInLowerCase: Bool {
        guard case .plain(let text)? = first else { return false }
        return text.first?.isLowercase ?? false
    }
}
