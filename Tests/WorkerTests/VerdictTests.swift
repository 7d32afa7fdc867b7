// What a command's end says about its task.

import Testing

@testable import Worker

@Suite("Verdicts") struct VerdictTests {
    @Test("status 0 acknowledges, also when the command was told to end")
    func success() {
        #expect(VerdictTable().verdict(on: .exited(0), wasInterrupted: false) == .acknowledge)
        #expect(VerdictTable().verdict(on: .exited(0), wasInterrupted: true) == .acknowledge)
    }

    private static var failures: [JobEnd] {
        (1...255).map { .exited($0) } + (1...64).map { .signalled($0) } + [.timedOut]
    }

    @Test("W13 any other end is a failed attempt, except 65 and 75; W6 interrupted it is none")
    func failure() {
        for end in Self.failures {
            #expect(VerdictTable().verdict(on: end, wasInterrupted: true) == .giveBack)
            let expected: Verdict =
                switch end {
                case .exited(65): .deadLetter
                case .exited(75): .requeue
                default: .retry
                }
            #expect(VerdictTable().verdict(on: end, wasInterrupted: false) == expected)
        }
        #expect(VerdictTable().verdict(on: .notStarted("no memory"), wasInterrupted: false) == .giveBack)
    }

    @Test("--on-exit changes what is mentioned and leaves the rest")
    func changes() throws {
        let table = try #require(VerdictTable(changes: "1=ack,timeout=dead-letter,255=reject"))
        #expect(table.verdict(on: .exited(1), wasInterrupted: false) == .acknowledge)
        #expect(table.verdict(on: .timedOut, wasInterrupted: false) == .deadLetter)
        #expect(table.verdict(on: .exited(255), wasInterrupted: false) == .reject)
        #expect(table.verdict(on: .exited(75), wasInterrupted: false) == .requeue)
        #expect(table.verdict(on: .exited(2), wasInterrupted: false) == .retry)
        #expect(table.verdict(on: .signalled(9), wasInterrupted: false) == .retry)
        let others = try #require(VerdictTable(changes: "*=requeue,signal=ack"))
        #expect(others.verdict(on: .exited(2), wasInterrupted: false) == .requeue)
        #expect(others.verdict(on: .timedOut, wasInterrupted: false) == .requeue)
        #expect(others.verdict(on: .signalled(9), wasInterrupted: false) == .acknowledge)
    }

    @Test("M13 what is no list of codes and verdicts is refused")
    func invalidChanges() {
        for text in [
            "", "1", "1=", "=ack", "256=ack", "-1=ack", "+1=ack", "1=give-back", "1=nack", "1=ack,", "1=ack=2", "x=ack",
        ] {
            #expect(VerdictTable(changes: text) == nil, "\(text)")
        }
    }
}
