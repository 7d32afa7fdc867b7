// How words become tokens, by the GNU rules, and what is refused.

import TestSupport
import Testing

@testable import Options

@Suite("Lexer") struct LexerTests {
    static var lexer: Lexer {
        Lexer(spellings: ["-j", "--jobs", "-q", "--quiet", "-v", "--exchange"]) { spelling in
            switch spelling {
            case "-j", "--jobs", "--exchange": .value
            case "-q", "--quiet", "-v": .flag
            default: nil
            }
        }
    }

    @Test(
        "every way to write an option gives the same token",
        arguments: [["-j4"], ["-j", "4"], ["-j=4"], ["--jobs=4"], ["--jobs", "4"]])
    func optionValues(texts: [String]) throws {
        let spelling = texts[0].hasPrefix("--") ? "--jobs" : "-j"
        // As getopt does, a short option takes the = for a part of its value.
        let value = texts == ["-j=4"] ? "=4" : "4"
        let tokens = try Self.lexer.tokens(of: texts.map { Array($0.utf8) })
        #expect(tokens == [.option(spelling: spelling, value: value)])
    }

    @Test("an empty value after = is a value, not a missing one")
    func emptyValue() throws {
        #expect(try Self.lexer.tokens(of: words("--exchange=")) == [.option(spelling: "--exchange", value: "")])
        #expect(try Self.lexer.tokens(of: words("--exchange", "")) == [.option(spelling: "--exchange", value: "")])
    }

    @Test("only the first = separates, whatever follows it")
    func equalsInValue() throws {
        #expect(try Self.lexer.tokens(of: words("--jobs=a=b=")) == [.option(spelling: "--jobs", value: "a=b=")])
        let mark = "\u{338}x"
        #expect(try Self.lexer.tokens(of: words("--jobs=" + mark)) == [.option(spelling: "--jobs", value: mark)])
        #expect(try Self.lexer.tokens(of: words("-j" + mark)) == [.option(spelling: "-j", value: mark)])
    }

    @Test("an option's value may look like an option")
    func valueLikeOption() throws {
        let tokens = try Self.lexer.tokens(of: words("--jobs", "--quiet", "-j", "--"))
        #expect(tokens == [.option(spelling: "--jobs", value: "--quiet"), .option(spelling: "-j", value: "--")])
    }

