// Choosing and sorting queues, and what a check and a wait make of them.

import Management
import Posix
import Testing

@testable import Commands

@Suite("Queue selection") struct QueueSelectionTests {
    private static let columns: [QueueColumn] = [.type, .messages, .consumers]

    private static func record(
        _ name: String, _ type: String = "classic", messages: Int?, consumers: Int? = 0
    ) -> QueueRecord {
        QueueRecord(
            vhost: "/", name: name,
            values: [
                .text(type), messages.map(QueueValue.integer) ?? .unknown,
                consumers.map(QueueValue.integer) ?? .unknown,
            ])
    }

    private static let records = [
        record("a", messages: 5), record("b", "quorum", messages: 0), record("c", messages: nil),
        record("d", messages: 12, consumers: 3), record("é", messages: 5),
    ]

    private static func list(_ records: [QueueRecord] = records) -> QueueList {
        QueueList(columns: columns, records: records)
    }

    private static func condition(_ text: String) -> QueueCondition? {
        (try? QueueExpression(text)).map { QueueCondition(text: text, expression: $0) }
    }

    private static func names(_ change: (inout QueueSelection) -> Void) -> [String] {
        var selection = QueueSelection()
        change(&selection)
        let chosen = try? selection.choose(from: records) { list().value($0, of: $1) }
        return chosen?.records.map(\.name) ?? []
    }

    @Test("names, patterns, types and contents choose")
    func choosing() {
        #expect(Self.names { $0.queues = ["d", "a", "x"] } == ["a", "d"])
        #expect(Self.names { $0.pattern = try? RegularExpression("^[ab]$") } == ["a", "b"])
        #expect(Self.names { $0.type = "quorum" } == ["b"])
        // What may hold tasks isn't known to be empty.
        #expect(Self.names { $0.isNonempty = true } == ["a", "c", "d", "é"])
        #expect(Self.names { $0.limit = 2 } == ["a", "b"])
        // The same letter in two pieces is another name to a broker.
        #expect(Self.names { $0.queues = ["e\u{301}"] } == [])
    }

