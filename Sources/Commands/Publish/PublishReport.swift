// Counts what became of the tasks of one `publish`, and says it.

import Broker
import Options
import Posix

/// The outcome of a `publish`. Every task that was read is counted exactly once.
struct PublishReport {
    /// Why tasks weren't confirmed. The first reason counts for status and message.
    enum Trouble: Equatable {
        case returned(text: String)
        case nacked
        /// No confirm in time; the text says whether an alarm is the reason.
        case timedOut(String)
        case broker(BrokerError)
        /// The broker stayed away for as long as it was to be waited for.
        case gaveUp(BrokerError)
        case input(TaskSourceFailure)
        /// What has to do with no task: the spool, a guard, or standard output.
        case failed(CommandError)
        /// Ended by a signal.
        case interrupted(Int32)
    }

    /// Without confirms: sent, and not returned when the broker had worked off all of them.
    private(set) var confirmed = 0
    /// Without confirms, sent and not heard of yet.
    private(set) var assumed = 0
    private(set) var returned = 0
    private(set) var nacked = 0
    private(set) var unknown = 0
    /// Neither confirmed nor lost: they are in the spool.
    private(set) var spooled = 0
    private(set) var trouble: Trouble?
    /// Whether the broker was asked for confirms.
    var isConfirming = true
    /// The number, from 1, of the first task that wasn't confirmed.
    private(set) var firstFailed: Int?

    mutating func confirm() {
        confirmed += 1
    }

    /// Notes a task that was sent without confirms.
    mutating func assume() {
        assumed += 1
    }

    /// Notes that one of those tasks came back.
    mutating func unassume() {
        assumed -= 1
    }

    /// Notes that the broker has worked off what was sent without confirms.
    mutating func confirmAssumed() {
        confirmed += assumed
        assumed = 0
    }

    /// Notes that the broker doesn't have them.
    mutating func dropAssumed() {
        assumed = 0
    }

    /// Notes that nobody will know what became of tasks that were sent without confirms.
    mutating func abandonAssumed() {
        unknown += assumed
        assumed = 0
    }

    /// Notes that tasks from `number` on were never sent.
    mutating func stop(before number: Int) {
        firstFailed = min(firstFailed ?? number, number)
    }

    /// Notes a task that no queue took; its number isn't known without confirms.
    mutating func failReturned(_ number: Int?, text: String) {
        returned += 1
        note(.returned(text: text), number)
    }

    mutating func failNacked(_ number: Int) {
        nacked += 1
        note(.nacked, number)
    }

    /// Notes tasks that were sent and whose outcome nobody knows.
    mutating func leaveUnknown(_ numbers: [Int]) {
        unknown += numbers.count
        if let first = numbers.min() { firstFailed = min(firstFailed ?? first, first) }
    }

    mutating func note(_ trouble: Trouble, _ number: Int? = nil) {
        if self.trouble == nil { self.trouble = trouble }
        if let number { firstFailed = min(firstFailed ?? number, number) }
    }

    /// Begins with keeping what wasn't confirmed: it is no trouble any more if that works.
    mutating func beginKeeping() {
        trouble = nil
        unknown = 0
        firstFailed = nil
    }

    /// Notes that the spool has `count` tasks, and what it couldn't take.
    mutating func endKeeping(_ count: Int, unkept: [OutgoingTask]) {
        spooled = count
        leaveUnknown(unkept.filter(\.wasSent).map(\.number))
        if let first = unkept.first { stop(before: first.number) }
    }

    /// Whether anything failed, so that no more should be sent.
    var hasTrouble: Bool { trouble != nil }

    /// Whether the broker was away or silent, so that what isn't confirmed may be kept for later.
    var isOutage: Bool {
        switch trouble {
        case .timedOut, .gaveUp: true
        case .broker(let error): error.isRetriable
        default: false
        }
    }

    /// 3 when some tasks were confirmed and some not, else the status of the first trouble.
    func status() -> ExitStatus {
        switch trouble {
        case nil: .done
        case .interrupted, .failed: troubleStatus
        default: confirmed + spooled > 0 ? .partlyDone : troubleStatus
        }
    }

    /// The status of the first trouble alone.
    var troubleStatus: ExitStatus {
        switch trouble {
        case nil: .done
        case .returned: .refused
        case .nacked, .timedOut, .gaveUp: .temporaryFailure
        case .broker(let error): ExitStatus(error)
        case .input(let failure): CommandError(failure).status
        case .failed(let error): error.status
        case .interrupted(let signal): .signal(signal)
        }
    }

    /// One line that says what failed, how many tasks are concerned, and what to do; nil when nothing failed.
    func message(destination: String, isStream: Bool) -> String? {
        guard let reason else { return nil }
        guard isStream else {
            guard unknown > 0 else { return "task not confirmed on \(destination): \(reason)" }
            return "task not confirmed on \(destination): \(reason.withFullStop) "
                + "The outcome is unknown: the broker may have the task"
        }
        return "not all tasks were confirmed on \(destination): \(reason.withFullStop) \(counts)"
    }

    static let nackText =
        "the broker refused to take it (nack), as a full queue does, or one without a majority of its nodes"

    /// Why tasks weren't confirmed; nil when nothing failed.
    var reason: String? {
        switch trouble {
        case nil: nil
        case .returned(let text): "the broker returned it as unroutable (\(text)): no queue takes it"
        case .nacked: Self.nackText
        case .timedOut(let text): text
        case .broker(let error), .gaveUp(let error): CommandError(error).message
        case .input(let failure): CommandError(failure).message
        case .failed(let error): error.message
        case .interrupted: "interrupted"
        }
    }

    private var counts: String {
        var counts = ["\(confirmed) \(isConfirming ? "confirmed" : "sent")"]
        if returned > 0 { counts.append("\(returned) returned") }
        if nacked > 0 { counts.append("\(nacked) refused") }
        if spooled > 0 { counts.append("\(spooled) kept in the spool") }
        if unknown > 0 { counts.append("\(unknown) unknown (the broker may have them)") }
        let first = firstFailed.map { "; the first one not confirmed is task \($0)" } ?? ""
        return counts.joined(separator: ", ") + first
    }

}

extension CommandError {
    /// Input that no task can be made of.
    init(_ failure: TaskSourceFailure) {
        switch failure {
        case .unreadable(let number):
            self.init(.noInput, "cannot read standard input: \(SystemError.text(number))")
        case .tooLong(let limit):
            self.init(.refused, "the task is longer than \(limit) bytes, which no broker takes")
        case .malformed(let line, let reason):
            self.init(.refused, "line \(line) is no task: \(reason)")
        }
    }
}
