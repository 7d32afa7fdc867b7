// The small languages of conditions and patterns.

import Glibc

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

/// A pattern, a newline, and names, a line each. They are short: what takes for ever is told apart by time, and the
/// thread that it takes can't be ended.
@Sendable func matchPattern(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0).text }
    guard let first = lines.first, let pattern = NamePattern(first) else { return }
    let names = lines.dropFirst().map { String($0.prefix(12)) }
    let start = time(nil)
    do throws(CommandError) {
        let matches = try pattern.matches(names)
        require(matches.count == names.count, "there are \(matches.count) answers for \(names.count) names")
    } catch {
        require(error.status == .refused, "status \(error.status) for a pattern")
    }
    require(time(nil) - start < 8, "a pattern takes \(time(nil) - start) seconds")
}
