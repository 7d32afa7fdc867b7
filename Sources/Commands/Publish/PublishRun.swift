// One `publish` from its first look at the spool to its last word.

import Broker
import Options
import Posix
import Worker

/// The parts of a publish, in their order: the spool's tasks, the guard, the tasks themselves, and what becomes of those
/// that weren't confirmed.
final class PublishRun {
    private let plan: PublishPlan
    private let context: CommandContext
    private let settings: PublishStream.Settings
    private let link: BrokerLink
    private let voice: PublishVoice
    private let source: InputSource
    private let ids: PrintedIDs?
    private let signals: SignalPipe?
    private var report = PublishReport()
    /// Tasks that are neither confirmed nor in the spool, in the order of input; more may be in the source.
    private var leftovers: [OutgoingTask] = []
    private var deliveredFromSpool = 0
    private var hasSpoolRefusals = false

    init(
        _ plan: PublishPlan, _ settings: PublishStream.Settings, _ parameters: ConnectionParameters,
        in context: CommandContext
    ) {
        self.plan = plan
        self.context = context
        self.settings = settings
        let isStream = plan.form != .one
        voice = PublishVoice(context, isQuiet: plan.common.isQuiet, isStream: isStream)
        link = BrokerLink(parameters, confirms: settings.confirms, retryFor: settings.retryFor, voice: voice)
        source = InputSource(plan, in: context)
        ids = plan.printsIDs ? PrintedIDs(context) : nil
        signals = isStream ? SignalPipe(catching: [SIGINT, SIGTERM]) : nil
    }

    /// Publishes everything and says what failed.
    func run() throws(CommandError) -> ExitStatus {
        let unsentFile = try plan.unsentFile.map { name throws(CommandError) in try UnsentFile(name) }
        let spool = try plan.spool.map { name throws(CommandError) in try Spool(name) }
        try source.prepare()
        var outage: String?
        do throws(CommandError) {
            if let spool { outage = try deliver(spool) }
            if let depth = try depth(spool, &outage), depth >= plan.maximumDepth ?? .max { return skip(depth) }
        } catch {
            report.note(.failed(error), 1)
        }
        if !report.hasTrouble, outage == nil { outage = send() }
        if let spool, let outage { keep(in: spool, outage) }
        if !report.hasTrouble { link.close() }
        return try finish(unsentFile)
    }

    // MARK: - Before the tasks

    /// Delivers what the spool holds; returns the reason why the tasks of this publish must go there too.
    private func deliver(_ spool: Spool) throws(CommandError) -> String? {
        let delivery = SpoolDelivery(spool, over: link, settings, in: context, voice: voice, signals: signals)
        let ending = try delivery.run()
        deliveredFromSpool = delivery.delivered
        hasSpoolRefusals = delivery.hasRefusals
        if case .postponed(let reason, _) = ending { return reason }
        return nil
    }

    /// Ends without having published anything, as asked for.
    private func skip(_ depth: Int) -> ExitStatus {
        if plan.common.isVerbose {
            voice.say("nothing published: \(plan.route.destination.description) holds \(depth) tasks")
        }
        link.close()
        return hasSpoolRefusals ? .partlyDone : .done
    }

    /// How many tasks the queue holds, where that matters; without a broker, how many the spool holds for it.
    private func depth(_ spool: Spool?, _ outage: inout String?) throws(CommandError) -> Int? {
        guard plan.maximumDepth != nil else { return nil }
        if outage == nil {
            do throws(BrokerError) {
                try link.connect { end in
                    guard let signal = signals.pause(until: end) else { return true }
                    report.note(.interrupted(signal))
                    return false
                }
                return try link.withPublisher { publisher throws(BrokerError) in
                    try plan.route.destination.depth(&publisher)
                }
            } catch {
                guard spool != nil, error.isRetriable, !report.hasTrouble else { throw CommandError(error) }
                outage = CommandError(error).message
                link.drop()
            }
        }
        return try spool?.depth(of: plan.route.destination)
    }

    // MARK: - The tasks

    /// Sends the tasks; returns the reason if an outage keeps the rest back.
    private func send() -> String? {
        var settings = settings
        settings.keepsTasks = settings.retryFor != nil || plan.spool != nil || plan.unsentFile != nil
        let stream = PublishStream(
            source, over: link, settings, in: context, voice: voice, ids: ids, signals: signals)
        stream.run()
        report = stream.report
        leftovers = stream.leftovers
        return report.isOutage ? report.reason : nil
    }

    // MARK: - After the tasks

    /// Puts into the spool what isn't confirmed, and all that is still to be read.
    private func keep(in spool: Spool, _ reason: String) {
        report.beginKeeping()
        var writer = SpoolWriter(spool, plan.route.destination, ids)
        var waiting = leftovers[...]
        do throws(CommandError) {
            while let task = waiting.popFirst() { try writer.add(task) }
            try keepRest(&writer)
            try writer.finish()
            try ids?.finish()
        } catch {
            report.note(.failed(CommandError(error.status, "\(reason), and \(error.message)")))
        }
        leftovers = writer.unkept + waiting
        report.endKeeping(writer.kept, unkept: leftovers)
        guard writer.kept > 0 else { return }
        let tasks = writer.kept == 1 ? "1 task is" : "\(writer.kept) tasks are"
        voice.note("\(reason.withFullStop) \(tasks) kept in \(spool.folder)")
    }

    /// Reads all that there is, unless a signal comes.
    private func keepRest(_ writer: inout SpoolWriter) throws(CommandError) {
        while !source.isExhausted, !report.hasTrouble {
            if let task = nextTask() {
                try writer.add(task)
            } else if !source.isExhausted, !report.hasTrouble {
                readInput()
            }
        }
    }

    private func nextTask() -> OutgoingTask? {
        do throws(TaskSourceFailure) {
            return try source.next()
        } catch {
            report.note(.input(error))
            return nil
        }
    }

    private func readInput() {
        if let signal = signals?.waitForSignal(orReading: source.descriptor) {
            return report.note(.interrupted(signal))
        }
        do throws(TaskSourceFailure) {
            try source.read()
        } catch {
            report.note(.input(error))
        }
    }

    private func finish(_ unsentFile: UnsentFile?) throws(CommandError) -> ExitStatus {
        voice.endProgress()
        guard let message = report.message(destination: plan.route.destination.description, isStream: plan.form != .one)
        else {
            if plan.common.isVerbose { context.say(receipt) }
            return hasSpoolRefusals ? .partlyDone : .done
        }
        context.say(message)
        guard let unsentFile else { return report.status() }
        if let reason = try unsentFile.write(leftovers, source, separator: plan.form.separator, signals: signals) {
            context.say("the rest of the input is missing from \(unsentFile.path): \(reason)")
        }
        voice.note("the tasks that were not confirmed are in \(unsentFile.path)")
        return report.status()
    }

    private var receipt: String {
        let count = report.confirmed
        let outcome = report.isConfirming ? "confirmed on" : "sent to"
        let text = "\(count) task\(count == 1 ? "" : "s") \(outcome) \(plan.route.destination.description)"
        let spooled = deliveredFromSpool > 0 ? ", and \(deliveredFromSpool) from the spool before" : ""
        guard plan.form != .one else { return text + spooled }
        return "\(text)\(spooled) in \(voice.elapsed.roundedText), \(voice.rate(of: count)) a second"
    }
}

extension Duration {
    /// Seconds with one digit behind the point.
    fileprivate var roundedText: String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)s"
    }
}
