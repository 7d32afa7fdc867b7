// What workq work does in a single pass over a queue: looking, choosing, and putting tasks back where they came from.

import Broker
import Options
import Posix
import Worker

/// One pass for `--peek`, `--where` and `--move-back`.
struct WorkScan {
    /// How often tasks may have come back before that is told.
    private static let notableReturns = 10

    private let values: WorkCommand.Values
    private let parameters: ConnectionParameters
    private let context: CommandContext
    private let queue: String
    /// Lines and bodies on their way to standard output.
    private var output: [UInt8] = []
    /// Tasks that don't say which queue they came from.
    private var homeless = 0

    init(_ values: WorkCommand.Values, _ parameters: ConnectionParameters, in context: CommandContext) {
        self.values = values
        self.parameters = parameters
        self.context = context
        queue = values.queues[0]
    }

    mutating func run() throws(CommandError) -> ExitStatus {
        guard let signals = SignalPipe(catching: [SIGINT, SIGTERM, SIGHUP]) else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        let connection: Connection
        var scan: QueueScan
        do {
            connection = try Connection.open(parameters)
            scan = try QueueScan(settings(), on: Channel(on: connection), signals: signals)
        } catch {
            throw Self.failure(error)
        }
        let ending: QueueScan.Ending
        do throws(QueueScan.Failure) {
            ending = try scan.run(choose: { choose($0) }, flush: { () throws(SystemError) in try flush() })
        } catch {
            var failure = Self.failure(error)
            if failure.status != .signal(SIGPIPE) {
                failure.message = "\(failure.message.withFullStop) \(Self.whatIsLeft(by: scan))"
            }
            throw failure
        }
        connection.close()
        tell(scan)
        switch ending {
        case .interrupted(let signal):
            throw CommandError(.signal(signal), "interrupted. \(Self.whatIsLeft(by: scan))")
        case .withheld:
            throw .withheld(by: queue)
        case .done: break
        }
        if let refusal = scan.refusal { throw CommandError(refusal) }
        return .done
    }

    private static func whatIsLeft(by scan: QueueScan) -> String {
        let twice = scan.unsureCount > 0 ? ", and of it \(count(scan.unsureCount, "task")) may be there twice" : ""
        return "What wasn't taken is still in its place\(twice)"
    }

    private static func failure(_ error: any Error) -> CommandError {
        switch error {
        case let error as CommandError: error
        case let error as BrokerError: CommandError(error)
        case QueueScan.Failure.broker(let error): CommandError(error)
        case QueueScan.Failure.output(let error) where error.number == EPIPE: CommandError(.signal(SIGPIPE), "")
        case QueueScan.Failure.output(let error):
            CommandError(.inputOutputError, "cannot write to standard output: \(error.text)")
        default: CommandError(.temporaryFailure, "\(error)")
        }
    }

    private func settings() throws(CommandError) -> QueueScan.Settings {
        var settings = QueueScan.Settings(queue: queue)
        if let peek = values.peek {
            // Without a condition the first ones are those.
            if values.condition == nil { settings.limit = peek } else { settings.greatestCount = peek }
        }
        settings.greatestCount = values.count ?? settings.greatestCount
        if values.destination != nil || values.isMovingBack {
            settings.moving = QueueScan.Moving(
                try values.targetParameters(in: context) ?? parameters,
                creates: values.createsQueue
                    ? try values.destination.map { name throws(CommandError) in (name, try values.newQueue()) } : nil,
                confirmTimeout: values.confirmTimeout
            ) { [values, context] reason in
                guard !values.common.isQuiet else { return }
                context.say("blocked by broker: \(reason.escapedForDisplay). Waiting for the end of that")
            }
        }
        return settings
    }

    // MARK: - Each task

    private mutating func choose(_ delivery: Delivery) -> QueueScan.Choice {
        if let condition = values.condition, condition.truth(TaskFacts(delivery, now: time(nil)).value(of:)) != .holds {
            return .leave
        }
        if values.isMovingBack {
            guard let home = TaskCopy.home(of: delivery), home != ShortString(queue) || values.targetURL != nil else {
                homeless += 1
                return .leave
            }
            return .move(to: home)
        }
        if let destination = values.destination { return .move(to: ShortString(destination)) }
        output += values.text(of: delivery)
        return values.peek == nil ? .take : .show
    }

    private mutating func flush() throws(SystemError) {
        guard !output.isEmpty else { return }
        try Transfer.write(output, to: context.standardOutput)
        output.removeAll(keepingCapacity: true)
    }

    // MARK: - What is said

    private func tell(_ scan: QueueScan) {
        guard !values.common.isQuiet else { return }
        if homeless > 0 {
            context.say(
                "\(count(homeless, "task")) of queue \"\(queue)\" \(homeless == 1 ? "doesn't" : "don't") say which "
                    + "queue to go back to, and \(homeless == 1 ? "stays" : "stay")")
        }
        if scan.greatestReturns >= Self.notableReturns {
            context.say(
                "tasks of queue \"\(queue)\" have come back up to \(scan.greatestReturns) times, and each look counts: "
                    + "at the queue's delivery limit, 20 on RabbitMQ 4 unless it is set, the broker drops them. "
                    + "`--move-to` another queue and back makes them new")
        }
        let left = scan.seen - scan.taken
        guard values.common.isVerbose else { return }
        context.say("\(count(scan.seen, "task")) looked at, \(scan.taken) taken, \(left) left in place")
    }
}
