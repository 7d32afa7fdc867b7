// How texts in quotes are read: most of JSON's bytes are theirs.

extension JSONReader {
    /// Passes a text in quotes, up to its first escape if there is one. Returns whether there was none.
    mutating func skipText() throws(Malformed) -> Bool {
        position += 1
        let start = position
        let isASCII = try skipPlainText()
        guard peek == UInt8(ascii: "\"") else { return false }
        if !isASCII { _ = try utf8(Array(bytes[start..<position]), from: start) }
        position += 1
        return true
    }

    mutating func text() throws(Malformed) -> [UInt8] {
        let start = position + 1
        // Most texts have no escapes and are copied in one go.
        if try skipText() { return Array(bytes[start..<position - 1]) }
        var result = Array(bytes[start..<position])
        while !take(UInt8(ascii: "\"")) {
            position += 1
            try appendEscape(to: &result)
            let start = position
            _ = try skipPlainText()
            result += bytes[start..<position]
        }
        return try utf8(result, from: start)
    }

    /// Passes what stands for itself, up to a quote or a backslash, and returns whether all of it is ASCII.
    private mutating func skipPlainText() throws(Malformed) -> Bool {
        var seen: UInt64 = 0
        // A variable of its own can be in a register.
        var index = position
        defer { position = index }
        let words = UnsafeRawBufferPointer(bytes)
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: words.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let plain = word.plainBytes
            seen |= word & ~(.max << (8 * plain))
            index += plain
            if plain < 8 { break }
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return seen & .highBits == 0 }
            if byte < 0x20 { break }
            seen |= UInt64(byte)
            index += 1
        }
        position = index
        throw malformed(
            index < bytes.count
                ? "a control character in a text, where only \\u00NN may stand" : "no quote that ends the text")
    }

    private func utf8(_ text: [UInt8], from start: Int) throws(Malformed) -> [UInt8] {
        guard text.isValidUTF8 else { throw Malformed(reason: "a text that isn't UTF-8", column: start) }
        return text
    }

    /// Reads what follows a backslash.
    private mutating func appendEscape(to result: inout [UInt8]) throws(Malformed) {
        guard let byte = peek else { throw malformed("no quote that ends the text") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"): result += String(try escapedCharacter()).utf8
        default:
            position -= 1
            throw malformed("\(found) after a backslash")
        }
    }

    /// Reads the digits of `\uNNNN`, and the other half of a surrogate pair.
    private mutating func escapedCharacter() throws(Malformed) -> Unicode.Scalar {
        var code = UInt32(try hexadecimal())
        if (0xD800...0xDBFF).contains(code), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let low = UInt32(try hexadecimal())
            guard (0xDC00...0xDFFF).contains(low) else { throw malformed("half a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(Malformed) -> UInt16 {
        let end = position + 4
        hasRunOut = end > bytes.count
        guard end <= bytes.count, bytes[position..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw malformed("no four hexadecimal digits after \\u") }
        position = end
        return code
    }
}

extension UInt64 {
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101
    /// Of each byte, the one that ASCII doesn't use.
    fileprivate static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// How many of the eight bytes, from the lowest one, stand for themselves in a text of JSON.
    ///
    /// What a subtraction borrows spoils no byte below the first that is found.
    fileprivate var plainBytes: Int {
        let quotes = (self ^ 0x22 * Self.lowBits).zeroBytes
        let backslashes = (self ^ 0x5C * Self.lowBits).zeroBytes
        let controls = (self &- 0x20 * Self.lowBits) & ~self & Self.highBits
        return (quotes | backslashes | controls).trailingZeroBitCount / 8
    }

    /// The high bit of the lowest byte that is 0, and maybe of some above it.
    private var zeroBytes: UInt64 { (self &- Self.lowBits) & ~self & Self.highBits }
}
