// The watch screen: what samples tell, and the picture at several sizes.

import Broker
import Management
import Posix
import Testing

@testable import Commands

@Suite("Watch") struct WatchTests {
    private static func counts(_ queues: [(String, ready: Int, unacknowledged: Int)]) -> QueueList {
        QueueList(
            columns: WatchHistory.countColumns,
            records: queues.map { name, ready, unacknowledged in
                QueueRecord(
                    vhost: "/", name: name,
                    values: [.integer(ready), .integer(unacknowledged), .integer(ready + unacknowledged)])
            })
    }

    private static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test("growth comes from the counts of the last ten seconds, and tells when a queue will be empty")
    func growth() {
        var history = WatchHistory()
        history.add(counts: Self.counts([("a", 100, 0), ("b", 5, 0), ("c", 0, 0)]), at: Self.at(0))
        #expect(history.rows.map(\.growth) == [nil, nil, nil])
        #expect(history.rows.map(\.outlook) == [.unknown, .unknown, .empty])
        history.add(counts: Self.counts([("a", 78, 2), ("b", 5, 0), ("c", 2, 0)]), at: Self.at(2))
        #expect(history.rows.map(\.growth) == [-10, 0, 1])
        #expect(history.rows.map(\.outlook) == [.emptyIn(seconds: 8), .steady, .growing])
        // Eleven seconds later nothing is left of the first two samples.
        history.add(counts: Self.counts([("a", 80, 0)]), at: Self.at(13))
        #expect(history.rows.map(\.growth) == [nil])
    }

    @Test("a queue that was deleted and made again starts afresh")
    func again() {
        var history = WatchHistory()
        history.add(counts: Self.counts([("a", 100, 0)]), at: Self.at(0))
        history.add(counts: Self.counts([]), at: Self.at(1))
        history.add(counts: Self.counts([("a", 0, 1)]), at: Self.at(2))
        #expect(history.rows.map(\.growth) == [nil])
    }

    @Test("rates are what is published, and all that leaves a queue for good; without statistics they aren't known")
    func rates() {
        var history = WatchHistory()
        history.add(counts: Self.counts([("a", 1, 0), ("b", 1, 0)]), at: Self.at(0))
        let values: [QueueValue] = [.number(2.5), .number(1), .unknown, .integer(3)]
        history.add(
            rates: QueueList(
                columns: WatchHistory.rateColumns,
                records: [
                    QueueRecord(vhost: "/", name: "a", values: values),
                    QueueRecord(vhost: "/", name: "b", values: [.unknown, .unknown, .unknown, .unknown]),
                ]))
        #expect(history.rows.map(\.incoming) == [2.5, nil] && history.rows.map(\.outgoing) == [4, nil])
        history.add(counts: Self.counts([("a", 1, 0)]), at: Self.at(1))
        #expect(history.rows.map(\.incoming) == [2.5])
    }

    @Test(
        "times are short",
        arguments: [
            (0.2, "1s"), (59, "59s"), (61, "1m01s"), (3_600, "1h00m"), (90_000, "1d01h"), (1e9, "> 1 year"),
            (.infinity, "> 1 year"),
        ])
    func times(seconds: Double, text: String) {
        #expect(WatchScreen.text(.emptyIn(seconds: seconds)) == text)
    }

    private static func screen(_ count: Int, isUnicode: Bool = true) -> WatchScreen {
        let rows = (0..<count).map { index in
            var row = WatchRow(
                vhost: "/", name: index == 0 ? "a\u{1B}[2J\u{202E} rather long name that is cut" : "q\(index)")
            row.ready = 100 - index
            row.unacknowledged = index
            row.messages = 100
            row.incoming = 12.34
            row.outgoing = 20_000
            row.growth = -0.5
            return row
        }
        return WatchScreen(
            title: "workq", rows: rows, showsVhost: false, trouble: nil, isUnicode: isUnicode)
    }

    @Test("O10 at every size there are exactly as many lines as fit, none too wide, and nothing unsafe in them")
    func sizes() {
        for width in [1, 10, 20, 40, 60, 79, 80, 81, 120, 300] {
            for height in [1, 2, 3, 4, 5, 24, 60] {
                for count in [0, 1, 20, 200] {
                    let lines = Self.screen(count).lines(width: width, height: height)
                    #expect(lines.count == height, "\(width)x\(height) \(count)")
                    #expect(lines.allSatisfy { $0.displayWidth <= width }, "\(width)x\(height) \(count)")
                    #expect(!lines.joined().unicodeScalars.contains { $0.isUnsafeToDisplay })
                }
            }
        }
    }

    @Test("in 80 columns everything is there: bars, rates and the time to empty")
    func usual() {
        let lines = Self.screen(30).lines(width: 80, height: 24)
        #expect(lines[1] == "30 queues, 2,565 ready, 435 unacknowledged")
        for title in ["QUEUE", "READY", "UNACKED", "IN/S", "OUT/S", "EMPTY IN"] { #expect(lines[2].contains(title)) }
        #expect(
            lines[4].hasPrefix("q1 ") && lines[4].contains(" 99 █") && lines[4].hasSuffix("12.3   20,000     3m20s"))
        #expect(lines[22] == "11 more below" && lines[23] == "q leaves")
        #expect(lines[2...21].allSatisfy { $0.displayWidth == 80 })
    }

    @Test("O13 without a UTF-8 locale bars are ASCII, and trouble takes the place of the footer")
    func plain() {
        var screen = Self.screen(2, isUnicode: false)
        screen.trouble = "cannot ask\n: refused"
        let lines = screen.lines(width: 80, height: 10)
        #expect(lines[4].contains("####") && lines[4].unicodeScalars.allSatisfy(\.isASCII))
        #expect(lines[9] == "cannot ask\\x0a: refused")
    }
}
