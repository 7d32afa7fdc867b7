// The array splitter: the same elements however the text is cut, and no text that isn't an array of objects.

import TestSupport
import Testing

@testable import JSON

@Suite("JSON array splitter") struct JSONArraySplitterTests {
    /// The elements of a text that comes in `pieces`, written again.
    private static func elements(_ pieces: [[UInt8]]) throws -> (texts: [String], isComplete: Bool) {
        var splitter = JSONArraySplitter()
        var texts: [String] = []
        func take(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
            var text: [UInt8] = []
            text.appendJSON(try reader.value())
            texts.append(String(decoding: text, as: UTF8.self))
        }
        for piece in pieces { try piece.withUnsafeBytes { try splitter.scan($0, element: take) } }
        let isComplete = try splitter.finish(element: take)
        return (texts, isComplete)
    }

    private static let samples: [(text: String, elements: [String])] = [
        ("[]", []), (" [ \n ] ", []), (#"[{}]"#, ["{}"]),
        (#"[{"a":[1,{"b":[]}]} , {}]"#, [#"{"a":[1,{"b":[]}]}"#, "{}"]),
        (#"[{"name":"}],[{"},{"name":"\"}\\"}]"#, [#"{"name":"}],[{"}"#, #"{"name":"\"}\\"}"#]),
        (#"[{"ä":"\u001b[2J"}]"#, [#"{"ä":"\u001b[2J"}"#]),
    ]

    @Test("elements are found whole, whatever their strings hold")
    func whole() throws {
        for sample in Self.samples {
            let result = try Self.elements([Array(sample.text.utf8)])
            #expect(result.texts == sample.elements && result.isComplete, "\(sample.text)")
        }
    }

    @Test("the same elements are found wherever the text is cut")
    func cut() throws {
        var random = SeededGenerator(seed: 5)
        for sample in Self.samples {
            let bytes = Array(sample.text.utf8)
            let oneByOne = try Self.elements(bytes.map { [$0] })
            #expect(oneByOne.texts == sample.elements && oneByOne.isComplete, "\(sample.text)")
            for _ in 0..<50 {
                let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
                let ends = cuts + [bytes.count]
                let pieces = zip([0] + cuts, ends).map { Array(bytes[$0..<$1]) }
                let result = try Self.elements(pieces)
                #expect(result.texts == sample.elements && result.isComplete, "\(sample.text) cut at \(cuts)")
            }
        }
    }

    @Test("O9 a text that ends early is not complete, wherever it ends")
    func truncated() throws {
        let bytes = Array(#"[{"name":"a\"b","x":[1]},{"name":"c"}]"#.utf8)
        for count in 0..<bytes.count {
            #expect(try !Self.elements([Array(bytes[..<count])]).isComplete, "\(count) bytes")
            #expect(try !Self.elements(bytes[..<count].map { [$0] }).isComplete, "\(count) bytes, one by one")
        }
        #expect(try Self.elements([bytes]).isComplete)
    }

    @Test(
        "O9 what is no array of objects is refused",
        arguments: [
            "<html>", "{}", "null", "[1]", "[[]]", "[{},]", "[,{}]", "[{}{}]", "[{}] x", "[]]", "\u{FEFF}[]",
            #"[{"a":}]"#, #"[{"a":tru }]"#, #"[{"a":"\u12x4"}]"#, #"[{"a":1}}]"#, #"[{"a":01}]"#, "[{\"a\":\"\n\"}]",
        ])
    func notAnArray(text: String) {
        #expect(throws: JSONArraySplitter.Fault.notAnArray) { try Self.elements([Array(text.utf8)]) }
    }

    private static func pass(_ reader: inout JSONReader) throws(JSONReader.Malformed) { try reader.skip() }

    @Test("O9 an element that doesn't end is given up at a megabyte, in memory no larger")
    func endless() throws {
        var splitter = JSONArraySplitter()
        var taken = 0
        #expect(throws: JSONArraySplitter.Fault.elementTooLong) {
            try Array("[{\"name\":\"".utf8).withUnsafeBytes { try splitter.scan($0, element: Self.pass) }
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000)
            while taken < 4 << 20 {
                try piece.withUnsafeBytes { try splitter.scan($0, element: Self.pass) }
                taken += piece.count
            }
        }
        #expect(taken <= JSONArraySplitter.elementLimit)
    }
}
