// Base64 (RFC 4648, section 4): bytes as text, for what JSON can't say.

package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    /// The six bits that a character stands for, 64 for those that aren't in the alphabet.
    private static let values = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// Appends the text for `bytes`, padded.
    package static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        let alphabet = alphabet
        text.reserveCapacity(text.count + (bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            let second = count > 1 ? bytes[index + 1] : 0
            let third = count > 2 ? bytes[index + 2] : 0
            let bits = Int(bytes[index]) << 16 | Int(second) << 8 | Int(third)
            text.append(alphabet[bits >> 18])
            text.append(alphabet[bits >> 12 & 63])
            text.append(count > 1 ? alphabet[bits >> 6 & 63] : padding)
            text.append(count > 2 ? alphabet[bits & 63] : padding)
            index += 3
        }
    }

    /// The bytes that `text` stands for; nil unless it is what `append` writes for some bytes.
    package static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let paddingCount = text.reversed().prefix(2).prefix { $0 == padding }.count
        let digits = text.dropLast(paddingCount)
        let values = values
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount = 0
        for character in digits {
            let value = values[Int(character)]
            guard value < 64 else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        }
        // What the last character says beyond the last byte must be nothing.
        return bits & (1 << bitCount - 1) == 0 ? bytes : nil
    }
}
