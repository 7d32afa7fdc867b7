// The small languages of conditions and patterns.

import Glibc
import Posix

@testable import Commands

/// A text is read as a condition on queues, on tasks and on a bench's figures; where it is none, the place is told.
@Sendable func readExpression(_ bytes: [UInt8]) {
    let text = bytes.text
    read(text) { text throws(ExpressionFault) in _ = try QueueExpression(text) }
    read(text) { text throws(ExpressionFault) in _ = try TaskCondition(ofTask: text) }
    read(text) { text throws(ExpressionFault) in
        let condition = try FailCondition(text)
        require(condition.text == text, "a condition is shown as another one")
    }
}

private func read(_ text: String, _ body: (String) throws(ExpressionFault) -> Void) {
    do throws(ExpressionFault) {
        try body(text)
    } catch {
        require(1...text.unicodeScalars.count + 1 ~= error.position, "the fault is said to be at \(error.position)")
    }
}

/// A pattern, a newline, and names, a line each.
@Sendable func matchPattern(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0).text }
    guard let first = lines.first, let pattern = try? RegularExpression(first) else { return }
    let start = time(nil)
    for name in lines.dropFirst() { _ = pattern.matches(name) }
    require(time(nil) - start < 8, "a pattern takes \(time(nil) - start) seconds")
}
