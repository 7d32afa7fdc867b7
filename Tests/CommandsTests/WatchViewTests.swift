// What keys do to the watch screen, and how wide what it shows is.

import Management
import Testing

@testable import Commands

@Suite("Watch view") struct WatchViewTests {
    private static func row(_ name: String, ready: Int, rate: Double? = nil) -> WatchRow {
        var row = WatchRow(vhost: "/", name: name)
        (row.ready, row.messages, row.unacknowledged) = (ready, ready, 0)
        row.incoming = rate
        return row
    }

    private static let rows = [
        row("a", ready: 0), row("b", ready: 9), row("c", ready: 0, rate: 5), row("d", ready: 3),
    ]

    private static func names(_ view: inout WatchView) -> String { view.arrange(rows).map(\.name).joined() }

    @Test("Q6 the busiest come first, and keys sort, hide, filter and leave")
    func keys() {
        var view = WatchView()
        view.pageHeight = 10
        #expect(Self.names(&view) == "cbda")
        for (key, names) in [("n", "abcd"), ("r", "bdac"), ("e", "bd"), ("e", "bdac"), ("b", "cbda")] {
            #expect(view.take(Array(key.utf8)) == .redraw)
            #expect(Self.names(&view) == names, "\(key)")
        }
        #expect(view.take(Array("/D".utf8)) == .redraw)
        #expect(Self.names(&view) == "d" && view.foot(width: 80, hidden: 3) == "/D")
        #expect(view.take(Array("\n".utf8)) == .redraw)
        #expect(Self.names(&view) == "d" && view.foot(width: 80, hidden: 3).hasPrefix("q leaves  3 hidden  /D"))
        // While a filter is typed, q is a letter.
        #expect(view.take(Array("/q\u{1B}".utf8)) == .redraw)
        #expect(view.take(Array("x".utf8)) == .none && view.take(Array("Q".utf8)) == .leave)
    }

    @Test("Q6 arrows and pages scroll, never beyond the rows")
    func scrolling() {
        var view = WatchView(.name)
        view.pageHeight = 2
        for (keys, offset) in [
            ("\u{1B}[B", 1), ("j", 2), ("j", 2), ("\u{1B}[5~", 0), ("\u{1B}[F", 2), ("\u{1B}[H", 0), (" ", 2), ("k", 1),
        ] {
            _ = view.take(Array(keys.utf8))
            _ = view.arrange(Self.rows)
            #expect(view.offset == offset, "\(keys.debugDescription)")
        }
    }

    @Test("Q6 the foot line fits every width, and a scrolled screen says what is above", arguments: [40, 80, 200])
    func foot(width: Int) {
        let view = WatchView()
        #expect(view.foot(width: width, hidden: 0).count <= width)
        for count in [3, 50, 500] {
            var screen = WatchScreen(
                title: "t", rows: (0..<count).map { Self.row("q\($0)", ready: $0) }, showsVhost: false, trouble: nil,
                isUnicode: true)
            screen.offset = min(7, max(0, count - 20))
            let lines = screen.lines(width: width, height: 24)
            #expect(lines.count == 24 && lines.allSatisfy { $0.displayWidth <= width })
            if count > 20 { #expect(lines[22] == "7 more above, \(count - 7 - 19) below") }
        }
    }

    @Test("Q6 rates that are not known any more are not shown")
    func forgottenRates() {
        var history = WatchHistory()
        let record = QueueRecord(vhost: "/", name: "a", values: [.integer(1), .integer(0), .integer(1)])
        history.add(counts: QueueList(columns: WatchHistory.countColumns, records: [record]), at: .init(nanoseconds: 0))
        let rates = QueueRecord(vhost: "/", name: "a", values: [.number(5), .number(1), .unknown, .unknown])
        history.add(rates: QueueList(columns: WatchHistory.rateColumns, records: [rates]))
        #expect(history.rows[0].incoming == 5)
        history.forgetRates()
        #expect(history.rows[0].incoming == nil && history.rows[0].outgoing == nil)
    }

    @Test(
        "Q9 wide characters take two columns, as Unicode's data has it",
        arguments: [
            ("⭐", 2), ("✅", 2), ("🫠", 2), ("🪿", 2), ("名", 2), ("ｱ", 1), ("Ａ", 2), ("é", 1), ("e\u{301}", 1), ("☎", 1),
            ("🇫", 1),
            ("🌡", 1), ("한", 2), ("a⭐b", 4),
        ])
    func width(text: String, width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test("Q8 a combining mark hides no comma, quote or bar, and no number has an exponent")
    func scalars() throws {
        let mark = "\u{301}"
        let rows = OutputRows(columns: [.name], rows: [[.text("a,\(mark)b\"\(mark)")]])
        let csv = String(decoding: rows.text(.csv, hasHeader: false), as: UTF8.self)
        #expect(csv.unicodeScalars.elementsEqual("\"a,\(mark)b\"\"\(mark)\"\n".unicodeScalars))
        let name = "a|\(mark)'\(mark)=\(mark)"
        let record = QueueRecord(vhost: "v", name: name, values: [.integer(4)])
        let check = QueueCheck(critical: try QueueExpression("messages > 3"), showsVhost: true)
        let line = check.result(QueueList(columns: [.messages], records: [record])).line
        let expected =
            "QUEUES CRITICAL - v a\\x7c\(mark)'\(mark)=\(mark): messages 4 | "
            + "'v a\\x7c\(mark)''\(mark)_\(mark) messages'=4;;3;0\n"
        #expect(line.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(line)")
        #expect(
            [0.00001, 1e15, 1.5, -2.25, 0, 1e-9, 123_456.789].map(\.plainText) == [
                "0.00001", "1000000000000000", "1.5", "-2.25", "0", "0", "123456.789",
            ])
    }

    @Test(
        "Q8 a comparison is the range of the monitoring plugins that holds as it does",
        arguments: [
            ("messages > 3", "3"), ("messages >= 3", "@3:"), ("messages < 3", "3:"), ("messages <= 3", "@0:3"),
            ("messages == 0", "@0:0"), ("messages != 0", "0:0"), ("3 < messages", "3"),
            ("messages > 3 or consumers < 1", "3"), ("messages > 3 and consumers < 1", nil), ("not messages > 3", nil),
            ("messages > 3 or messages < 1", nil), ("messages > consumers", nil), ("messages > 2.5", "2.5"),
        ] as [(String, String?)])
    func ranges(text: String, range: String?) throws {
        #expect(try QueueExpression(text).alertRange(of: .messages) == range)
    }
}
