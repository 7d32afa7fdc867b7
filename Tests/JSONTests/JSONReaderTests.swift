// The reader takes JSON, all of it, and nothing else.

import Foundation
import TestSupport
import Testing

@testable import JSON

@Suite("JSON reader") struct JSONReaderTests {
    private static func value(_ text: String) throws -> JSONValue { try JSONReader.value(of: Array(text.utf8)) }

    @Test(
        "values",
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("\t\r\n false", .bool(false)), ("0", .integer(0)),
            ("-0", .integer(0)), ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .unsigned(1 << 63)), ("1.0", .double(1)), ("-0.0", .double(-0.0)),
            ("1e2", .double(100)), ("2E-1", .double(0.2)), ("1e-400", .double(0)), (#""""#, .text([])),
            ("[]", .array([])), ("[ ]", .array([])), ("[1, [null]]", .array([.integer(1), .array([.null])])),
            ("{}", .object([])), ("{ }", .object([])),
            (
                #"{"a" : 1, "a":2}"#,
                .object([JSONMember(key: [0x61], value: .integer(1)), JSONMember(key: [0x61], value: .integer(2))])
            ),
        ] as [(String, JSONValue)])
    func values(text: String, value: JSONValue) throws {
        #expect(try Self.value(text) == value)
    }

    @Test(
        "texts",
        arguments: [
            (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u00E9é""#, "ééé"),
            (#""x\ud83d\ude42y""#, "x🙂y"), (#""\u0000""#, "\0"), (#""\uffff""#, "\u{FFFF}"),
        ])
    func texts(text: String, expected: String) throws {
        #expect(try Self.value(text) == .text(Array(expected.utf8)))
    }

    @Test(
        "what isn't JSON is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "01", "-", "-a", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "NaN",
            "Infinity", "99999999999999999999", "1e999", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"",
            "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "\"",
            "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\ud83d\"", "\"\\ud83dx\"", "\"\\ude42\"",
            "\"\\ud83d\\u0041\"", "\"\n\"", "\"\t\"", "1 1", "// 1", "\u{FEFF}1", "\u{A0}1", "\u{C}1", "'a'",
        ])
    func malformed(text: String) {
        #expect(throws: JSONReader.Malformed.self) { try Self.value(text) }
        // A number that is only too great is one to those who pass it.
        guard !["99999999999999999999", "1e999"].contains(text) else { return }
        #expect(throws: JSONReader.Malformed.self) { try Self.skip(text) }
    }

    @Test("each byte ends a text, stands for itself or is refused, wherever it stands", arguments: 0..<20)
    func bytesOfTexts(place: Int) throws {
        for byte in UInt8.min...UInt8.max {
            var text = Array(repeating: UInt8(ascii: "~"), count: 20)
            text[place] = byte
            let quoted = [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
            let value = try? JSONReader.value(of: quoted)
            switch byte {
            // What follows the quote is one value too many, and a tilde is no escape.
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), ..<0x20, 0x80...:
                #expect(value == nil, "byte \(byte) at \(place)")
            default:
                #expect(value == .text(text), "byte \(byte) at \(place)")
            }
        }
        // Of several bytes that end it, the first one does.
        let ended = Array(repeating: UInt8(ascii: "!"), count: place) + Array("\"!\\\u{1}\u{0}!\"".utf8)
        let column = place + 3
        #expect(throws: JSONReader.Malformed(reason: "\"!\" after the end", column: column)) {
            try JSONReader.value(of: [UInt8(ascii: "\"")] + ended)
        }
    }

    private static func skip(_ text: String) throws {
        try JSONReader.read(Array(text.utf8)) { reader throws(JSONReader.Malformed) in try reader.skip() }
    }

    @Test("keys are read one by one, and what isn't asked for is passed")
    func members() throws {
        let text = #"{"a":[1,{"b":"\""}],"wanted":"é","c":-1.5e3,"want\u0065d":"\u00e9","d":{"wanted":true},"e":null}"#
        var found: [JSONValue] = []
        try JSONReader.read(Array(text.utf8)) { reader throws(JSONReader.Malformed) in
            try reader.object { reader, key throws(JSONReader.Malformed) in
                guard key.elementsEqual("wanted".utf8) else { return try reader.skip() }
                if let text = try reader.plainText() {
                    found.append(JSONValue(text))
                } else {
                    found.append(try reader.value())
                }
            }
        }
        #expect(found == [JSONValue("é"), JSONValue("é")])
        #expect(throws: JSONReader.Malformed(reason: "\"1\" instead of an object", column: 1)) {
            try JSONReader.read([0x31]) { reader throws(JSONReader.Malformed) in
                try reader.object { reader, _ throws(JSONReader.Malformed) in try reader.skip() }
            }
        }
    }

    @Test(
        "a text that isn't UTF-8 is refused",
        arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONReader.Malformed.self) { try JSONReader.value(of: [0x22] + bytes + [0x22]) }
        #expect(throws: JSONReader.Malformed.self) { try JSONReader.value(of: bytes) }
    }

    @Test("W14 deep nesting is refused before it needs much stack")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(throws: Never.self) { try Self.value(nested(200)) }
        #expect(throws: JSONReader.Malformed.self) { try Self.value(nested(100_000)) }
        #expect(throws: JSONReader.Malformed.self) { try Self.value(String(repeating: #"{"a":"#, count: 100_000)) }
    }

    @Test("texts and numbers that Foundation writes are read as they were", arguments: seeds(100))
    func foundation(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let texts = (0..<5).map { _ in String(decoding: generator.text(), as: UTF8.self) }
        let written = Array(try JSONEncoder().encode(texts))
        #expect(try JSONReader.value(of: written) == .array(texts.map { .text(Array($0.utf8)) }))
        let numbers = (0..<5).map { _ in Int64.random(in: .min ... .max, using: &generator) }
        #expect(
            try JSONReader.value(of: Array(try JSONEncoder().encode(numbers))) == .array(numbers.map { .integer($0) }))
    }

    @Test("a column counts from the start of the text")
    func column() {
        #expect(throws: JSONReader.Malformed(reason: "\"x\" instead of a value", column: 7)) {
            try Self.value(#"{"a": x}"#)
        }
    }
}

@Suite("Base64") struct Base64Tests {
    @Test("bytes come back, and Foundation writes the same", arguments: seeds(60))
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int(seed % 60))
        var text: [UInt8] = []
        Base64.append(bytes, to: &text)
        #expect(String(decoding: text, as: UTF8.self) == Data(bytes).base64EncodedString())
        #expect(Base64.decode(text) == bytes)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "A", "AA", "AAA", "A===", "====", "AB==", "AAB=", "A=AA", "AA=A", "AA==AA==", "A A=", "AA-_", "AAA\n",
        ])
    func malformed(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}
