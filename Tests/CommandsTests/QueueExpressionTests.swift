// Conditions on queues: what they mean, also where something isn't known, and where a bad one goes wrong.

import Management
import TestSupport
import Testing

@testable import Commands

@Suite("Queue expressions") struct QueueExpressionTests {
    private static func truth(_ text: String, _ values: [String: QueueValue]) throws -> Truth {
        try QueueExpression(text).truth { values[$0.name] ?? .unknown }
    }

    @Test(
        "comparisons, and, or, not and parentheses",
        arguments: [
            ("messages == 7", true), ("messages=7", true), ("7 == messages", true), ("messages != 7", false),
            ("messages < 8", true), ("messages <= 7", true), ("messages > 7", false), ("messages >= 7", true),
            ("consumers > messages_ready", true), ("messages > 6.5", true), ("messages > -1", true),
            ("messages==7 and consumers==0", false), ("messages==7 or consumers==0", true),
            ("messages==0 and messages==0 or messages==7", true), ("messages==7 or messages==7 and messages==0", true),
            ("(messages==7 or messages==7) and messages==0", false), ("not messages==0", true),
            ("not not messages==7", true), ("not (messages==7 and consumers==2)", false),
            ("messages==7 && !(consumers==0) || messages==1", true), ("  messages\t==\n7  ", true), ("1<2", true),
        ])
    func truth(text: String, holds: Bool) throws {
        let values: [String: QueueValue] = [
            "messages": .integer(7), "consumers": .integer(2), "messages_ready": .number(1.5),
        ]
        #expect(try Self.truth(text, values) == (holds ? .holds : .fails))
    }

    @Test(
        "what isn't known decides nothing, but also spoils nothing",
        arguments: [
            ("messages == 0", Truth.unknown), ("messages != 0", .unknown),
            ("messages == messages", .unknown), ("not messages == 0", .unknown),
            ("messages == 0 and 1 == 2", .fails), ("1 == 2 and messages == 0", .fails),
            ("messages == 0 and 1 == 1", .unknown), ("messages == 0 or 1 == 1", .holds),
            ("messages == 0 or 1 == 2", .unknown),
        ])
    func unknown(text: String, expected: Truth) throws {
        #expect(try Self.truth(text, [:]) == expected)
    }

    @Test(
        "an error points at the character where the text goes wrong",
        arguments: [
            ("", 1, "expected a column"), ("messages", 9, "expected a comparison"),
            ("messages =>5", 11, "expected a column"),
            ("messages == ", 13, "expected a column"), ("messages == 0 and", 18, "expected a column"),
            ("messages == 0 consumers", 15, "expected and"), ("(messages == 0", 15, "expected )"),
            ("messages == 0)", 14, "expected and"), ("mesages == 0", 1, "did you mean messages?"),
            ("zzz == 0", 1, "there are messages_ready"), ("type == 0", 1, "holds no numbers"),
            ("messages == 5x", 13, "no number"), ("messages == 1.2.3", 13, "no number"),
            ("messages # 0", 10, "unexpected"),
            ("messages == 1e3", 13, "no number"), ("ä == 0", 1, "no column"), ("messages == 0 or (ä)", 19, "no column"),
        ])
    func faults(text: String, position: Int, reason: String) {
        let fault = #expect(throws: ExpressionFault.self) { try QueueExpression(text) }
        #expect(fault?.position == position && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
    }

