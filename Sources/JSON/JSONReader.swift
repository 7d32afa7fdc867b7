// Reads JSON text (RFC 8259), strictly, and no more of it than is asked for.

/// Reads JSON from bytes, value by value.
package struct JSONReader {
    /// Why a text isn't JSON.
    package struct Malformed: Error, Equatable {
        /// What was found, or wasn't.
        package var reason: String
        /// In bytes, from 1.
        package var column: Int
    }

    /// How deep arrays and objects may nest: a task's headers need three levels for each of AMQP's, of which 64 are
    /// read.
    private static let maximumDepth = 256

    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    /// Whether what is wrong with the text may be only that it ends too early.
    var hasRunOut = false
    private var depth = 0

    /// Reads from the front of `bytes`, which must outlive the reader.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The value that `text` is, with nothing but white space around it.
    package static func value(of text: [UInt8]) throws(Malformed) -> JSONValue {
        try read(text) { reader throws(Malformed) in try reader.value() }
    }

    /// What `body` reads from `text`, which must hold one value and nothing but white space around it.
    package static func read<Result>(
        _ text: [UInt8], _ body: (inout JSONReader) throws(Malformed) -> Result
    ) throws(Malformed) -> Result {
        // The reader doesn't outlive the closure, and neither does its pointer.
        try text.withUnsafeBufferPointer { buffer throws(Malformed) in
            var reader = JSONReader(buffer)
            let result = try body(&reader)
            reader.skipSpace()
            guard reader.position == buffer.count else { throw reader.malformed("\(reader.found) after the end") }
            return result
        }
    }

    // MARK: - Values

    /// Reads the next value, all of it.
    package mutating func value() throws(Malformed) -> JSONValue {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"):
            var members: [JSONMember] = []
            try object { reader, key throws(Malformed) in
                members.append(JSONMember(key: Array(key), value: try reader.value()))
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try array { reader throws(Malformed) in elements.append(try reader.value()) }
            return .array(elements)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"):
            try skip("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try skip("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try skip("null")
            return .null
        default: return try number()
        }
    }

    /// Passes the next value, which is checked and not decoded.
    package mutating func skip() throws(Malformed) {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): try object { reader, _ throws(Malformed) in try reader.skip() }
        case UInt8(ascii: "["): try array { reader throws(Malformed) in try reader.skip() }
        case UInt8(ascii: "\""):
            let start = position
            guard try !skipText() else { return }
            position = start
            _ = try text()
        case UInt8(ascii: "t"): try skip("true")
        case UInt8(ascii: "f"): try skip("false")
        case UInt8(ascii: "n"): try skip("null")
        default: _ = try skipNumber()
        }
    }

    /// Whether the next value is an object.
    package var isAtObject: Bool {
        mutating get {
            skipSpace()
            return peek == UInt8(ascii: "{")
        }
    }

    /// The next value, if it is a text without anything special in it; nil leaves it to be read.
    package mutating func plainText() throws(Malformed) -> String? {
        skipSpace()
        guard peek == UInt8(ascii: "\"") else { return nil }
        let start = position
        guard try skipText() else {
            position = start
            return nil
        }
        return String(decoding: bytes[start + 1..<position - 1], as: UTF8.self)
    }

    /// Reads the next value, which must be an object. `member` gets each key, and must read or skip the key's value.
    package mutating func object(
        _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(Malformed) -> Void
    ) throws(Malformed) {
        try begin(UInt8(ascii: "{"), "an object")
        if take(UInt8(ascii: "}")) { return end() }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw malformed("\(found) instead of a key in quotes") }
            let start = position
            let isPlain = try skipText()
            let escaped: [UInt8]?
            if isPlain {
                escaped = nil
            } else {
                position = start
                escaped = try text()
            }
            let end = position
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw malformed("\(found) instead of a colon") }
            if let escaped {
                try escaped.withUnsafeBufferPointer { key throws(Malformed) in try member(&self, key) }
            } else {
                try member(&self, UnsafeBufferPointer(rebasing: bytes[start + 1..<end - 1]))
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw malformed("\(found) instead of a comma or }") }
        end()
    }

    /// Reads the next value, which must be an array. `element` must read or skip each element.
    package mutating func array(_ element: (inout JSONReader) throws(Malformed) -> Void) throws(Malformed) {
        try begin(UInt8(ascii: "["), "an array")
        if take(UInt8(ascii: "]")) { return end() }
        repeat {
            try element(&self)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw malformed("\(found) instead of a comma or ]") }
        end()
    }

    private mutating func begin(_ mark: UInt8, _ kind: StaticString) throws(Malformed) {
        skipSpace()
        guard take(mark) else { throw malformed("\(found) instead of \(kind)") }
        depth += 1
        guard depth <= Self.maximumDepth else { throw malformed("more than \(Self.maximumDepth) levels") }
        skipSpace()
    }

    private mutating func end() { depth -= 1 }

    private mutating func skip(_ word: StaticString) throws(Malformed) {
        for index in 0..<word.utf8CodeUnitCount {
            hasRunOut = position + index >= bytes.count
            guard !hasRunOut, bytes[position + index] == word.utf8Start[index] else {
                throw malformed("\(found) instead of a value")
            }
        }
        position += word.utf8CodeUnitCount
    }

    // MARK: - Numbers

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = position
        let isInteger = try skipNumber()
        // Any 18 digits fit, and few numbers have more.
        if isInteger, position - start <= 18 {
            let isNegative = bytes[start] == UInt8(ascii: "-")
            var value: Int64 = 0
            for digit in bytes[(isNegative ? start + 1 : start)..<position] {
                value = value * 10 + Int64(digit - UInt8(ascii: "0"))
            }
            return .integer(isNegative ? -value : value)
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

    /// Passes a number, and returns whether it has neither fraction nor exponent.
    private mutating func skipNumber() throws(Malformed) -> Bool {
        guard take(UInt8(ascii: "-")) || isAtDigit else { throw malformed("\(found) instead of a value") }
        let hasLeadingZero = peek == UInt8(ascii: "0")
        let digits = try skipDigits()
        guard digits == 1 || !hasLeadingZero else { throw malformed("a number with a zero before it") }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            _ = try skipDigits()
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            _ = try skipDigits()
        }
        return isInteger
    }

    /// Passes one digit or more, and returns how many.
    private mutating func skipDigits() throws(Malformed) -> Int {
        let start = position
        while isAtDigit { position += 1 }
        guard position > start else { throw malformed("\(found) instead of a digit") }
        return position - start
    }

    private var isAtDigit: Bool { peek.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false }

    // MARK: - Bytes

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
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
    var found: String {
        guard position < bytes.count else { return "the end" }
        // A character of several bytes is shown whole.
        return "\"\(String(decoding: bytes[position...].prefix(4), as: UTF8.self).prefix(1))\""
    }

    /// The error at this place.
    package mutating func malformed(_ reason: String) -> Malformed {
        hasRunOut = hasRunOut || position >= bytes.count
        return Malformed(reason: reason, column: position + 1)
    }
}
