// Reads JSON text (RFC 8259), strictly.

/// Reads one JSON value from bytes.
package struct JSONReader {
    /// Why a text isn't JSON.
    package struct Malformed: Error, Equatable {
        /// What was found, or wasn't.
        package var reason: String
        /// In bytes, from 1.
        package var column: Int
    }

    /// How deep arrays and objects may nest: a task's headers need three levels for each of AMQP's, of which 64 are read.
    private static let maximumDepth = 256

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The value that `text` is, with nothing but white space around it.
    package static func value(of text: [UInt8]) throws(Malformed) -> JSONValue {
        // The reader doesn't outlive the closure, and neither does its pointer.
        try text.withUnsafeBufferPointer { buffer throws(Malformed) in
            var reader = JSONReader(buffer)
            return try reader.wholeValue()
        }
    }

    private mutating func wholeValue() throws(Malformed) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw malformed("\(found) after the end") }
        return value
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw malformed("more than \(Self.maximumDepth) levels") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"): return try number()
        case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): return try number()
        default: throw malformed("\(found) instead of a value")
        }
    }

    private mutating func members(depth: Int) throws(Malformed) -> [JSONMember] {
        var members: [JSONMember] = []
        position += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw malformed("\(found) instead of a key in quotes") }
            let key = try text()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed("\(found) instead of a colon") }
            members.append(JSONMember(key: key, value: try value(depth: depth)))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed("\(found) instead of a comma or }") }
        return members
    }

    private mutating func elements(depth: Int) throws(Malformed) -> [JSONValue] {
        var elements: [JSONValue] = []
        position += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed("\(found) instead of a comma or ]") }
        return elements
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            bytes[position..<end].elementsEqual(
                UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { throw malformed("\(found) instead of a value") }
        position = end
        return value
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let hasLeadingZero = peek == UInt8(ascii: "0")
        let digits = try digits()
        guard digits == 1 || !hasLeadingZero else { throw malformed("a number with a zero before it") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            _ = try self.digits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            _ = try self.digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger {
            if let value = Int64(text) { return .integer(value) }
            if let value = UInt64(text) { return .unsigned(value) }
            throw malformed("a whole number that 64 bits can't hold")
        }
        guard let value = Double(text), value.isFinite else { throw malformed("a number that is too large") }
        return .double(value)
    }

    /// Passes one digit or more, and returns how many.
    private mutating func digits() throws(Malformed) -> Int {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw malformed("\(found) instead of a digit") }
        return position - start
    }

    // MARK: - Texts

    private mutating func text() throws(Malformed) -> [UInt8] {
        position += 1
        let start = position
        // Most texts have no escapes and are copied in one go.
        try skipPlainText()
        if peek == UInt8(ascii: "\"") {
            position += 1
            return try utf8(Array(bytes[start..<position - 1]), from: start)
        }
        var result = Array(bytes[start..<position])
        while !take(UInt8(ascii: "\"")) {
            position += 1
            try appendEscape(to: &result)
            let start = position
            try skipPlainText()
            result += bytes[start..<position]
        }
        return try utf8(result, from: start)
    }

    /// Passes what stands for itself, up to a quote or a backslash.
    private mutating func skipPlainText() throws(Malformed) {
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else { throw malformed("a control character in a text, where only \\u00NN may stand") }
            position += 1
        }
        guard position < bytes.count else { throw malformed("no quote that ends the text") }
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
        guard end <= bytes.count, bytes[position..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt16(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else { throw malformed("no four hexadecimal digits after \\u") }
        position = end
        return code
    }

    // MARK: - Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C {
            position += 1
        }
    }

    /// What stands at the position, for a message.
    private var found: String {
        guard position < bytes.count else { return "the end" }
        // A character of several bytes is shown whole.
        return "\"\(String(decoding: bytes[position...].prefix(4), as: UTF8.self).prefix(1))\""
    }

    private func malformed(_ reason: String) -> Malformed { Malformed(reason: reason, column: position + 1) }
}
