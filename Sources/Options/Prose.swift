// The texts of the tables in pieces: words in backquotes are literal, everything around them is prose.

/// A stretch of a text.
enum ProsePiece: Equatable {
    case plain(String)
    /// What stood between backquotes.
    case literal(String)
}

extension String {
    /// The text cut at its backquotes. A backquote without a partner is a character like any other.
    var prosePieces: [ProsePiece] {
        var parts = split(separator: "`", omittingEmptySubsequences: false).map(String.init)
        if parts.count.isMultiple(of: 2) {
            let unclosed = parts.removeLast()
            parts[parts.count - 1] += "`" + unclosed
        }
        return parts.enumerated().compactMap { index, part in
            if part.isEmpty { return nil }
            return index.isMultiple(of: 2) ? .plain(part) : .literal(part)
        }
    }

    /// The text for readers who see no markup.
    var withoutBackquotes: String { filter { $0 != "`" } }

    /// Whether each backquote has a partner with something between the two.
    var hasBalancedBackquotes: Bool {
        let parts = split(separator: "`", omittingEmptySubsequences: false)
        guard !parts.count.isMultiple(of: 2) else { return false }
        return parts.enumerated().allSatisfy { index, part in index.isMultiple(of: 2) || !part.isEmpty }
    }

    /// A summary, which starts in lower case and has no full stop, as a sentence; a sentence stays as it is.
    ///
    /// Only a plain word gets a capital: `amqp://` isn't spelled with one.
    var asSentence: String {
        let firstWord = prefix { !$0.isWhitespace }
        let isPlain = firstWord.allSatisfy { $0.isLetter || "-,;'!?".contains($0) }
        let start = isPlain ? firstWord.prefix(1).uppercased() : String(firstWord.prefix(1))
        return (start + dropFirst()).withFullStop
    }

    /// The text with a full stop, unless it ends in a mark already.
    package var withFullStop: String { last.map { ".!?:".contains($0) } ?? true ? self : self + "." }

    /// The words of the text in lines of at most `width` characters. A longer word is broken behind commas and slashes,
    /// or gets a line of its own.
    func filled(width: Int) -> [String] {
        split(whereSeparator: \.isWhitespace).flatMap { String($0).pieces(width: width) }.filled(width: width)
    }

    private func pieces(width: Int) -> [String] {
        guard count > width, let end = prefix(width).lastIndex(where: { ",/".contains($0) }) else { return [self] }
        return [String(self[...end])] + String(self[index(after: end)...]).pieces(width: width)
    }
}

extension [String] {
    /// These units in lines of at most `width` characters, without a break inside a unit.
    package func filled(width: Int) -> [String] {
        var lines: [String] = []
        for unit in self {
            if let line = lines.last, line.count + 1 + unit.count <= width {
                lines[lines.count - 1] = line + " " + unit
            } else {
                lines.append(unit)
            }
        }
        return lines
    }

    /// `a`, `a or b`, `a, b or c`.
    var alternatives: String { list(with: "or") }

    /// `a`, `a and b`, `a, b and c`.
    var conjunction: String { list(with: "and") }

    private func list(with word: String) -> String {
        guard count > 1, let last else { return first ?? "" }
        return dropLast().joined(separator: ", ") + " \(word) " + last
    }
}
