// The manual: what it says, how it is spelled in mdoc(7), and what mandoc makes of it.

import Foundation
import Testing

@testable import Options

@Suite("Manual page") struct ManualPageTests {
    private static let pages = Dictionary(
        uniqueKeysWithValues: ManualPage.pages(of: Sample.tool, date: "May 4, 2026").map { ($0.fileName, $0.contents) })

    private func page(_ name: String) throws -> String {
        try #require(Self.pages[name])
    }

    @Test("there is a page for the tool and one for each command that isn't hidden")
    func names() {
        let names = ManualPage.pages(of: Sample.tool, date: "May 4, 2026").map(\.fileName)
        #expect(names == ["workq.1", "workq-publish.1", "workq-work.1", "workq-purge.1", "workq-tricky.1"])
        #expect(Self.pages.values.allSatisfy { !$0.contains("secret") })
    }

    @Test("the date is the one given, so that pages only change when tables do")
    func date() throws {
        #expect(
            try page("workq.1").contains(
                """

                .Dd May 4, 2026
                .ds doc-volume-operating-system workq 1.0
                .Dt WORKQ 1
                .Os workq 1.0

                """))
    }

    @Test("chapters stand in the order that readers expect")
    func chapters() throws {
        func chapters(_ name: String) throws -> [String] {
            try page(name).split(separator: "\n").filter { $0.hasPrefix(".Sh ") }.map { String($0.dropFirst(4)) }
        }
        #expect(
            try chapters("workq.1") == [
                "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "ENVIRONMENT", "FILES", "EXIT STATUS",
                "EXAMPLES", "SEE ALSO",
            ])
        #expect(
            try chapters("workq-publish.1") == [
                "NAME", "SYNOPSIS", "DESCRIPTION", "OPERANDS", "OPTIONS", "MESSAGE IDS", "ENVIRONMENT", "EXIT STATUS",
                "EXAMPLES", "SEE ALSO",
            ])
        #expect(!(try chapters("workq-purge.1").contains("EXAMPLES")))
    }

    @Test("a synopsis gives each word its typeface")
    func synopsis() throws {
        #expect(
            try page("workq-publish.1").contains(
                """
                .Sh SYNOPSIS
                .Nm workq
                .Cm publish
                .Oo Ar OPTION ... Oc
                .Ar QUEUE
                .Oo Ar TASK Oc
                .Nm workq
                .Cm publish
                .Fl \\-lines
                .Oo Fl \\-window Ar N | Fl \\-timeout Ar DURATION Oc
                .Ar QUEUE
                .Sh DESCRIPTION

                """))
        #expect(try page("workq-work.1").contains("\n.Oo Fl \\- Ar COMMAND Oo Ar ARG ... Oc Oc\n"))
    }

    @Test(
        "synopses of all kinds",
        arguments: [
            ("classic|quorum", "Cm classic | Cm quorum"), ("--type=TYPE", "Fl \\-type Ns No = Ns Ar TYPE"),
            ("-j N", "Fl j Ar N"), ("[A]...", "Oo Ar A Oc Ns No ..."), ("< tasks.txt", "No < Cm tasks.txt"),
            ("D1", "Ar \\&D1"), ("K=V", "Ar K=V"),
        ])
    func synopses(text: String, calls: String) {
        #expect(MdocSynopsis(text).calls.joined(separator: " ") == calls)
    }

    @Test("an option's entry says all that the table knows")
    func option() throws {
        #expect(
            try page("workq-publish.1").contains(
                """
                .It Fl u , Fl \\-url Ar URL
                Where the broker is.
                May name several nodes.
                An IPv6 address stands in brackets, as in
                .Ql amqp://[::1] .
                May be given more than once.
                Default:
                .Ev WORKQ_URL , else
                .Ev AMQP_URL , else
                .No amqp://localhost .
                .It Fl p
                """))
    }

    @Test("an option's entry says what it goes together with")
    func rows() throws {
        let page = try page("workq-publish.1")
        #expect(page.contains("Publish a task a line.\nExcludes TASK and\n.Ql \\-\\-transient .\n"))
        #expect(page.contains("Only together with\n.Ql \\-\\-lines .\n"))
        #expect(page.contains("Don't store tasks.\nExcludes\n.Ql \\-\\-lines .\n"))
    }

    @Test("groups have headings, options that several commands have are on the tool's page too")
    func groups() throws {
        #expect(try page("workq-publish.1").contains("\n.Ss Connection options\n"))
        let tool = try page("workq.1")
        #expect(tool.contains("\n.Ss Connection options\n") && tool.contains("\n.It Fl u , Fl \\-url Ar URL\n"))
        #expect(!tool.contains("--window") && tool.components(separatedBy: "\\-help").count == 2)
    }

    @Test("the environment of all commands is on the tool's page, together with the table's own section")
    func environment() throws {
        let tool = try page("workq.1")
        for variable in ["NO_COLOR", "WORKQ_FORMAT", "WORKQ_URL", "AMQP_URL", "WORKQ_CHOICE"] {
            #expect(tool.components(separatedBy: "\n.It Ev \(variable)\n").count == 2, "\(variable)")
        }
        #expect(!(try page("workq-work.1").contains("WORKQ_FORMAT")))
    }

    @Test("exit statuses are listed once, the commands' pages point there")
    func exitStatus() throws {
        #expect(
            try page("workq.1").contains(
                ".Bl -tag -width Ds\n.It Sy 0\nDone.\n.It Sy 128+n\nEnded by signal n.\n.El\n.Sh EXAMPLES\n"))
        #expect(try page("workq-work.1").contains("\n.Sh EXIT STATUS\nExit statuses are the same"))
    }

    @Test("pages refer to all others")
    func seeAlso() throws {
        let start = try #require(try page("workq-publish.1").firstRange(of: ".Sh SEE ALSO\n"))
        #expect(
            try page("workq-publish.1")[start.upperBound...]
                == ".Xr workq 1 ,\n.Xr workq-purge 1 ,\n.Xr workq-tricky 1 ,\n.Xr workq-work 1\n")
    }

    // MARK: - Prose

    @Test(
        "prose becomes a line a sentence and a macro for each literal word",
        arguments: [
            ("One. Two! Three", ["One.", "Two!", "Three"]),
            ("One (two.) Three", ["One (two.)", "Three"]),
            ("e.g. this, i.e. That. ok", ["e.g. this, i.e. That. ok"]),
            ("Use `-j`. Then", ["Use", ".Ql \\-j .", "Then"]),
            ("(`a b`), [`c`]?", [".Ql ( \"a b\" ) ,", ".Ql [ c ] ?"]),
            ("`job`s and `a`/`b`", [".So job Sc Ns No s", "and", ".So a Sc Ns No / Ns So b Sc"]),
            ("pre`x`", [".Pf pre Ql x"]),
            (".dot 'quote", ["\\&.dot 'quote"]), ("'quote", ["\\&'quote"]),
            ("C:\\x `\\n`", ["C:\\ex", ".Ql \\en"]),
            ("`Op` `.` `\"` `it's` `~^`", [".Ql \\&Op", ".Ql \\&.", ".Ql \\(dq", ".Ql it\\(aqs", ".Ql \\(ti\\(ha"]),
            ("a-b --c -d — é", ["a-b \\-\\-c \\-d \\[u2014] \\[u00E9]"]),
            ("a\n\n b\tc", ["a b c"]), ("", []), ("a ` b", ["a ` b"]),
        ] as [(String, [String])])
    func prose(text: String, lines: [String]) {
        #expect(Mdoc.lines(prose: text) == lines)
    }

    @Test("a script's lines come out as they are, without blanks at their ends")
    func script() {
        #expect(
            Mdoc.lines(script: "a 'b' \\\n  .c  \n\n.d\n'e-f")
                == ["a \\(aqb\\(aq \\e", "  .c", "", "\\&.d", "\\(aqe\\-f"])
    }

    // MARK: - mandoc

    @Test("mandoc has nothing to complain about in any page")
    func lint() throws {
        let mandoc = try InstalledTool("mandoc")
        try withFolder(Self.pages) { folder in
            for name in Self.pages.keys.sorted() {
                let outcome = try mandoc.run(["-Tlint", "-Wwarning", name], in: folder)
                #expect(outcome.status == 0 && outcome.text.isEmpty, "\(name): \(outcome.text)")
            }
        }
    }

    @Test("the heading names the tool and its version, whichever formatter shows the page")
    func heading() throws {
        let heading = try withFolder(Self.pages) { folder in
            try InstalledTool("man").run(["-l", "workq-work.1"], in: folder).text.split(separator: "\n").first
        }
        #expect(heading?.contains(/WORKQ-WORK\(1\) +workq 1\.0 General Commands Manual +WORKQ-WORK\(1\)/) == true)
    }

    @Test("mandoc shows difficult texts as they were written")
    func rendering() throws {
        let mandoc = try InstalledTool("mandoc")
        let text = try withFolder(Self.pages) { folder in
            try mandoc.run(["-Tutf8", "-Owidth=300", "workq-tricky.1"], in: folder).text
        }
        // Bold is a character typed over itself, underlined one typed over _.
        let plain = text.replacing(try Regex(".\u{8}"), with: "")
        let lines = plain.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.contains(trickyText), "\(plain)")
        #expect(lines.contains("." + trickyText) && lines.contains("'" + trickyText))
        #expect(lines.contains("‘" + trickyText + "’"))
        #expect(lines.contains("workq-tricky – " + trickyText))
        let choices = trickyChoices.map { "‘\($0)’" }
        #expect(plain.contains("One of \(choices.dropLast().joined(separator: ", ")) or \(choices.last ?? "")."))
        #expect(lines.contains(".") && lines.contains("'") && lines.contains("\\") && lines.contains("tab"))
    }

    @Test("pages don't depend on anything but the table and the date")
    func deterministic() {
        let first = ManualPage.pages(of: Sample.tool, date: "May 4, 2026")
        let second = ManualPage.pages(of: Sample.tool, date: "May 4, 2026")
        #expect(first.map(\.contents) == second.map(\.contents))
    }
}
