// How many columns of a terminal a text takes.

extension String {
    /// Terminal columns, for text without control characters: none for a combining mark, two for a wide character.
    var displayWidth: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return unicodeScalars.reduce(0) { $0 + $1.displayWidth }
    }

    /// As much of the front as fits into `width` columns; what is cut ends in `…`.
    func truncated(toDisplayWidth width: Int) -> String {
        guard displayWidth > width else { return self }
        guard width > 0 else { return "" }
        var result = ""
        var used = 0
        for scalar in unicodeScalars {
            guard used + scalar.displayWidth <= width - 1 else { break }
            used += scalar.displayWidth
            result.unicodeScalars.append(scalar)
        }
        return result + "…"
    }

    /// The text, cut or filled up with spaces to exactly `width` columns.
    func padded(toDisplayWidth width: Int) -> String {
        let text = truncated(toDisplayWidth: width)
        return text + String(repeating: " ", count: max(0, width - text.displayWidth))
    }

    /// The text with some characters replaced. It goes by scalars: a combining mark behind a quote must not hide it.
    func replacing(_ table: [Unicode.Scalar: String]) -> String {
        guard unicodeScalars.contains(where: { table[$0] != nil }) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            if let text = table[scalar] { result += text } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// The blocks that Unicode 17's East Asian Width calls wide or full-width, except emoji: which of those are wide
    /// the standard library's own data says. The last two are reserved for more of the kind.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2630...0x2637, 0x268A...0x268F, 0x2E80...0x303E, 0x3041...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60,
        0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1D300...0x1D376, 0x1F200...0x1F265,
        0x1FA70...0x1FAFF, 0x20000...0x3FFFD,
    ]
    /// Two of these make a flag, each of them is narrow.
    private static let regionalIndicators: ClosedRange<UInt32> = 0x1F1E6...0x1F1FF

    fileprivate var displayWidth: Int {
        guard value >= 0x300 else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        if Self.wideRanges.contains(where: { $0.contains(value) }) { return 2 }
        return properties.isEmojiPresentation && !Self.regionalIndicators.contains(value) ? 2 : 1
    }
}
