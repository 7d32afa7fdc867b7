// How plain text is cut, made into sentences, and filled.

import TestSupport
import Testing

@testable import Options

@Suite("Prose") struct ProseTests {
    @Test(
        "text is cut at its backquotes",
        arguments: [
            ("a `b` c", [.plain("a "), .literal("b"), .plain(" c")]), ("`a``b`", [.literal("a"), .literal("b")]),
            ("", []), ("plain", [.plain("plain")]), ("a ` b", [.plain("a ` b")]),
            ("`a` b` c", [.literal("a"), .plain(" b` c")]),
        ] as [(String, [ProsePiece])])
    func pieces(text: String, pieces: [ProsePiece]) {
        #expect(text.prosePieces == pieces)
    }

    @Test(
        "a summary becomes a sentence, unless it starts with something that is spelled as it is",
        arguments: [
            ("put tasks on a queue", "Put tasks on a queue."), ("don't", "Don't."), ("`x` is it", "`x` is it."),
            ("amqp:// or amqps://", "amqp:// or amqps://."), ("done!", "Done!"), ("A sentence.", "A sentence."),
            ("0 tasks", "0 tasks."), ("", ""),
        ])
    func sentences(summary: String, sentence: String) {
        #expect(summary.asSentence == sentence)
    }

    @Test("filling keeps every word and no line is too wide", arguments: 0..<100 as Range<UInt64>)
    func filling(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let given = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
            String(repeating: "x", count: Int.random(in: 1...12, using: &generator))
        }
        let width = Int.random(in: 12...40, using: &generator)
        let lines = given.joined(separator: "  ").filled(width: width)
        #expect(lines.flatMap { $0.split(separator: " ").map(String.init) } == given)
        #expect(lines.allSatisfy { $0.count <= width })
        for (line, next) in zip(lines, lines.dropFirst()) {
            let word = next.prefix { $0 != " " }
            #expect(line.count + 1 + word.count > width, "\(word) would have fitted behind \(line)")
        }
    }
}
