// Counts what became of the tasks of one `publish`, and says it.

import Broker

/// The outcome of a `publish`. Every task that was read is counted exactly once.
struct PublishReport {
    /// Why tasks weren't confirmed. The first reason counts for status and message.
    enum Trouble: Equatable {
        case returned(text: String)
        case nacked
        /// No confirm in time; the text says whether an alarm is the reason.
        case timedOut(String)
        case broker(BrokerError)
        case unreadable(String)
        case tooLong(limit: Int)
        /// Ended by a signal.
        case interrupted(Int32)
    }

    private(set) var confirmed = 0
    private(set) var returned = 0
    private(set) var nacked = 0
    private(set) var unknown = 0
    private(set) var trouble: Trouble?
    /// The number, from 1, of the first task that wasn't confirmed.
    private(set) var firstFailed: Int?

    mutating func confirm() {
        confirmed += 1
    }

    /// Takes a confirmation back that was only assumed.
    mutating func unconfirm() {
        confirmed -= 1
    }

    /// Notes that tasks from `number` on were never sent.
    mutating func stop(before number: Int) {
        firstFailed = min(firstFailed ?? number, number)
    }

    mutating func failReturned(_ number: Int, text: String) {
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
        if let first = numbers.first { firstFailed = min(firstFailed ?? first, first) }
    }

    mutating func note(_ trouble: Trouble, _ number: Int? = nil) {
        if self.trouble == nil { self.trouble = trouble }
        if let number { firstFailed = min(firstFailed ?? number, number) }
    }

    /// Whether anything failed, so that no more should be sent.
    var hasTrouble: Bool { trouble != nil }

    /// 3 when some tasks were confirmed and some not, else the status of the first trouble.
    func status() -> ExitStatus {
        guard let trouble else { return .done }
        if case .interrupted(let signal) = trouble { return .signal(signal) }
        if confirmed > 0 { return .partlyDone }
        switch trouble {
        case .returned: return .refused
        case .nacked, .timedOut: return .temporaryFailure
        case .broker(let error): return ExitStatus(error)
        case .unreadable: return .noInput
        case .tooLong: return .refused
        case .interrupted(let signal): return .signal(signal)
        }
    }

    /// One line that says what failed, how many tasks are concerned, and what to do; nil when nothing failed.
    func message(destination: String, isStream: Bool) -> String? {
        guard let trouble else { return nil }
        let reason =
            switch trouble {
            case .returned(let text): "the broker returned it as unroutable (\(text)): there is no such queue"
            case .nacked: "the broker refused to take it (nack), as a full queue does"
            case .timedOut(let text): text
            case .broker(let error): CommandError(error).message
            case .unreadable(let text): text
            case .tooLong(let limit): "the task is longer than \(limit) bytes, which no broker takes"
            case .interrupted: "interrupted"
            }
        guard isStream else {
            guard unknown > 0 else { return "task not confirmed on \(destination): \(reason)" }
            return "task not confirmed on \(destination): \(Self.sentence(reason)) "
                + "The outcome is unknown: the broker may have the task"
        }
        var counts = ["\(confirmed) confirmed"]
        if returned > 0 { counts.append("\(returned) returned") }
        if nacked > 0 { counts.append("\(nacked) refused") }
        if unknown > 0 { counts.append("\(unknown) unknown (the broker may have them)") }
        let first = firstFailed.map { "; the first one not confirmed is task \($0)" } ?? ""
        return
            "not all tasks were confirmed on \(destination): \(Self.sentence(reason)) \(counts.joined(separator: ", "))\(first)"
    }

    private static func sentence(_ text: String) -> String { text.hasSuffix("?") ? text : "\(text)." }
}