    @Test(
        "texts are compared by their bytes and by regular expressions, flags with true and false",
        arguments: [
            ("state == \"running\"", Truth.holds), ("state != 'running'", .fails), ("\"running\" = state", .holds),
            ("state == 'it''s'", .fails), ("name == 'it''s \"é\"'", .holds), ("name == \"it's \"\"é\"\"\"", .holds),
            ("name == 'it''s \"e\u{301}\"'", .fails), ("name =~ '^it.s'", .holds), ("name !~ '^it.s'", .fails),
            ("name =~ '[[:space:]].é.$'", .holds), ("name =~ 'IT'", .fails), ("state =~ 'run|idle'", .holds),
            ("durable == true and auto_delete != true", .holds), ("exclusive = true", .unknown),
            ("node =~ 'x' or state =~ 'run'", .holds), ("node !~ 'x'", .unknown), ("not node == 'x'", .unknown),
            ("state == type", .fails), ("memory > 64k", .holds), ("memory > 1M", .fails), ("memory >= -1", .holds),
            ("'a' == 'a'", .holds), ("true == false", .fails),
        ])
    func texts(text: String, expected: Truth) throws {
        let values: [String: QueueValue] = [
            "state": .text("running"), "name": .text("it's \"é\""), "type": .text("classic"), "durable": .flag(true),
            "auto_delete": .flag(false), "memory": .integer(65_537),
        ]
        #expect(try Self.truth(text, values) == expected)
    }

    @Test(
        "what can't be compared is refused at its place, with what would fit",
        arguments: [
            ("type > 3", 6, "> compares numbers, not texts: there ==, !=, =~ and !~ fit"),
            ("messages =~ \"1\"", 10, "=~ compares texts, not numbers"), ("durable < true", 9, "== and != fit"),
            ("type == 0", 1, "type holds no numbers; it is compared with a text in quotes"),
            ("0 == type", 6, "type holds no numbers"), ("messages == \"5\"", 1, "messages holds no texts"),
            ("durable == 1", 1, "compared with true or false"), ("durable == 'true'", 1, "durable holds no texts"),
            ("messages == true", 1, "messages holds no truth values"), ("arguments == 'x'", 1, "no single value"),
            ("messages == type", 1, "messages holds no texts"), ("memory > messages", 1, "memory is a size"),
            ("1 == 'x'", 1, "numbers can't be compared with texts"), ("memory > 64kb", 10, "no size"),
            ("messages > 64k", 12, "no number"), ("messages > +20%", 12, "no number"),
            ("state == running", 10, "a text is written in quotes: '\"running\"'"),
            ("running == state", 1, "a text is written in quotes"), ("state == \"run", 10, "no closing \""),
            ("state == 'run\"", 10, "no closing '"), ("state =~ name", 10, "a regular expression in quotes"),
            ("state =~ \"(\"", 10, "no regular expression: unmatched ("), ("'a' =~ state", 8, "a regular expression"),
            ("state =~ \"\\d\"", 10, "[0-9]"), ("state =~ ''", 10, "it is empty"),
            ("stat == 'x'", 1, "did you mean state?"),
            ("state ==", 9, "expected a column, a number or a text in quotes"),
            ("state == and", 10, "expected a column"),
        ])
    func kinds(text: String, position: Int, reason: String) {
        let fault = #expect(throws: ExpressionFault.self) { try QueueExpression(text) }
        #expect(fault?.position == position && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
    }

    @Test("nesting without an end is refused, not followed")
    func depth() throws {
        for text in [String(repeating: "(", count: 100_000), String(repeating: "not ", count: 100_000)] {
            let fault = #expect(throws: ExpressionFault.self) { try QueueExpression(text) }
            #expect(fault?.reason == "too many parentheses")
        }
        _ = try QueueExpression(String(repeating: "(", count: 50) + "1==1" + String(repeating: ")", count: 50))
    }

    @Test("no text makes the parser crash", arguments: seeds(50))
    func anyText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "messages", "consumers", "and", "or", "not", "(", ")", "==", "<", ">=", "1", "0.5", " ", "!", "&", "ä",
            "'", "=~", "'x'", "%", "+",
        ]
        for _ in 0..<200 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &random)]
            }.joined(separator: " ")
            if let expression = try? QueueExpression(text) {
                #expect(expression.truth { _ in QueueValue.integer(1) } != .unknown)
                #expect(expression.names.withoutRepeats == expression.names)
            }
        }
    }
}
