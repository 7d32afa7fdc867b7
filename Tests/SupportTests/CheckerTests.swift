// The checker, which judges the tests that matter most.

import TestSupport
import Testing

@Suite("The checker")
struct CheckerTests {
    @Test("is content when every confirmed task was seen once")
    func sound() {
        let report = Checker.check(sent: [1: .confirmed, 2: .confirmed, 3: .unknown, 4: .failed], seen: [2, 1])
        #expect(report.isSound)
        #expect(report.duplicateCount == 0)
        #expect(report.recovered.isEmpty)
        #expect(report.sent == [.confirmed: 2, .unknown: 1, .failed: 1])
    }

    @Test("tells lost, unexpected, duplicated, recovered and failed but seen tasks apart")
    func unsound() {
        let report = Checker.check(
            sent: [1: .confirmed, 2: .confirmed, 3: .confirmed, 4: .unknown, 5: .unknown, 6: .failed],
            seen: [2, 4, 2, 2, 6, 9, 9])
        #expect(!report.isSound)
        #expect(report.lost == [1, 3])
        #expect(report.unexpected == [9])
        #expect(report.duplicated == [2: 2, 9: 1])
        #expect(report.duplicateCount == 3)
        #expect(report.recovered == [4])
        #expect(report.failedButSeen == [6])
        #expect(report.seen == 7)
    }

    @Test("describes long lists as runs of neighbours")
    func description() {
        let sent = Dictionary(uniqueKeysWithValues: (1...1_000).map { ($0, Checker.Outcome.confirmed) })
        let report = Checker.check(sent: sent, seen: Array(11...1_000).filter { $0 != 500 })
        #expect(
            report.description == """
                sent 1000 (1000 confirmed, 0 unknown, 0 failed), seen 989 times
                lost: 11 (1...10, 500)
                unexpected: none
                duplicated: 0 too many of none
                recovered: none
                failed but seen: none
                """)
    }
}
