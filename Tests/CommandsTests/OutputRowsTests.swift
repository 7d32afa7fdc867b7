// Rows in all formats: aligned, parseable, and harmless whatever the names hold.

import Management
import Testing

@testable import Commands

@Suite("Output rows") struct OutputRowsTests {
    private static func text(_ format: OutputFormat, _ rows: OutputRows, hasHeader: Bool = true) -> String {
        String(decoding: rows.text(format, hasHeader: hasHeader), as: UTF8.self)
    }

    private static let rows = OutputRows(
        columns: [.name, .ready, .type],
        rows: [
            [.text("jobs"), .integer(1200), .text("classic")], [.text("naïve 名前"), .unknown, .unknown],
        ])

    @Test("a table is aligned, numbers to the right, wide characters counted as two")
    func table() {
        #expect(
            Self.text(.table, Self.rows) == """
                name        messages_ready  type
                jobs                  1200  classic
                naïve 名前               -  -

                """)
        #expect(Self.text(.table, Self.rows, hasHeader: false) == "jobs        1200  classic\nnaïve 名前     -  -\n")
    }

    @Test("tab-separated rows are rabbitmqctl's, and what isn't known is - or null")
    func plain() {
        #expect(
            Self.text(.tsv, Self.rows) == "name\tmessages_ready\ttype\njobs\t1200\tclassic\nnaïve 名前\t-\t-\n")
        #expect(Self.text(.csv, Self.rows, hasHeader: false) == "jobs,1200,classic\nnaïve 名前,-,-\n")
        #expect(
            Self.text(.json, Self.rows) == """
                [{"name":"jobs","messages_ready":1200,"type":"classic"},
                {"name":"naïve 名前","messages_ready":null,"type":null}]

                """)
        #expect(
            Self.text(.ndjson, Self.rows) == """
                {"name":"jobs","messages_ready":1200,"type":"classic"}
                {"name":"naïve 名前","messages_ready":null,"type":null}

                """)
    }

    @Test("what stands behind the columns' values isn't written", arguments: OutputFormat.allCases)
    func more(format: OutputFormat) {
        var longer = Self.rows
        longer.labels = longer.rows.map { [(name: "queue", value: $0[0].text)] }
        let expected = Self.text(format, longer)
        for index in longer.rows.indices { longer.rows[index].append(.text("more")) }
        #expect(Self.text(format, longer) == expected && !expected.contains("more"))
    }

    @Test("no rows are a header, an empty array, or nothing")
    func empty() {
        let rows = OutputRows(columns: [.name, .ready], rows: [])
        #expect(Self.text(.tsv, rows) == "name\tmessages_ready\n" && Self.text(.json, rows) == "[]\n")
        #expect(Self.text(.ndjson, rows).isEmpty && Self.text(.tsv, rows, hasHeader: false).isEmpty)
        #expect(Self.text(.table, rows) == "name  messages_ready\n")
    }

    @Test("O10 names can't move the cursor, end a field or a line, or reverse text, in any format")
    func untrusted() {
        let name = "a\u{1B}]0;x\u{7}\t\n\r\\\"',\u{202E}b\u{9B}2J\u{7F}\u{E0041}"
        let rows = OutputRows(
            columns: [.name, .ready], rows: [[.text(name), .integer(1)]], labels: [[("queue", name)]])
        for format in OutputFormat.allCases {
            let text = Self.text(format, rows, hasHeader: false)
            // Prometheus has two lines of comments before the samples.
            #expect(text.filter { $0 == "\n" }.count == (format == .prometheus ? 3 : 1), "\(format)")
            for scalar in text.dropLast().unicodeScalars {
                let isSeparator = format == .tsv && scalar == "\t" || format == .prometheus && scalar == "\n"
                #expect(!scalar.isUnsafeToDisplay || isSeparator, "\(format) \(scalar.value)")
            }
        }
        #expect(
            Self.text(.tsv, rows, hasHeader: false)
                == "a\\x1b]0;x\\x07\\t\\n\\r\\\\\"',\\xe2\\x80\\xaeb\\xc2\\x9b2J\\x7f\\xf3\\xa0\\x81\\x81\t1\n")
        #expect(Self.text(.csv, rows, hasHeader: false).hasPrefix("\"a\\x1b]0;x\\x07\\x09\\x0a\\x0d\\\"\"',"))
        #expect(
            Self.text(.ndjson, rows)
                == #"{"name":"a\u001b]0;x\u0007\t\n\r\\\"',\u202eb\u009b2J\u007f\udb40\udc41","messages_ready":1}"#
                + "\n"
        )
    }

    @Test("structures are JSON, keys sorted, and numbers are as short as they read back")
    func structures() {
        let value = QueueValue.table([
            "x-max": .integer(5), "a": .list([.flag(true), .text("\u{202E}"), .number(0.5), .unknown]),
        ])
        #expect(value.text == #"{"a":[true,"\u202e",0.5,null],"x-max":5}"#)
        #expect(QueueValue.number(3).text == "3" && QueueValue.number(0.1).text == "0.1")
        #expect(QueueValue.number(.infinity).text == "inf" && QueueValue.flag(false).text == "false")
        var json: [UInt8] = []
        json.appendJSON(QueueValue.number(.nan))
        #expect(json == Array("null".utf8))
    }

    private static let many = OutputRows(
        columns: [.name, .type, .ready, .unacknowledged, .messages, .consumers],
        rows: [
            [
                .text("thumbnails-of-all-photographs"), .text("classic"), .integer(1_234_567), .integer(0),
                .integer(1_234_567), .integer(2),
            ],
            [.text("mail"), .text("quorum"), .integer(3), .integer(1), .integer(4), .unknown],
        ])

    private static func shown(_ rows: OutputRows, width: Int, _ style: TerminalStyle = TerminalStyle()) -> String {
        String(decoding: rows.text(.table, hasHeader: true, on: .init(width: width, style: style)), as: UTF8.self)
    }

    @Test("9 on a terminal amounts have separators and a total, zeros step back, and the header stands out")
    func terminal() {
        #expect(
            Self.shown(Self.many, width: 120) == """
                name                           type     messages_ready  messages_unacknowledged   messages  consumers
                thumbnails-of-all-photographs  classic       1,234,567                        0  1,234,567          2
                mail                           quorum                3                        1          4          -
                total                                        1,234,570                        1  1,234,571          2

                """)
        let colored = Self.shown(Self.many, width: 120, TerminalStyle(hasColour: true))
        #expect(colored.hasPrefix("\u{1B}[1mname\u{1B}[0m  ") && colored.contains("  \u{1B}[2m0\u{1B}[0m  "))
        let one = OutputRows(columns: Self.many.columns, rows: [Self.many.rows[1]])
        #expect(!Self.shown(one, width: 120).contains("total"))
    }

    @Test("9 where the columns don't fit, headers go over several lines, then names are cut, and numbers never are")
    func narrow() {
        for width in [76, 80, 100] {
            let lines = Self.shown(Self.many, width: width).split(separator: "\n").map(String.init)
            #expect(lines.allSatisfy { $0.displayWidth <= width }, "\(width): \(lines)")
            #expect(lines.contains { $0.contains("1,234,567") && $0.contains("classic") }, "\(width): \(lines)")
            #expect(lines.contains { $0.hasSuffix("consumers") }, "\(width): \(lines)")
        }
    }

    @Test("9 more columns than any terminal has room for are a line each")
    func records() {
        let lines = Self.shown(Self.many, width: 40).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines.prefix(3) == [
                "name                     thumbnails-of-all-photographs",
                "type                     classic", "messages_ready           1,234,567",
            ])
        #expect(lines[6].isEmpty && lines[7].hasSuffix("mail"))
    }
}
