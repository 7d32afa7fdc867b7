// What a worker tells on standard error while it works.

import Broker
import Options
import Worker

/// A line an event.
struct WorkLog {
    private let common: CommonOptions
    /// Printed tasks speak for themselves.
    private let isPrinting: Bool
    private let context: CommandContext

    init(_ common: CommonOptions, isPrinting: Bool, _ context: CommandContext) {
        self.common = common
        self.isPrinting = isPrinting
        self.context = context
    }

    func note(_ report: WorkerState.Report) {
        switch report {
        case .started(let job, let delivery):
            if common.isVerbose, !isPrinting { context.say("job \(job) started: \(Self.name(delivery))") }
        case .ended(let job, let delivery, let end, let verdict, let elapsed):
            guard !isPrinting, !common.isQuiet, verdict != .acknowledge || common.isVerbose else { return }
            context.say(
                "job \(job) \(Self.text(end)) after \(elapsed.shortText): \(Self.name(delivery)) \(Self.text(verdict))")
        case .reconnecting(let error, let pause):
            if !common.isQuiet { context.say("\(error.message). Trying again in \(pause.shortText)") }
        case .reconnected:
            if !common.isQuiet { context.say("connected again") }
        case .leaving(let running):
            if !common.isQuiet, running > 0 { context.say("leaving when \(Self.commands(running)) finished") }
        case .interrupting(let running):
            if !common.isQuiet, running > 0 { context.say("ending \(Self.commands(running))") }
        }
    }

    private static func commands(_ count: Int) -> String {
        count == 1 ? "the running command" : "\(count) running commands"
    }

    private static func name(_ delivery: Delivery) -> String {
        delivery.properties.messageID.map { "task \($0)" } ?? "a task of \(delivery.body.count) bytes"
    }

    private static func text(_ end: JobEnd) -> String {
        switch end {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .unusable(let reason), .notStarted(let reason): "couldn't be started (\(reason))"
        }
    }

    private static func text(_ verdict: Verdict) -> String {
        switch verdict {
        case .acknowledge: "is acknowledged"
        case .requeue: "will be requeued"
        case .giveBack: "is given back"
        }
    }
}
