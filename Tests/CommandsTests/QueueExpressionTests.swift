// Conditions on queues: what they mean, also where something isn't known, and where a bad one goes wrong.

import Management
import TestSupport
import Testing

@testable import Commands

@Suite("Queue expressions") struct QueueExpressionTests {
    private static func truth(_ text: String, _ values: [String: QueueValue]) throws -> QueueExpression.Truth {
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
            ("messages == 0", QueueExpression.Truth.unknown), ("messages != 0", .unknown),
            ("messages == messages", .unknown), ("not messages == 0", .unknown),
            ("messages == 0 and 1 == 2", .fails), ("1 == 2 and messages == 0", .fails),
            ("messages == 0 and 1 == 1", .unknown), ("messages == 0 or 1 == 1", .holds),
            ("messages == 0 or 1 == 2", .unknown),
        ])
    func unknown(text: String, expected: QueueExpression.Truth) throws {
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
        let fault = #expect(throws: QueueExpression.Fault.self) { try QueueExpression(text) }
        #expect(fault?.position == position && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
    }

    @Test("nesting without an end is refused, not followed")
    func depth() throws {
        for text in [String(repeating: "(", count: 100_000), String(repeating: "not ", count: 100_000)] {
            let fault = #expect(throws: QueueExpression.Fault.self) { try QueueExpression(text) }
            #expect(fault?.reason == "too many parentheses")
        }
        _ = try QueueExpression(String(repeating: "(", count: 50) + "1==1" + String(repeating: ")", count: 50))
    }

    @Test("no text makes the parser crash", arguments: seeds(50))
    func anyText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "messages", "consumers", "and", "or", "not", "(", ")", "==", "<", ">=", "1", "0.5", " ", "!", "&", "ä",
        ]
        for _ in 0..<200 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &random)]
            }.joined(separator: " ")
            if let expression = try? QueueExpression(text) {
                #expect(expression.truth { _ in .integer(1) } != .unknown)
                #expect(expression.columns.withoutRepeats == expression.columns)
            }
        }
    }
}
