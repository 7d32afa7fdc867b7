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
    private let maximumAttempts: Int
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
        maximumAttempts = values.maximumAttempts
        self.context = context
    }

    /// The line that a report is worth, nil when it isn't worth any.
    func line(_ report: WorkerState.Report, copyError: BrokerError?) -> String? {
        switch format {
        case .text: text(report, copyError: copyError).map(context.messageLine)
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
        case .ended(let job, let delivery, let end, let verdict, let elapsed):
            guard !isPrinting, !common.isQuiet, verdict != .acknowledge || common.isVerbose else { return nil }
            return "job \(job) \(Self.text(end)) after \(elapsed.shortText)\(attempt(delivery)): "
                + "\(name(delivery)) \(Self.text(verdict))"
        case .batchStarted(let job, let count, let queue):
            return common.isVerbose ? "job \(job) started: \(tasks(count, queue))" : nil
        case .batchEnded(let job, let outcomes, let end, let elapsed, let queue):
            guard !common.isQuiet, outcomes[.acknowledge] == nil || common.isVerbose else { return nil }
            return "job \(job) \(Self.text(end)) after \(elapsed.shortText)\(place(queue)): "
                + text(WorkerState.Tally(counts: outcomes))
        case .status(let status): return text(status)
        case _ where common.isQuiet: return nil
        case .reconnecting(let error, let pause):
            return "\(error.message.withFullStop) Trying again in \(pause.shortText)\(DeliveryTimeout.hint(error))"
        case .stillDown(let error, let pause):
            return common.isVerbose ? "\(error.message.withFullStop) Trying again in \(pause.shortText)" : nil
        case .idle(let time):
            guard common.isVerbose else { return nil }
            return "no task for \(time.shortText); where the queue holds some, other consumers get them"
        case .connected: return common.isVerbose && !isPrinting ? "connected" : nil
        case .reconnected: return "connected again"
        case .leaving(let running):
            return running > 0 ? "leaving when \(Self.commands(running)) finished" : nil
        case .interrupting(let running):
            return running > 0 ? "ending \(Self.commands(running))" : nil
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
            return "job \(job) was stopped by signal \(signal)\(reason)"
        case .startFailed(let reason, let pause):
            return "a command couldn't be started (\(reason)). Trying again in \(pause.shortText)"
        case .queueCreated(let queue):
            return "queue \"\(queues[queue])\" didn't exist and was created"
        case .unanswered(let error):
            return "\(error.message). Still waiting"
        case .unconfirmed(let count, let time):
            let copies = count == 1 ? "the copy of a task" : "the copies of \(count) tasks"
            return "the broker hasn't confirmed \(copies) for \(time.shortText). Still waiting"
        case .endedUnheard(let job, let delivery, let end, let elapsed):
            return
                "job \(job) \(Self.text(end)) after \(elapsed.shortText), but the connection its task came on is gone: "
                + "\(name(delivery)) may be delivered again"
        case .blocked(let reason):
            return "blocked by broker: \(reason). Tasks that failed stay here until it takes their copies"
        case .unblocked: return "the broker takes copies again"
        case .paused: return "paused; CONT goes on"
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

    private func attempt(_ delivery: Delivery) -> String {
        let attempt = TaskCopy.attempt(of: delivery)
        let maximum = max(attempt, maximumAttempts)
        return attempt > 1 || common.isVerbose ? " (attempt \(attempt) of \(maximum))" : ""
    }

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
        count == 1 ? "the running command" : "\(count) running commands"
    }

    private func tasks(_ count: Int, _ queue: Int) -> String {
        (count == 1 ? "1 task" : "\(count) tasks") + place(queue)
    }

    private func name(_ delivery: Delivery) -> String {
        (delivery.properties.messageID.map { "task \($0)" } ?? "a task of \(delivery.body.count) bytes")
            + place(delivery.queue)
    }

    /// Where a task is from, when that goes without saying: nothing.
    private func place(_ queue: Int) -> String {
        queues.count > 1 ? " of \"\(queues[queue])\"" : ""
    }

    private static func text(_ end: JobEnd) -> String {
        switch end {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .timedOut: "was ended for taking too long"
        case .outputLost: "has printed what couldn't be passed on"
        case .workerKilled: "wasn't started: its task has ended each worker that tried it"
        case .unusable(let reason), .notStarted(let reason): "couldn't be started (\(reason))"
        case .unfit(let reason): "can't do its task (\(reason))"
        }
    }

    private static func text(_ verdict: Verdict) -> String {
        switch verdict {
        case .acknowledge: "is acknowledged"
        case .retry: "will be tried again"
        case .requeue: "is requeued for later"
        case .deadLetter: "is dead-lettered"
        case .reject: "is rejected"
        case .giveBack: "is given back"
        }
    }
}