    @Test("switches can be bundled, and the last in the bundle may take a value")
    func bundles() throws {
        #expect(
            try Self.lexer.tokens(of: words("-qvj8", "-vqj", "8")) == [
                .option(spelling: "-q", value: nil), .option(spelling: "-v", value: nil),
                .option(spelling: "-j", value: "8"),
                .option(spelling: "-v", value: nil), .option(spelling: "-q", value: nil),
                .option(spelling: "-j", value: "8"),
            ])
    }

    @Test("a lone - and an empty word are operands")
    func loneDash() throws {
        #expect(try Self.lexer.tokens(of: words("-", "")) == [.operand("-"), .operand("")])
    }

    @Test("after -- every word is kept byte for byte, options and broken UTF-8 too")
    func rest() throws {
        let rest = words("--jobs", "--", "-x", "") + [[0xFF, 0xFE]]
        #expect(try Self.lexer.tokens(of: words("a", "--") + rest) == [.operand("a"), .rest(rest)])
        #expect(try Self.lexer.tokens(of: words("--")) == [.rest([])])
    }

    @Test(
        "what can't be understood is refused, and the message names it",
        arguments: [
            (words("--job"), "unknown option --job; did you mean --jobs?"),
            (words("--nothing-like-it"), "unknown option --nothing-like-it"),
            (words("-x"), "unknown option -x"),
            (words("-J"), "unknown option -J; did you mean -j?"),
            (words("-qx"), "unknown option -x"),
            (words("--"), nil),
            (words("--quiet=yes"), "--quiet takes no value"),
            (words("--quiet="), "--quiet takes no value"),
            (words("--jobs"), "--jobs needs a value"),
            (words("-j"), "-j needs a value"),
            (words("-qj"), "-j needs a value"),
            (words("--\u{1B}[2J"), "unknown option --\\x1b[2J"),
            ([[0x61, 0xFF]], "\"a\u{FFFD}\" is not valid UTF-8"),
            ([Array("--jobs=".utf8) + [0xC3]], "\"--jobs=\u{FFFD}\" is not valid UTF-8"),
            (words("--jobs") + [[0x80]], "\"\u{FFFD}\" is not valid UTF-8"),
            ([Array("-q".utf8) + [0xED, 0xA0, 0x80]], "\"-q\u{FFFD}\u{FFFD}\u{FFFD}\" is not valid UTF-8"),
        ] as [([Word], String?)])
    func refusals(words: [Word], message: String?) {
        #expect(usageMessage { _ = try Self.lexer.tokens(of: words) } == message)
    }

    @Test("a command's name can be found by taking one token at a time")
    func oneAtATime() throws {
        var remaining = words("-q", "--jobs", "4", "publish", "--unknown")[...]
        var tokens: [Token] = []
        for _ in 0..<3 { try Self.lexer.appendNext(from: &remaining, to: &tokens) }
        #expect(tokens.last == .operand("publish"))
        #expect(Array(remaining) == words("--unknown"))
    }

    // MARK: - Properties

    @Test("random tokens written in any allowed way are read back as they were", arguments: 0..<200 as Range<UInt64>)
    func readsBack(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var expected: [Token] = []
        var line: [Word] = []
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            let value = Self.values.pick(&generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                expected.append(.operand(value))
                line += words(value)
            case 1:
                expected.append(.option(spelling: "--jobs", value: value))
                line += words("--jobs=" + value)
            case 2:
                expected.append(.option(spelling: "--jobs", value: value))
                line += words("--jobs", value)
            case 3:
                expected += [.option(spelling: "-q", value: nil), .option(spelling: "-j", value: value)]
                line += value.isEmpty ? words("-qj", value) : words("-qj" + value)
            case 4:
                expected.append(.option(spelling: "--quiet", value: nil))
                line += words("--quiet")
            default:
                expected += [.option(spelling: "-v", value: nil), .option(spelling: "-q", value: nil)]
                line += words("-vq")
            }
        }
        if Bool.random(using: &generator) {
            let rest = (0..<3).map { _ in Self.randomWord(&generator) }
            expected.append(.rest(rest))
            line += words("--") + rest
        }
        #expect(try Self.lexer.tokens(of: line) == expected)
    }

    @Test("random bytes never crash the lexer, and no operand gets lost", arguments: 0..<500 as Range<UInt64>)
    func randomWords(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let line = (0..<Int.random(in: 0...8, using: &generator)).map { _ in Self.randomWord(&generator) }
        let tokens: [Token]
        do {
            tokens = try Self.lexer.tokens(of: line)
        } catch {
            #expect(!error.message.isEmpty && error.message == error.message.escapedForDisplay)
            return
        }
        // Written back in the plainest way, the tokens must hold each byte that was given but the options' own.
        var given = line.reduce(0) { $0 + $1.count }
        for token in tokens {
            switch token {
            case .operand(let text): given -= text.utf8.count
            case .rest(let words): given -= words.reduce(2) { $0 + $1.count }
            case .option(let spelling, let value):
                given -= value?.utf8.count ?? 0
                given -= spelling.hasPrefix("--") ? spelling.utf8.count : 1
            }
        }
        // What remains: a dash for each bundle of short options, and the = of a value that is attached to its option.
        let dashes = line.count { $0.first == UInt8(ascii: "-") }
        #expect((0...dashes).contains(given), "\(line) became \(tokens)")
    }

    /// Texts that can stand as an operand or as a value.
    private static let values = ["x", "", "-", "a b", "k=v", "é", "=", "\u{338}", "🙂", "a\nb", "4"]

    private static func randomWord(_ generator: inout SeededGenerator) -> Word {
        let pieces: [Word] =
            words("-", "--", "j", "q", "=", "jobs", "quiet", "exchange", "x", " ", "é") + [[0xFF], [0xC3], []]
        return (0..<Int.random(in: 0...4, using: &generator)).flatMap { _ in pieces.pick(&generator) }
    }
}

/// The message of the usage error that `body` throws, or nil when it throws none.
func usageMessage(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as UsageError {
        return error.message
    } catch {
        return "unexpected: \(error)"
    }
}
