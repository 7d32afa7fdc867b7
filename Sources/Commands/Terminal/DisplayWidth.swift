// How many columns of a terminal a text takes.

extension String {
    /// Terminal columns, for text without control characters: none for a combining mark, two for a wide character.
    var displayWidth: Int {
        unicodeScalars.reduce(0) { $0 + $1.displayWidth }
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
}

extension Unicode.Scalar {
    /// The blocks that Unicode's East Asian Width calls wide or full-width, and emoji.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
    ]

    fileprivate var displayWidth: Int {
        guard value >= 0x300 else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return Self.wideRanges.contains { $0.contains(value) } ? 2 : 1
        }
    }
}
