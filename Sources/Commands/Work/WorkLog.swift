// What a worker tells on standard error while it works.

import Broker
import Options
import Posix
import Worker

/// A line an event.
struct WorkLog {
    private let common: CommonOptions
    /// Printed tasks speak for themselves.
    private let isPrinting: Bool
    private let isMoving: Bool
    private let format: Format
    private let queues: [String]
    private let retries: RetryPolicy
    private let isTagged: Bool
    /// People watch: a line an event, and of ids what tells them apart.
    private let isTerminal: Bool
    private let context: CommandContext

    /// `--log-format`.
    enum Format: String, CaseIterable {
        case text, json
    }

    init(_ values: WorkCommand.Values, _ context: CommandContext) {
        common = values.common
        isPrinting = values.command.isEmpty
        isMoving = values.destination != nil
        format = values.logFormat
        queues = values.queues
        var retries = RetryPolicy()
        (retries.maximumAttempts, retries.delays) = (values.maximumAttempts, values.retryDelays)
        self.retries = retries
        isTagged = values.isTagged
        isTerminal = context.isTerminal(context.standardError)
        self.context = context
    }

    /// The line that a report is worth, nil when it isn't worth any.
    func line(_ report: WorkerState.Report, copyError: BrokerError?) -> String? {
        switch format {
        case .text: text(report, copyError: copyError).map { context.messageLine(fitted($0, report)) }
        case .json: isLogged(report) ? WorkLogRecord(report, copyError: copyError).line(queues: queues) : nil
        }
    }

    /// Programs are told everything, unless the worker is to be quiet.
    private func isLogged(_ report: WorkerState.Report) -> Bool {
        switch report {
        case .status: true
        case .started, .ended, .endedUnheard: !common.isQuiet && !isPrinting
        default: !common.isQuiet
        }
    }

    private func text(_ report: WorkerState.Report, copyError: BrokerError?) -> String? {
        switch report {
        case .started(let job, let delivery):
            return common.isVerbose && !isPrinting ? "job \(job) started: \(name(delivery))" : nil
        case .ended(let job, let delivery, let end, let verdict, let elapsed, let errors):
            guard !isPrinting, !common.isQuiet, verdict != .acknowledge || common.isVerbose else { return nil }
            return text(job, delivery, end, verdict, elapsed, errors)
        case .batchStarted(let job, let count, let queue):
            return common.isVerbose ? "job \(job) started: \(tasks(count, queue))" : nil
        case .batchEnded(let job, let outcomes, let end, let elapsed, let queue):
            guard !common.isQuiet, outcomes[.acknowledge] == nil || common.isVerbose else { return nil }
            return "job \(job)\(place(queue)): \(Self.text(end)) in \(elapsed.spokenText); "
                + text(WorkerState.Tally(counts: outcomes))
        case .status(let status): return text(status)
        case _ where common.isQuiet: return nil
        case .reconnecting(let error, let pause):
            return "\(error.message.withFullStop) Trying again in \(pause.spokenText)\(DeliveryTimeout.hint(error))"
        case .stillDown(let error, let pause):
            return common.isVerbose ? "\(error.message.withFullStop) Trying again in \(pause.spokenText)" : nil
        case .idle(let time):
            guard common.isVerbose else { return nil }
            return "no task for \(time.spokenText); where the queue holds some, other consumers get them"
        case .connected: return common.isVerbose && !isPrinting ? "connected" : nil
        case .reconnected: return "connected again"
        case .leaving(let running):
            return running > 0 ? "leaving when \(Self.commands(running)); \(again)" : nil
        case .interrupting(let running):
            return running > 0 ? "ending \(running == 1 ? "the running command" : "\(running) running commands")" : nil
        case .timedOut(let job, let delivery):
            return "job \(job) took too long and is ended: \(name(delivery))"
        case .batchTimedOut(let job, let count, let queue):
            return "job \(job) took too long and is ended: \(tasks(count, queue))"
        case .answerReturned(let delivery):
            return "\(name(delivery)) is done, but nobody waits for its answer any more"
        case .copyFailed(let delivery):
            let reason = copyError.map { ": \($0.message)" } ?? ""
            return "\(name(delivery)) stays here, its copy couldn't be sent\(reason)"
        case .cameBack(let job, let delivery):
            return common.isVerbose ? "job \(job) goes on with \(name(delivery)), which has come back" : nil
        case .settledLate(let delivery, let verdict):
            return common.isVerbose ? "\(name(delivery)) has come back: it \(Self.text(verdict))" : nil
        case .stopped(let job, let signal):
            let reason = signal == SIGTTIN || signal == SIGTTOU ? ": only the foreground may use the terminal" : ""
            return "job \(job) was stopped by \(SignalName.text(signal))\(reason)"
        case .startFailed(let reason, let pause):
            return "a command couldn't be started (\(reason)). Trying again in \(pause.spokenText)"
        case .queueCreated(let queue):
            return "queue \"\(queues[queue])\" didn't exist and was created"
        case .unanswered(let error):
            return "\(error.message.withFullStop) Still waiting"
        case .unconfirmed(let count, let time):
            let copies = count == 1 ? "the copy of a task" : "the copies of \(count) tasks"
            return "the broker hasn't confirmed \(copies) for \(time.spokenText). Still waiting"
        case .endedUnheard(let job, let delivery, let end, let elapsed):
            return
                "job \(job): \(Self.text(end)) in \(elapsed.spokenText), but the connection its task came on is gone: "
                + "\(name(delivery)) may be delivered again"
        case .blocked(let reason):
            return "blocked by broker: \(reason). Tasks that failed stay here until it takes their copies"
        case .unblocked: return "the broker takes copies again"
        case .paused: return "paused: kill -CONT \(getpid()) goes on"
        case .suspended(let silence):
            let loss = silence.map { ". In \($0.spokenText) the broker gives its tasks to others" } ?? ""
            return "stopped: fg goes on\(loss)"
        case .resumed: return "going on"
        case .linesLost(let count): return Self.text(linesLost: count)
        }
    }