    @Test("an expression chooses, and what it can't be told of is left out and counted")
    func conditions() throws {
        #expect(Self.names { $0.condition = Self.condition("messages > 4 and type == 'classic'") } == ["a", "d", "é"])
        #expect(Self.names { $0.condition = Self.condition("consumers == 3 or messages < 1") } == ["b", "d"])
        var selection = QueueSelection()
        selection.condition = Self.condition("messages < 10")
        selection.limit = 1
        let chosen = try selection.choose(from: Self.records) { Self.list().value($0, of: $1) }
        #expect(chosen.records.map(\.name) == ["a"] && chosen.undecided == 1)
        #expect(selection.columns == [.messages])
        var list = Self.list([Self.records[1]])
        list.undecided = 2
        #expect(
            QueueWait.obstacle(to: try QueueExpression("messages == 0"), in: list)
                == "whether --where holds isn't known of 2 queues")
        let check = QueueCheck(warning: try QueueExpression("messages > 0")).result(list)
        #expect(check.status == .done && check.line.contains("1 queue; 2 queues left out"), "\(check.line)")
    }

    @Test("retry and delay queues count for the queue they come back to, and what isn't known makes the sum unknown")
    func derived() {
        let columns: [QueueColumn] = [.ready, .readyWithRetries, .age]
        func record(_ name: String, _ ready: Int?, vhost: String = "/", published: Int? = nil) -> QueueRecord {
            QueueRecord(
                vhost: vhost, name: name,
                values: [
                    ready.map(QueueValue.integer) ?? .unknown, .unknown, published.map(QueueValue.integer) ?? .unknown,
                ])
        }
        var list = QueueList(
            columns: columns,
            records: [
                record("a", 1, published: 90), record("a.retry.10s", 2, published: 200), record("a.delay.1h", 4),
                record("a.retry.soon", 8), record("a.dead", 16), record("a.retry.10s.retry.5s", 32),
                record("a", 64, vhost: "v"), record("b", 1), record("b.retry.1s", nil), record("c", nil),
                record(".retry.1s", 128), record("", 1),
            ])
        list.derive(now: 100)
        let sums = list.records.map { list.value(.readyWithRetries, of: $0) }
        #expect(
            sums == [7, 34, 4, 8, 16, 32, 64, nil, nil, nil, 128, 129].map { $0.map(QueueValue.integer) ?? .unknown })
        #expect(list.records.map { list.value(.age, of: $0) }.prefix(3) == [.integer(10), .integer(0), .unknown])
        #expect(QueueList.sources(of: [.name, .readyWithRetries]) == [.name, .readyWithRetries, .ready])
    }

    @Test("sorting is stable both ways, and what isn't known goes last both ways")
    func sorting() {
        #expect(Self.names { $0.sortColumn = .messages } == ["b", "a", "é", "d", "c"])
        let reversed = Self.names {
            $0.sortColumn = .messages
            $0.isReversed = true
        }
        #expect(reversed == ["d", "a", "é", "b", "c"])
        #expect(Self.names { $0.sortColumn = .type } == ["a", "c", "d", "é", "b"])
        #expect(Self.names { $0.isReversed = true } == ["é", "d", "c", "b", "a"])
    }

    @Test("a page is asked for only where the broker's first queues are those that are shown")
    func paging() {
        var selection = QueueSelection()
        #expect(selection.pageSize == nil)
        selection.limit = 10
        #expect(selection.pageSize == 10)
        selection.limit = 501
        #expect(selection.pageSize == nil)
        selection.limit = 10
        for change in [
            { $0.isReversed = true }, { $0.queues = ["a"] }, { $0.type = "x" }, { $0.isNonempty = true },
            { $0.sortColumn = .messages }, { $0.condition = Self.condition("messages > 1") },
            { $0.pattern = try? RegularExpression("x") }, { $0.allVhosts = true },
        ] as [(inout QueueSelection) -> Void] {
            var other = selection
            change(&other)
            #expect(other.pageSize == nil)
        }
    }

    @Test("a check is critical before it is a warning, and unknown before it is fine")
    func check() throws {
        func result(_ warning: String?, _ critical: String?, _ records: [QueueRecord] = Self.records) throws -> String {
            let check = QueueCheck(
                warning: try warning.map { try QueueExpression($0) },
                critical: try critical.map { try QueueExpression($0) })
            let result = check.result(Self.list(records))
            return "\(result.status.rawValue) \(result.line)"
        }
        #expect(
            try result("messages > 3", "messages > 10")
                == "2 QUEUES CRITICAL - d: messages 12 | 'a messages'=5;3;10;0 "
                + "'b messages'=0;3;10;0 'd messages'=12;3;10;0 'é messages'=5;3;10;0\n"
        )
        #expect(
            try result("messages > 3", "messages > 20").hasPrefix("1 QUEUES WARNING - a: messages 5; d: messages 12; é")
        )
        #expect(try result("messages > 20", "consumers > 5").hasPrefix("3 QUEUES UNKNOWN - c: messages unknown"))
        #expect(
            try result(nil, "consumers > 5", [Self.record("x", messages: 1, consumers: 2)])
                == "0 QUEUES OK - 1 queue | 'x consumers'=2;;5;0\n")
        #expect(try result("messages > 3", nil, []).hasPrefix("3 QUEUES UNKNOWN - "))
        let many = (0..<9).map { Self.record("q\($0)", messages: 1) }
        #expect(try result("messages > 0", nil, many).contains("q4: messages 1; and 4 more |"))
        // A bar or a line's end in a name must not begin the performance data, nor a quote or = end a label.
        #expect(
            try result(nil, "messages > 3", [Self.record("a|b\n'=", messages: 4)])
                == "2 QUEUES CRITICAL - a\\x7cb\\x0a'=: messages 4 | 'a\\x7cb\\x0a''_ messages'=4;;3;0\n")
    }

    @Test("a wait goes on while a queue is missing, unknown or not yet as it should be")
    func wait() throws {
        let expression = try QueueExpression("messages < 10")
        #expect(QueueWait.obstacle(to: expression, in: Self.list([])) == "there is no such queue")
        var missing = Self.list([Self.records[0]])
        missing.missing = ["x"]
        #expect(QueueWait.obstacle(to: expression, in: missing) == "there is no queue \"x\"")
        #expect(QueueWait.obstacle(to: expression, in: Self.list([Self.records[0]])) == nil)
        #expect(QueueWait.obstacle(to: expression, in: Self.list()) == "queue \"c\" has messages unknown")
    }
}
