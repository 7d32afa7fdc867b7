// What becomes of a task when its command has ended.

/// How a command ended.
package enum JobEnd: Equatable, Sendable {
    /// With an exit status, 0 to 255.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)
    /// It took too long and was ended for that.
    case timedOut
    /// It was never started and won't be: no such executable, or not executable. The text says which.
    case unusable(String)
    /// It couldn't be started now: the system is short of processes or memory.
    case notStarted(String)
    /// What it printed got lost on its way through this process.
    case outputLost
    /// It never started this time: each attempt so far has ended the worker that made it.
    case workerKilled
    /// What the task needs can't be done, however often it is tried. The text says why.
    case unfit(String)
}

/// What becomes of a task.
package enum Verdict: String, CaseIterable {
    /// Done; the broker may forget it.
    case acknowledge = "ack"
    /// A failed attempt: tried again later, or dead-lettered after the last one.
    case retry
    /// Tried again later without counting an attempt.
    case requeue
    /// Not to be tried again; kept on the dead-letter queue.
    case deadLetter = "dead-letter"
    /// Left to the queue's own dead-letter exchange, which may be none.
    case reject
    /// Not tried to the end; it goes back to the queue at once.
    case giveBack = "give-back"
}

/// Which end of a command means what, for `--on-exit`. Pure.
package struct VerdictTable: Equatable {
    private var statuses: [Int32: Verdict] = [0: .acknowledge, 65: .deadLetter, 75: .requeue]
    private var signal: Verdict?
    private var timeout: Verdict?
    private var other = Verdict.retry

    /// 0 acknowledges, 75 requeues, 65 dead-letters, anything else is a failed attempt.
    package init() {}

    /// The usual table with changes: `CODE=VERDICT,...`, where CODE is 0 to 255, `signal`, `timeout` or `*`, and
    /// VERDICT is ack, retry, requeue, dead-letter or reject. nil when the text is nothing like that.
    package init?(changes text: String) {
        for change in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = change.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let verdict = Verdict(rawValue: String(parts[1])), verdict != .giveBack else {
                return nil
            }
            switch parts[0] {
            case "signal": signal = verdict
            case "timeout": timeout = verdict
            case "*": other = verdict
            default:
                guard parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let status = UInt8(parts[0]) else {
                    return nil
                }
                statuses[Int32(status)] = verdict
            }
        }
    }

    /// The verdict on a task whose command ended so. A command that this worker interrupted hasn't failed, and neither
    /// has one that never started.
    func verdict(on end: JobEnd, wasInterrupted: Bool) -> Verdict {
        switch end {
        case .exited(0): statuses[0] ?? .acknowledge
        case .unfit, .workerKilled: .deadLetter
        case _ where wasInterrupted: .giveBack
        case .exited(let status): statuses[status] ?? other
        case .signalled: signal ?? other
        case .timedOut: timeout ?? other
        case .unusable, .notStarted, .outputLost: .giveBack
        }
    }
}