    /// One line at the end: for people who watch, want to know more, or have something to look after.
    /// Where the worker failed before it had a task, the reason says more.
    func summarize(_ tally: WorkerState.Tally, hasFailed: Bool = false) {
        guard !common.isQuiet, !isPrinting || isMoving else { return }
        switch format {
        case .json: context.tell(WorkLogRecord(tally).line(queues: queues))
        case .text:
            if hasFailed, tally.counts.allSatisfy({ $0.value == 0 }) { return }
            let hasFailures = tally.counts.contains { $0.key != .acknowledge && $0.value > 0 }
            guard common.isVerbose || hasFailures || context.isTerminal(context.standardError) else { return }
            context.say(text(tally))
        }
    }

    /// A line that says why the worker failed.
    func note(_ error: CommandError) {
        guard format == .json else { return context.say(error.message) }
        var record = WorkLogRecord("error")
        (record.message, record.exitStatus) = (error.message, error.status.rawValue)
        context.tell(record.line(queues: queues))
    }

    static func text(linesLost count: Int) -> String {
        "\(count) \(count == 1 ? "line" : "lines") of the log dropped here, nobody read them"
    }

    /// How a command ended, what becomes of its task, and, when that isn't the end of it, the command's last words.
    private func text(
        _ job: WorkerState.JobID, _ delivery: Delivery, _ end: JobEnd, _ verdict: Verdict, _ elapsed: Duration,
        _ errors: [UInt8]
    ) -> String {
        let subject = (common.isVerbose || isTagged ? "job \(job), " : "") + name(delivery)
        let number = TaskCopy.attempt(of: delivery, endedBy: end)
        let attempt = "attempt \(number) of \(max(number, retries.maximumAttempts))"
        let time = isTerminal ? elapsed.spokenText.leftPadded(to: 6) : elapsed.spokenText
        // What wasn't started took no time.
        let outcome = "\(Self.text(end))\(end == .workerKilled ? "" : " in \(time)"), \(attempt)"
        let consequence =
            switch verdict {
            case .acknowledge: ""
            case .retry: ", again in \(retries.delay(afterAttempt: number).spokenText)"
            case .requeue: ", not counted, again in \(retries.delay(afterAttempt: 1).spokenText)"
            case .deadLetter, .reject, .giveBack: ", \(Self.participle(verdict))"
            }
        guard verdict != .acknowledge else { return "\(subject) is acknowledged: \(outcome)" }
        let words = Self.lastLine(of: errors)
        return "\(subject): \(outcome)\(consequence)\(words.isEmpty ? "" : ": \(words)")"
    }

