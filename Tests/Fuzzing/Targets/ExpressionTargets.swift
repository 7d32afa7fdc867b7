// The small languages of conditions and patterns.

import Glibc
import Posix

@testable import Commands

@Sendable func readExpression(_ bytes: [UInt8]) {
    let text = bytes.text
    var values = ListQueuesCommand.Values()
    values.waitExpression = text
    do throws(CommandError) {
        _ = try ListQueuesPlan(values)
    } catch {
        require(error.status == .usage, "status \(error.status) for an expression")
    }
    do throws(FailCondition.Fault) {
        let condition = try FailCondition(text)
        require(condition.text == text, "a condition is shown as another one")
    } catch {
        require(0...text.count ~= error.offset, "the fault is said to be outside of the text")
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
