// The completion scripts, tried in the shells they are for.

import Foundation
import Testing

@testable import Options

@Suite("Completion") struct CompletionTests {
    /// What stands in a folder for a shell to complete with.
    static let files = [
        "workq.bash": BashCompletion.script(for: Sample.tool),
        "_workq": ZshCompletion.script(for: Sample.tool),
        "workq.fish": FishCompletion.script(for: Sample.tool),
        "bin/workq": toolStub,
        "here/letter.txt": "", "here/letters/one": "", "here/other": "",
    ]

    /// What the scripts ask for names that only the broker has; it must be told the options typed so far.
    private static let toolStub = #"""
        #!/bin/sh
        case "$*" in
        'complete queues -- work'*) printf '%s\n' emails 'two words' x:y "it's" ;;
        'complete queues -- -p v work') echo elsewhere ;;
        *) exit 1 ;;
        esac
        """#

    static let liveCases = [
        Case("workq work ", ["emails", "two words", "x:y", "it's"]),
        Case("workq work em", ["emails"]),
        Case("workq work --other two", ["two words"]),
        Case("workq -p v work e", ["elsewhere"]),
        Case("workq -p broken work e", []),
        Case("workq work queue em", []),
    ]

    @Test("the shells can read the scripts", arguments: ["bash": "workq.bash", "zsh": "_workq", "fish": "workq.fish"])
    func syntax(shell: String, script: String) throws {
        let outcome = try withFolder(Self.files) { try InstalledTool(shell).run(["-n", script], in: $0) }
        #expect(outcome.status == 0 && outcome.text.isEmpty, "\(outcome.text)")
    }

    @Test("no script names a hidden command")
    func hidden() {
        for script in Self.files.values { #expect(!script.contains("secret")) }
    }

    /// A line with the cursor at its end, and all words that it can be completed with.
    struct Case: CustomTestStringConvertible {
        var line: String
        var words: [String]
        var testDescription: String { line }

        init(_ line: String, _ words: [String]) {
            self.line = line
            self.words = words.sorted()
        }
    }

    static let commands = ["publish", "work", "purge", "tricky", "help"]

    /// What all shells agree on.
    static let cases = [
        Case("workq ", commands),
        Case("workq pu", ["publish", "purge"]),
        Case("workq help ", commands),
        Case("workq help pub", ["publish"]),
        Case("workq -q -u amqp://host:5672/ pu", ["publish", "purge"]),
        Case("workq -qp /vhost wo", ["work"]),
        Case("workq -qp/vhost work --j", ["--jobs"]),
        Case("workq --ve", ["--version"]),
        Case("workq --he", ["--help"]),
        Case("workq publish --t", ["--timeout", "--transient"]),
        Case("workq --lines publish queue --ti", ["--timeout"]),
        Case("workq publish --format ", ["table", "tsv", "json"]),
        Case("workq publish -q -x exchange --format t", ["table", "tsv"]),
        Case("workq publish -- --t", []),
        Case("workq purge_queue --he", ["--help"]),
        Case("workq purge a b c --he", ["--help"]),
        Case("workq work --jobs 3 --q", ["--quiet"]),
        Case("workq tricky s", ["semi;colon"]),
        Case("workq tricky ", trickyChoices),
        Case("workq tricky --choice ", trickyChoices),
        Case("workq unknown ", []),
    ]

    // MARK: - bash

    /// What bash's completion function answers to a line, and which of bash's own completions it asks for.
    static func bash(_ line: String, breaks: String = " \t\n\"'@><=;|&(:", in folder: URL) throws -> [String] {
        let words = readlineWords(line, breaks: breaks).map(\.shellQuoted).joined(separator: " ")
        let script = """
            compopt() { printf 'compopt %s\\n' "$*"; }
            source ./workq.bash
            cd here
            COMP_WORDBREAKS=\(breaks.shellQuoted) COMP_LINE=\(line.shellQuoted) COMP_POINT=\(line.utf8.count)
            COMP_WORDS=(\(words)) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _workq
            ((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
            exit 0
            """
        return try InstalledTool("bash").run(["--norc", "--noprofile", "-c", script], in: folder).lines.sorted()
    }

    /// A line as readline splits it for a completion function: at blanks and at breaks, outside of quotes.
    private static func readlineWords(_ line: String, breaks: String) -> [String] {
        var words: [String] = [""]
        var quote: Character?
        for character in line {
            let last = words[words.count - 1]
            if let open = quote {
                words[words.count - 1].append(character)
                if character == open { quote = nil }
            } else if last.last == "\\" {
                words[words.count - 1].append(character)
            } else if character == " " {
                if !last.isEmpty { words.append("") }
            } else if "=:".contains(character), breaks.contains(character) {
                if last.isEmpty { words[words.count - 1] = String(character) } else { words.append(String(character)) }
                words.append("")
            } else {
                if "\"'".contains(character) { quote = character }
                words[words.count - 1].append(character)
            }
        }
        // Behind a break at the end, the break is the word that the cursor is in.
        if words.count > 1, words.last == "", line.last != " " { words.removeLast() }
        return words
    }

    @Test("bash completes", arguments: cases + liveCases)
    func bash(example: Case) throws {
        let answers = try withFolder(Self.files) { try Self.bash(example.line, in: $0) }
        #expect(answers.map(Self.unquoted).sorted() == example.words, "\(answers)")
    }

    @Test(
        "bash completes values behind = and : with only what is missing",
        arguments: [
            Case("workq publish --format=", ["table", "tsv", "json"]),
            Case("workq publish --format=t", ["table", "tsv"]),
            Case("workq publish --format=\"j", ["json"]),
            Case("workq tricky a:", ["b"]),
            Case("workq tricky k=", ["v"]),
            Case("workq tricky --choice=a:", ["b"]),
            Case("workq --url=amqp://host:5672/ pub", ["publish"]),
            Case("workq tricky 'two w", ["two words"]),
            Case("workq tricky 'it", ["it'\\''s"]),
            Case("workq tricky \"\\$", ["\\$HOME"]),
            Case("workq tricky \"b", ["back\\\\slash"]),
            Case("workq tricky two\\ w", ["two\\ words"]),
        ])
    func bashBreaks(example: Case) throws {
        #expect(try withFolder(Self.files) { try Self.bash(example.line, in: $0) } == example.words)
    }

    @Test(
        "bash completes whole words where = and : don't break them",
        arguments: [
            Case("workq publish --format=t", ["--format=table", "--format=tsv"]),
            Case("workq tricky a:", ["a:b"]),
            Case("workq publish --cert=let", ["--cert=letter.txt", "--cert=letters", "compopt -o nospace"]),
            Case("workq publish --spool=let", ["--spool=letters", "compopt -o nospace"]),
        ])
    func bashWholeWords(example: Case) throws {
        #expect(try withFolder(Self.files) { try Self.bash(example.line, breaks: " \t\n", in: $0) } == example.words)
    }

    @Test(
        "bash is asked to complete files, directories and commands itself",
        arguments: [
            Case("workq publish --window --format --ti", ["--timeout"]),
            Case("workq publish --cert ", ["compopt -o default"]),
            Case("workq publish --cert=le", ["compopt -o default"]),
            Case("workq publish --spool ", ["compopt -o dirnames"]),
            Case("workq tricky plain ", ["compopt -o default"]),
            Case("workq work queue -- prin", ["printenv", "printf"]),
            Case("workq work queue -- ./le", ["compopt -o default"]),
            Case("workq work --other two\\ wo", ["two\\ words"]),
            Case("workq work queue -- cat --cert", ["compopt -o default"]),
            Case("workq publish ", []), Case("workq publish --window ", []), Case("workq work queue ", []),
        ])
    func bashFiles(example: Case) throws {
        let answers = try withFolder(Self.files) { try Self.bash(example.line, in: $0) }
        #expect(
            Array(Set(answers)).sorted().filter { !$0.hasPrefix("print") }
                == example.words.filter { !$0.hasPrefix("print") })
        #expect(Set(example.words).isSubset(of: answers))
    }

    /// A word that bash has quoted with backslashes.
    private static func unquoted(_ word: String) -> String {
        var result = ""
        var isEscaped = false
        for character in word {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }

    // MARK: - fish

    static func fish(_ line: String, in folder: URL) throws -> [(word: String, description: String)] {
        let script = "source ./workq.fish; cd here; complete -C '\(line.replacing("\\", with: "\\\\"))'"
        let outcome = try InstalledTool("fish").run(["--no-config", "-c", script], in: folder)
        return outcome.lines.map { line in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            return (word: parts[0], description: parts.count == 2 ? parts[1] : "")
        }
    }

    @Test("fish completes", arguments: cases + liveCases)
    func fish(example: Case) throws {
        let answers = try withFolder(Self.files) { try Self.fish(example.line, in: $0) }
        #expect(answers.map(\.word).sorted() == example.words)
    }

    @Test(
        "fish completes files, directories and other command lines",
        arguments: [
            Case("workq publish --window --format --ti", ["--timeout"]),
            Case("workq publish --cert let", ["letter.txt", "letters/"]),
            Case("workq publish --cert=let", ["--cert=letter.txt", "--cert=letters/"]),
            Case("workq publish --spool let", ["letters/"]),
            Case("workq publish --format=t", ["--format=table", "--format=tsv"]),
            Case("workq tricky plain let", ["letter.txt", "letters/"]),
            Case("workq work queue -- cat let", ["letter.txt", "letters/"]),
            Case("workq work queue -- printen", ["printenv"]),
            Case("workq work queue let", []), Case("workq publish let", []),
        ])
    func fishFiles(example: Case) throws {
        let answers = try withFolder(Self.files) { try Self.fish(example.line, in: $0) }
        #expect(answers.map(\.word).sorted() == example.words)
    }

    @Test("fish shows descriptions as they were written")
    func fishDescriptions() throws {
        let answers = try withFolder(Self.files) {
            try Self.fish("workq tr", in: $0) + Self.fish("workq tricky --nu", in: $0)
        }
        #expect(answers.map(\.word) == ["tricky", "--null"])
        #expect(answers.map(\.description) == [trickyText, trickyText])
    }
}