    /// The last line with anything in it, as far as a log has room for it.
    private static func lastLine(of errors: [UInt8]) -> String {
        let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
        let line = lines.last { !$0.allSatisfy(\.isWhitespace) } ?? ""
        return String(line.drop(while: \.isWhitespace)).truncated(toDisplayWidth: 200)
    }

    /// On a terminal, an event that its last words would make wrap is cut there.
    private func fitted(_ text: String, _ report: WorkerState.Report) -> String {
        guard isTerminal, case .ended = report else { return text }
        let width = TerminalScreen.size(of: context.standardError).width
        return text.escapedForDisplay.truncated(toDisplayWidth: max(40, width - "workq: ".utf8.count))
    }

    /// What a signal that is sent once more does.
    private var again: String { isTerminal ? "Ctrl-C again ends it now" : "a second signal ends it now" }

    private func text(_ status: WorkerState.Status) -> String {
        let link = status.isConnected ? "connected" : "not connected"
        let paused = status.isPaused ? ", paused" : ""
        return "\(link)\(paused), \(status.running) running, \(status.waiting) waiting, \(status.held) held back; "
            + text(status.tally)
    }

    private func text(_ tally: WorkerState.Tally) -> String {
        let names: [(Verdict, String)] = [
            (.acknowledge, isMoving ? "moved" : "acknowledged"), (.retry, "to be tried again"), (.requeue, "requeued"),
            (.deadLetter, "dead-lettered"), (.reject, "rejected"), (.giveBack, "given back"),
        ]
        let parts = names.filter { tally[$0.0] > 0 }.map { "\(tally[$0.0]) \($0.1)" }
        return parts.isEmpty ? "no tasks" : "tasks: " + parts.joined(separator: ", ")
    }

    private static func commands(_ count: Int) -> String {
        count == 1 ? "the running command has ended" : "\(count) running commands have ended"
    }

    private func tasks(_ count: Int, _ queue: Int) -> String {
        (count == 1 ? "1 task" : "\(count) tasks") + place(queue)
    }

    private func name(_ delivery: Delivery) -> String {
        guard let id = delivery.properties.messageID?.description else {
            return "a task of \(delivery.body.count) bytes" + place(delivery.queue)
        }
        return "task \(isTerminal && common.verbosity < 2 ? String(id.prefix(Self.shortID)) : id)"
            + place(delivery.queue)
    }

    /// Where a task is from, when that goes without saying: nothing.
    private func place(_ queue: Int) -> String {
        queues.count > 1 ? " of \"\(queues[queue])\"" : ""
    }

    private static let shortID = 8

    private static func text(_ end: JobEnd) -> String {
        switch end {
        case .exited(let status): "status \(status)"
        case .signalled(let signal): "ended by \(SignalName.text(signal))"
        case .timedOut: "ended for taking too long"
        case .outputLost: "what it printed couldn't be passed on"
        case .workerKilled: "not started, since it has ended each worker that tried it"
        case .unusable(let reason), .notStarted(let reason): "not started (\(reason))"
        case .unfit(let reason): "not to be done (\(reason))"
        }
    }

    private static func text(_ verdict: Verdict) -> String {
        verdict == .retry ? "will be tried again" : "is \(participle(verdict))"
    }

    private static func participle(_ verdict: Verdict) -> String {
        switch verdict {
        case .acknowledge: "acknowledged"
        case .retry: "tried again"
        case .requeue: "requeued for later"
        case .deadLetter: "dead-lettered"
        case .reject: "rejected"
        case .giveBack: "given back"
        }
    }
}
