// Where lines of help may be broken: synopses, commands of a shell, and one-line summaries.

import Text

extension String {
    /// The synopsis cut at blanks, but not inside brackets and not between an option and its value.
    var synopsisUnits: [String] {
        var units: [String] = []
        var depth = 0
        for word in split(separator: " ").map(String.init) {
            let isValue = units.last.map { $0.hasPrefix("-") && $0 != "--" && !$0.contains(" ") } ?? false
            if depth > 0 || (isValue && word.isPlaceholder) {
                units[units.count - 1] += " " + word
            } else {
                units.append(word)
            }
            depth += word.count { $0 == "[" } - word.count { $0 == "]" }
        }
        return units
    }

    /// Whether the word stands for something else, as upper case says.
    var isPlaceholder: Bool {
        contains { $0.isLetter } && !contains { $0.isLowercase } && !hasPrefix("-") && !hasPrefix("[")
    }

    /// A line of shell in lines of at most `width` characters, joined by backslashes, with no break inside quotes.
    ///
    /// A line with a comment stays as it is, and so does one of a crontab, which knows no such backslash.
    func shellLines(width: Int) -> [String] {
        let isCrontab = first.map { "@*0123456789".contains($0) } ?? false
        guard count > width, !isCrontab, !contains(" #") else { return [self] }
        let indent = String(prefix { $0 == " " })
        let lines = shellUnits.filled(width: width - indent.count - 6)
        return lines.enumerated().map { index, line in
            (index == 0 ? indent : indent + "    ") + line + (index + 1 < lines.count ? " \\" : "")
        }
    }

    /// The words of a line of shell, an option together with what may be its value.
    private var shellUnits: [String] {
        var units: [String] = []
        for word in shellWords {
            if let last = units.last, last.hasPrefix("--"), last.count > 2, !last.contains(" "), !word.hasPrefix("-") {
                units[units.count - 1] += " " + word
            } else {
                units.append(word)
            }
        }
        return units
    }

    /// The words of a line of shell with the quotes they have.
    private var shellWords: [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for character in self {
            if character == " ", quote == nil {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            }
            word.append(character)
        }
        return word.isEmpty ? words : words + [word]
    }

    /// The text on one line of at most `width` characters: all of it, its first clause, or as many words as fit.
    func shortened(to width: Int) -> String {
        if count <= width { return self }
        if let end = range(of: "; ")?.lowerBound, self[..<end].count <= width { return String(self[..<end]) }
        let dots = "..."
        return (filled(width: width - dots.count).first ?? "") + dots
    }
}
