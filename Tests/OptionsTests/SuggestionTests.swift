// "Did you mean" is only worth its line when it is right.

import TestSupport
import Testing

@testable import Options

@Suite("Suggestion") struct SuggestionTests {
    private static let commands = ["publish", "work", "list-queues", "purge", "delete", "bench", "help"]

    @Test(
        "a slip of the finger is understood",
        arguments: [
            ("publsh", "publish"), ("wrok", "work"), ("list-queue", "list-queues"), ("listqueues", "list-queues"),
            ("PURGE", "purge"), ("delte", "delete"), ("benhc", "bench"),
        ])
    func slips(word: String, meant: String) {
        #expect(Suggestion.nearest(to: word, among: Self.commands) == meant)
    }

    @Test("a word that is like none of them gets no suggestion", arguments: ["", "x", "status", "subscribe", "wqrx"])
    func strangers(word: String) {
        #expect(Suggestion.nearest(to: word, among: Self.commands) == nil)
    }

    @Test("a single letter only suggests itself in the other case")
    func letters() {
        #expect(Suggestion.nearest(to: "-x", among: ["-j", "-N", "--all"]) == nil)
        #expect(Suggestion.nearest(to: "-n", among: ["-j", "-N"]) == "-N")
        #expect(Suggestion.nearest(to: "-J", among: ["-N", "-j"]) == "-j")
    }

    @Test("no candidates, no suggestion")
    func none() {
        #expect(Suggestion.nearest(to: "work", among: []) == nil)
    }

    @Test(
        "the distance counts insertions, deletions, replacements and swaps",
        arguments: [
            ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1),
            ("abc", "ab", 1), ("kitten", "sitting", 3), ("ab", "cd", 2),
        ])
    func distances(first: String, second: String, distance: Int) {
        #expect(Suggestion.distance(first, second) == distance)
    }

    @Test(
        "the distance is the same both ways and at most the longer word's length", arguments: 0..<100 as Range<UInt64>)
    func symmetry(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pair = (0..<2).map { _ in
            String((0..<Int.random(in: 0...6, using: &generator)).map { _ in Array("abc").pick(&generator) })
        }
        let distance = Suggestion.distance(pair[0], pair[1])
        #expect(distance == Suggestion.distance(pair[1], pair[0]))
        #expect(distance <= max(pair[0].count, pair[1].count))
        #expect(distance >= abs(pair[0].count - pair[1].count))
        #expect((distance == 0) == (pair[0] == pair[1]))
    }
}
