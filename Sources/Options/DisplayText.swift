// Makes text that came from elsewhere fit to be shown on a terminal.

extension String {
    /// The text with control characters shown as `\xNN`, so that a message can't move the cursor or break a line.
    package var escapedForDisplay: String {
        // Nearly all text is plain, and asking Unicode for a character's category takes long.
        if utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isUnsafeToDisplay {
                for byte in String(scalar).utf8 {
                    result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Whether the character could move the cursor, hide text or reverse its order: C0, DEL, C1, line separators and
    /// the format characters, to which the bidirectional overrides belong.
    package var isUnsafeToDisplay: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}
