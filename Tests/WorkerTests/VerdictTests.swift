// What a command's end says about its task.

import Testing

@testable import Worker

@Suite("Verdicts") struct VerdictTests {
    @Test("status 0 acknowledges, also when the command was told to end")
    func success() {
        #expect(Verdict(of: .exited(0), wasInterrupted: false) == .acknowledge)
        #expect(Verdict(of: .exited(0), wasInterrupted: true) == .acknowledge)
    }

    private static var failures: [JobEnd] {
        (1...255).map { .exited($0) } + (1...64).map { .signalled($0) } + [.notStarted("no memory")]
    }

    @Test("W13 no other end ever acknowledges; left alone it is a failure, W6 interrupted it isn't")
    func failure() {
        for end in Self.failures {
            #expect(Verdict(of: end, wasInterrupted: true) == .giveBack)
            let verdict = Verdict(of: end, wasInterrupted: false)
            #expect(verdict != .acknowledge)
            if end != .exited(75), end != .exited(65) {
                #expect(verdict == Verdict(of: .exited(1), wasInterrupted: false))
            }
        }
        #expect(Verdict(of: .exited(1), wasInterrupted: false) == .requeue)
    }
}
