// Says what became of the tasks of one `publish`, in words and as a status.

import Broker
import Options
import Posix
import Publisher

/// The outcome of a `publish`.
struct PublishReport {
    /// Why tasks weren't confirmed. The first reason counts for status and message.
    enum Problem: Equatable {
        case publishing(Trouble)
        /// What has to do with no task: the spool, or a guard.
        case failed(CommandError)
        /// The task is confirmed, and its answer isn't printed; an empty reason is none to speak of.
        case unanswered(ExitStatus, String)
    }

    var tally = Tally()
    private(set) var problem: Problem?
    /// Tasks that are neither confirmed nor lost: they are in the spool.
    private(set) var spooled = 0

    init() {}

    init(_ state: PublishState) {
        tally = state.tally
        problem = state.trouble.map(Problem.publishing)
    }

    mutating func note(_ problem: Problem, _ number: Int? = nil) {
        self.problem = self.problem ?? problem
        tally.firstFailed = [tally.firstFailed, number].compactMap(\.self).min()
    }

    /// Notes that the spool has `count` tasks, that it couldn't take some, and why.
    mutating func keep(_ count: Int, unkept: [OutgoingTask], _ problem: Problem?) {
        spooled = count
        self.problem = problem
        tally.unknown = unkept.count(where: \.mayBeThere)
        if problem != nil { tally.firstFailed = unkept.map(\.number).min() ?? tally.firstFailed }
    }

    /// Whether the broker was away or silent, so that what isn't confirmed may be kept for later.
    var isOutage: Bool {
        if case .publishing(let trouble) = problem { trouble.isOutage } else { false }
    }

    private var done: Int { tally.confirmed + tally.sent }

    // MARK: - The status

    /// 3 when some tasks were confirmed and some not, else the status of the first problem.
    var status: ExitStatus {
        switch problem {
        case nil: .done
        case .failed(let error): error.status
        case .unanswered(let status, _): status
        case .publishing(.interrupted(let signal)): .signal(signal)
        case .publishing(.output(let error)): error.isBrokenPipe ? .signal(SIGPIPE) : .inputOutputError
        case .publishing(let trouble): done + spooled > 0 ? .partlyDone : status(of: trouble)
        }
    }

    /// Trying again is safe only when the broker has none of the tasks, and then the status says so.
    private func status(of trouble: Trouble) -> ExitStatus {
        let status = ExitStatus(trouble)
        let isTemporary = status == .temporaryFailure || status == .unavailable
        return isTemporary && tally.unknown > 0 ? .unknownOutcome : status
    }

    // MARK: - Words

    /// One line that says what failed, how many tasks are concerned, and what to do; nil when nothing failed, or when
    /// nobody wants to read on.
    func message(destination: String, isStream: Bool) -> String? {
        guard let reason, !reason.isEmpty else { return nil }
        if case .unanswered = problem { return "the task is confirmed on \(destination), but \(reason)" }
        if case .publishing(.output(let error)) = problem {
            guard !error.isBrokenPipe else { return nil }
            if tally.firstFailed == nil {
                let tasks = isStream ? "all tasks that were read, \(tally.confirmed), are" : "the task is"
                return "\(reason); \(tasks) confirmed on \(destination)"
            }
        }
        guard isStream else {
            guard tally.unknown > 0 else { return "task not confirmed on \(destination): \(reason)" }
            return "task not confirmed on \(destination): \(reason.withFullStop) "
                + "The outcome is unknown: the broker may have the task"
        }
        return "not all tasks were confirmed on \(destination): \(reason.withFullStop) \(counts)"
    }

    /// Why tasks weren't confirmed; nil when nothing failed.
    var reason: String? {
        switch problem {
        case nil: nil
        case .failed(let error): error.message
        case .unanswered(_, let reason): reason
        case .publishing(let trouble): trouble.message
        }
    }

    private var counts: String {
        var counts = ["\(done) \(tally.sent > 0 ? "sent" : "confirmed")"]
        if tally.returned > 0 { counts.append("\(tally.returned) returned") }
        if tally.nacked > 0 { counts.append("\(tally.nacked) refused") }
        if spooled > 0 { counts.append("\(spooled) kept in the spool") }
        if tally.unknown > 0 { counts.append("\(tally.unknown) unknown (the broker may have them)") }
        let first = tally.firstFailed.map { "; the first one not confirmed is task \($0)" } ?? ""
        return counts.joined(separator: ", ") + first
    }
}

extension ExitStatus {
    /// The status of trouble in which the broker has none of the tasks.
    init(_ trouble: Trouble) {
        self =
            switch trouble {
            case .refused(.returned): .refused
            case .refused(.task(let error)), .refused(.destination(let error)), .lost(let error): ExitStatus(error)
            case .refused(.nacked), .silent, .blocked, .late, .gaveUp: .temporaryFailure
            case .input(let failure): CommandError(failure).status
            case .output(let error): error.isBrokenPipe ? .signal(SIGPIPE) : .inputOutputError
            case .interrupted(let signal): .signal(signal)
            }
    }
}

extension Refusal {
    /// As it follows a colon.
    var message: String {
        switch self {
        case .returned(let text): "the broker returned it as unroutable (\(text)): no queue takes it"
        case .nacked: BrokerError.nackText
        case .task(let error), .destination(let error): CommandError(error).message
        }
    }
}

extension Trouble {
    /// As it follows a colon.
    var message: String {
        switch self {
        case .refused(let refusal): refusal.message
        case .silent(let time): "no confirm in \(time.shortText)"
        case .blocked(let reason, let time): "blocked by the broker (\(reason)), and no confirm in \(time.shortText)"
        // Here a hint about the host would be wrong: it was reached.
        case .late(let error): error.message
        case .lost(let error): CommandError(error).message
        case .gaveUp(let error, let time): CommandError(error.after(time)).message
        case .input(let failure): CommandError(failure).message
        case .output(let error): "cannot write message ids to standard output: \(error.text)"
        case .interrupted: "interrupted"
        }
    }
}

extension BrokerError {
    /// The same, and how long it was put up with.
    fileprivate func after(_ time: Duration) -> BrokerError {
        var error = self
        error.text += "; gave up after \(time.shortText)"
        return error
    }
}

extension SystemError {
    /// Whether the reader has gone away, as `head` does, which is nothing to speak of.
    var isBrokenPipe: Bool { number == EPIPE }
}

extension CommandError {
    /// Input that no task can be made of.
    init(_ failure: TaskSourceFailure) {
        switch failure {
        case .unreadable(let number):
            self.init(.noInput, "cannot read standard input: \(SystemError(number).text)")
        case .tooLong(let limit):
            self.init(.refused, "the task is longer than \(limit) bytes, which no broker takes")
        case .malformed(let line, let reason):
            self.init(.refused, "line \(line) is no task: \(reason)")
        }
    }
}
