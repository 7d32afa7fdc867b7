// The way in: which words are blanked for other users' eyes, and which status a command line without effect has.

import TestSupport
import Testing

@testable import Broker
@testable import Commands

@Suite("Tool") struct ToolTests {
    private static func blanked(_ word: String) -> String? {
        let bytes = Array(word.utf8)
        return Tool.passwordRange(in: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test(
        "S3 exactly the password of a URL is blanked",
        arguments: [
            ("amqp://me:secret@host/v", "secret"), ("amqps://me:secret@host", "secret"),
            ("--url=amqp://me:secret@host:1/v", "secret"),
            ("-uamqp://me:secret@host", "secret"), ("-vuamqp://me:secret@host", "secret"),
            ("amqp://me:a@b@host", "a@b"),
            ("amqp://me:a:b@host", "a:b"), ("amqp://:secret@host", "secret"),
            ("amqp://me:p%40ss@[::1]:5672/v", "p%40ss"),
            ("amqp://me:@host", ""), ("amqp://me:secret@host/v@w:x", "secret"),
            ("amqp://me:secret@host?a=b:c@d", "secret"),
            ("--api-url=http://me:secret@host", "secret"), ("https://me:secret@host:1/p", "secret"),
            ("AMQP://me:secret@host", "secret"), ("Amqps://me:secret@host", "secret"), ("amqp://me:ü@host", "ü"),
        ])
    func passwords(word: String, password: String) {
        #expect(Self.blanked(word) == password)
    }

    @Test(
        "S3 nothing else is touched",
        arguments: [
            "", "publish", "amqp", "amqp://", "amqp://host", "amqp://host:5672/v", "amqp://me@host:5672",
            "amqp://host/a:b@c",
            "amqp://host?a:b@c", "ftp://me:secret@host", "me:secret@host", "--connection-name=amqp",
            "amqp:/me:secret@host",
        ])
    func others(word: String) {
        #expect(Self.blanked(word) == nil)
    }

    @Test("S6 a URL that is quoted in a message has no password")
    func messages() {
        let message = "unexpected operand \"amqp://me:s3cret@host/v\" and https://a:b@c, not a@b:c"
        #expect(
            Tool.hidingPasswords(in: message)
                == "unexpected operand \"amqp://me:****@host/v\" and https://a:****@c, not a@b:c")
    }

    @Test("S3 a password that isn't UTF-8 is blanked too")
    func notText() {
        let word = Array("amqp://me:".utf8) + [0xFF, 0xFE] + Array("@host".utf8)
        #expect(Tool.passwordRange(in: word) == 10..<12)
    }

    @Test("S3 whatever URL workq accepts, its password is what is blanked", arguments: seeds(200))
    func acceptedURLs(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = ["a", "b", "1", ":", "@", "/", "?", "%41", "%3A", "[::1]", ".", "=", "ü", "amqp", "://", "&"]
        var checked = 0
        for _ in 0..<50 {
            let middle = (0..<Int.random(in: 1...8, using: &generator)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &generator)]
            }
            let scheme = ["amqp://", "amqps://"][Int.random(in: 0...1, using: &generator)]
            let text = scheme + "me:" + middle.joined() + "@host"
            guard let url = try? BrokerURL(text), let password = url.password else { continue }
            let shown = Self.blanked(text).map { $0.replacing("%41", with: "A").replacing("%3A", with: ":") }
            #expect(shown == password.revealed, "\(text)")
            checked += 1
        }
        #expect(checked > 0)
    }

    // MARK: - Dispatch

    private static func run(_ words: [String]) throws -> (status: ExitStatus, output: String, errors: String) {
        let captured = try CapturedContext()
        let status = Tool.run(words.map { Array($0.utf8) }, in: captured.context)
        return (status, captured.output, captured.errors)
    }

    @Test(
        "without a command, with an unknown one or with an unknown option the status is 64 and nothing is on standard output"
    )
    func usage() throws {
        for (words, hint) in [
            ([], "no command is given"), (["-q"], "no command is given"), (["publsh", "q"], "did you mean publish?"),
            (["xyzzy"], "publish, work"), (["--vhots", "x", "work"], "--vhost"),
            (["publish", "q", "--lnes"], "--lines"),
            (["publish"], "QUEUE is missing"), (["publish", ""], "a queue's name"), (["work"], "QUEUE is missing"),
            (["publish", "--lines", "q", "task"], "exclude each other"),
            (["work", "q", "--jobs", "0"], "--jobs must be"),
        ] as [([String], String)] {
            let result = try Self.run(words)
            #expect(result.status == .usage)
            #expect(result.errors.hasPrefix("workq: "))
            #expect(result.errors.hasSuffix("\n"))
            #expect(result.errors.contains(hint))
            #expect(result.output == "")
        }
    }

    @Test(
        "M12, O1 a queue's name is refused before anything connects",
        arguments: ["", "a\nb", "\u{7F}", String(repeating: "q", count: 256)])
    func queueNames(name: String) throws {
        for words in [["publish", name, "task"], ["work", name]] {
            #expect(try Self.run(words).status == .usage)
        }
    }

    @Test("help and version go to standard output with status 0, asked for in any way")
    func help() throws {
        for words in [
            ["--help"], ["-h"], ["help"], ["--version"], ["help", "publish"], ["publish", "-h"],
            ["-v", "work", "--help"],
        ] {
            let result = try Self.run(words)
            #expect(result.status == .done)
            #expect(result.output.contains("workq"))
            #expect(result.errors == "")
        }
    }

    @Test("O10, O11 what a command line holds can't move the cursor of who reads the error")
    func escapes() throws {
        let result = try Self.run(["\u{1B}]0;x\u{7}", "q"])
        #expect(result.status == .usage)
        #expect(!result.errors.contains("\u{1B}"))
        let captured = try CapturedContext()
        #expect(Tool.run([Array("publish".utf8), [0xFF, 0xFE]], in: captured.context) == .usage)
        #expect(captured.errors.hasSuffix("\n"))
    }
}
