// Writes JSON text into a buffer of bytes, on one line.

extension [UInt8] {
    /// Whether these bytes are text. ASCII, which most tasks are, takes one pass without a copy.
    package var isValidUTF8: Bool {
        allSatisfy { $0 < 0x80 } || String(validating: self, as: UTF8.self) != nil
    }

    package mutating func appendJSON(_ ascii: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: ascii.utf8Start, count: ascii.utf8CodeUnitCount))
    }

    /// Appends a text in quotes, which must be UTF-8. Control characters are escaped, those beyond ASCII
    /// too, so that no line ends within and no terminal obeys them.
    package mutating func appendJSON(text: [UInt8]) {
        append(UInt8(ascii: "\""))
        text.withUnsafeBufferPointer { text in
            var start = 0
            for (index, byte) in text.enumerated() where Self.needsEscape(byte) {
                // U+0080 to U+009F are two bytes; others of these values are the ends of letters.
                let isC1 = byte >= 0x80
                guard !isC1 || index > 0 && text[index - 1] == 0xC2 else { continue }
                append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<(isC1 ? index - 1 : index)]))
                appendEscape(of: byte)
                start = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        }
        append(UInt8(ascii: "\""))
    }

    package mutating func appendJSON(_ number: some BinaryInteger) {
        append(contentsOf: String(number).utf8)
    }

    /// Appends a finite number so that it reads back as the same one, and not as a whole number.
    package mutating func appendJSON(_ number: Double) {
        append(contentsOf: number.description.utf8)
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || 0x7F...0x9F ~= byte
    }

    private mutating func appendEscape(of byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            let digits: StaticString = "0123456789abcdef"
            appendJSON("u00")
            append(digits.utf8Start[Int(byte >> 4)])
            append(digits.utf8Start[Int(byte & 15)])
        }
    }
}

extension [UInt8] {
    /// Appends a value, on one line.
    package mutating func appendJSON(_ value: JSONValue) {
        switch value {
        case .null: appendJSON("null")
        case .bool(let flag): appendJSON(flag ? "true" : "false")
        case .integer(let number): appendJSON(number)
        case .unsigned(let number): appendJSON(number)
        case .double(let number): appendJSON(number)
        case .text(let text): appendJSON(text: text)
        case .array(let values): appendJSONArray(values) { $0.appendJSON($1) }
        case .object(let members):
            appendJSONObject(members) { json, member in
                json.appendJSON(text: member.key)
                json.append(UInt8(ascii: ":"))
                json.appendJSON(member.value)
            }
        }
    }

    /// Appends an array of items that `write` appends.
    @inlinable public mutating func appendJSONArray<Item>(_ items: [Item], _ write: (inout Self, Item) -> Void) {
        appendParts(items, UInt8(ascii: "["), UInt8(ascii: "]"), write)
    }

    /// Appends an object of members that `write` appends, each with its key, and a colon.
    @inlinable public mutating func appendJSONObject<Member>(_ members: [Member], _ write: (inout Self, Member) -> Void)
    {
        appendParts(members, UInt8(ascii: "{"), UInt8(ascii: "}"), write)
    }

    @inlinable mutating func appendParts<Part>(
        _ parts: [Part], _ open: UInt8, _ close: UInt8, _ write: (inout Self, Part) -> Void
    ) {
        append(open)
        for (index, part) in parts.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            write(&self, part)
        }
        append(close)
    }

    /// Appends a value for people to read: each member and element on a line of its own, two spaces deeper than what it
    /// belongs to.
    package mutating func appendIndentedJSON(_ value: JSONValue, depth: Int = 0) {
        switch value {
        case .array(let values) where !values.isEmpty:
            append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                beginLine(depth: depth + 1, isFirst: index == 0)
                appendIndentedJSON(value, depth: depth + 1)
            }
            beginLine(depth: depth, isFirst: true)
            append(UInt8(ascii: "]"))
        case .object(let members) where !members.isEmpty:
            append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                beginLine(depth: depth + 1, isFirst: index == 0)
                appendJSON(text: member.key)
                appendJSON(" : ")
                appendIndentedJSON(member.value, depth: depth + 1)
            }
            beginLine(depth: depth, isFirst: true)
            append(UInt8(ascii: "}"))
        default: appendJSON(value)
        }
    }

    private mutating func beginLine(depth: Int, isFirst: Bool) {
        if !isFirst { append(UInt8(ascii: ",")) }
        append(UInt8(ascii: "\n"))
        append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }
}
