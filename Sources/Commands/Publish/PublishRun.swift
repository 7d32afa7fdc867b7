// One `publish` from its first look at the spool to its last word.

import Broker
import Options
import Posix
import Publisher

/// The parts of a publish, in their order: the spool's tasks, the guard, the tasks themselves, and what becomes of
/// those that weren't confirmed.
final class PublishRun {
    private let plan: PublishPlan
    private let context: CommandContext
    private let session: PublishSession
    private let voice: PublishVoice
    private let source: InputSource
    private let ids: PrintedIDs?
    private let inbox: ReplyInbox?
    private let interruption: Interruption?
    private var report = PublishReport()
    /// Tasks that are neither confirmed nor in the spool, in the order of input; more may be in the source.
    private var leftovers: [OutgoingTask] = []
    private var deliveredFromSpool = 0
    private var hasSpoolRefusals = false

    init(_ plan: PublishPlan, _ parameters: ConnectionParameters, in context: CommandContext) {
        self.plan = plan
        self.context = context
        let isStream = plan.form != .one
        voice = PublishVoice(context, isQuiet: plan.common.isQuiet, isStream: isStream)
        source = InputSource(plan, in: context)
        let form = plan.format == .json ? PublishReceipt.idForm : .lines
        ids = plan.printsIDs ? PrintedIDs(context.standardOutput, form) : nil
        interruption = isStream ? Interruption() : nil
        inbox = plan.replyTime.map { _ in ReplyInbox(correlationID: plan.correlationID ?? "") }
        session = PublishSession(parameters, interruption: interruption, inbox: inbox)
    }

    /// Publishes everything and says what failed.
    func run() throws(CommandError) -> ExitStatus {
        let unsentFile = try plan.unsentFile.map { name throws(CommandError) in try UnsentFile(name) }
        let spool = try plan.spool.map { name throws(CommandError) in try Spool(name, interruption: interruption) }
        try source.prepare()
        var outage: String?
        do throws(CommandError) {
            if let spool { outage = try deliver(spool) }
            if let depth = try depth(spool, &outage), depth >= plan.maximumDepth ?? .max {
                return conclude(skip(depth), isSkipped: true)
            }
        } catch {
            report.note(.failed(error), 1)
        }
        if report.problem == nil, outage == nil { outage = send() }
        if let spool, let outage { keep(in: spool, outage) }
        if report.problem == nil, let time = plan.replyTime { answer(within: time) }
        if interruption?.isUrgent != true { report.problem == nil ? session.close() : session.leave() }
        do throws(CommandError) {
            return conclude(try finish(unsentFile))
        } catch {
            _ = conclude(error.status)
            throw error
        }
    }

    /// Prints the receipt, where one is asked for. Where it can't be printed, that is the status of what went well.
    private func conclude(_ status: ExitStatus, isSkipped: Bool = false) -> ExitStatus {
        guard plan.format == .json, ids?.failure == nil else { return status }
        let receipt = PublishReceipt(
            report: report, status: status, destination: plan.route.destination, isSkipped: isSkipped,
            deliveredFromSpool: deliveredFromSpool, time: voice.elapsed)
        do throws(CommandError) {
            try context.write(receipt.text(after: ids))
            return status
        } catch {
            if !error.message.isEmpty { context.say(error.message) }
            return status == .done ? error.status : status
        }
    }

    // MARK: - Before the tasks

    /// Delivers what the spool holds; returns the reason why the tasks of this publish must go there too.
    private func deliver(_ spool: Spool) throws(CommandError) -> String? {
        var delivery = SpoolDelivery(
            spool, at: plan.place(), over: session, plan.settings, interruption: interruption, voice: voice)
        defer {
            deliveredFromSpool = delivery.delivered
            hasSpoolRefusals = delivery.hasRefusals
        }
        guard case .postponed(let reason, _) = try delivery.run() else { return nil }
        return reason
    }

    /// Ends without having published anything, as asked for.
    private func skip(_ depth: Int) -> ExitStatus {
        if plan.common.isVerbose {
            let tasks = depth == 1 ? "1 task" : "\(depth) tasks"
            voice.say("nothing published: \(plan.route.destination.description) holds \(tasks)")
        }
        session.close()
        return hasSpoolRefusals ? .partlyDone : .done
    }

    /// How many tasks the queue holds, where that matters; without a broker, how many the spool holds for it.
    private func depth(_ spool: Spool?, _ outage: inout String?) throws(CommandError) -> Int? {
        guard plan.maximumDepth != nil else { return nil }
        if outage == nil {
            let state = PublishLoop(
                NoTasks(), over: session, plan.settings, interruption: interruption, listener: voice.listener()
            ).run()
            guard let trouble = state.trouble else { return try depth() }
            guard spool != nil, trouble.isOutage else { throw CommandError(ExitStatus(trouble), trouble.message) }
            outage = trouble.message
            session.leave()
        }
        return try spool?.depth(of: plan.route.destination, at: plan.place())
    }

    private func depth() throws(CommandError) -> Int {
        let queue = QueueGuard(
            destination: plan.route.destination, session: session, vhost: plan.place().vhost, api: plan.api,
            note: { [voice] in voice.note($0) })
        return try queue.depth(upTo: plan.maximumDepth ?? .max)
    }

    // MARK: - The tasks

    /// Sends the tasks; returns the reason if an outage keeps the rest back.
    private func send() -> String? {
        var settings = plan.settings
        settings.keepsTasks = settings.retryFor != nil || plan.spool != nil || plan.unsentFile != nil
        let state = PublishLoop(
            source, over: session, settings, interruption: interruption, ids: ids, listener: voice.listener()
        ).run()
        report = PublishReport(state)
        leftovers = state.leftovers
        return report.isOutage ? report.reason : nil
    }

    /// Waits for the answer and prints it. The task is confirmed by now, whatever comes of that.
    private func answer(within time: Duration) {
        do throws(BrokerError) {
            try session.waitForReply(until: .now + time)
        } catch {
            return report.note(.unanswered(ExitStatus(error), "its answer is lost: \(CommandError(error).message)"))
        }
        guard let answer = inbox?.answer else {
            let text = "no answer came in \(time.shortText). Does its worker run with --reply?"
            return report.note(.unanswered(.temporaryFailure, text))
        }
        do throws(CommandError) {
            try context.write(answer)
        } catch {
            report.note(.unanswered(error.status, error.message))
        }
    }

    // MARK: - After the tasks

    /// Puts into the spool what isn't confirmed, and all that is still to be read.
    private func keep(in spool: Spool, _ reason: String) {
        var writer = SpoolWriter(spool, plan.route.destination, at: plan.place(), ids)
        var waiting = leftovers[...]
        var problem: PublishReport.Problem?
        do throws(CommandError) {
            while let task = waiting.popFirst() { try writer.add(task) }
            problem = try keepRest(&writer).map(PublishReport.Problem.publishing)
            try writer.finish()
            ids?.finish()
            if let failure = ids?.failure, problem == nil { problem = .publishing(.output(failure)) }
        } catch {
            problem = .failed(CommandError(error.status, "\(reason), and \(error.message)"))
        }
        leftovers = writer.unkept + waiting
        report.keep(writer.kept, unkept: leftovers, problem)
        guard writer.kept > 0 else { return }
        let tasks = writer.kept == 1 ? "1 task is" : "\(writer.kept) tasks are"
        voice.note("\(reason.withFullStop) \(tasks) kept in \(spool.folder)")
    }

    /// Reads all that there is, unless a signal comes. Returns why there may be more.
    private func keepRest(_ writer: inout SpoolWriter) throws(CommandError) -> Trouble? {
        while !source.isExhausted {
            switch nextTask() {
            case .success(let task?): try writer.add(task)
            case .success(nil): continue
            case .failure(let failure): return .input(failure)
            case nil: return .interrupted(interruption?.take().first ?? SIGTERM)
            }
        }
        return nil
    }

    /// The next task, after a look at the input where that is needed for it; nil when a signal came instead.
    private func nextTask() -> Result<OutgoingTask?, TaskSourceFailure>? {
        do throws(TaskSourceFailure) {
            if let task = try source.next() { return .success(task) }
            guard !source.isExhausted else { return .success(nil) }
            if let interruption, interruption.wait(orFor: source.descriptor) { return nil }
            try source.read()
            return .success(nil)
        } catch {
            return .failure(error)
        }
    }

    private func finish(_ unsentFile: UnsentFile?) throws(CommandError) -> ExitStatus {
        voice.endProgress()
        guard report.problem != nil else {
            if plan.common.isVerbose { context.say(receipt) }
            return hasSpoolRefusals ? .partlyDone : .done
        }
        let destination = plan.route.destination.description
        if let message = report.message(destination: destination, isStream: plan.form != .one) { context.say(message) }
        guard let unsentFile, !(leftovers.isEmpty && source.isExhausted) else { return report.status }
        if let reason = try unsentFile.write(
            leftovers, source, separator: plan.form.separator, interruption: interruption)
        {
            context.say("the rest of the input is missing from \(unsentFile.path): \(reason)")
        }
        voice.note("the tasks that were not confirmed are in \(unsentFile.path)")
        return report.status
    }

    private var receipt: String {
        let count = report.tally.confirmed + report.tally.sent
        let outcome = plan.settings.waitsForConfirms ? "confirmed on" : "sent to"
        let text = "\(count) task\(count == 1 ? "" : "s") \(outcome) \(plan.route.destination.description)"
        let spooled = deliveredFromSpool > 0 ? ", and \(deliveredFromSpool) from the spool before" : ""
        guard plan.form != .one else { return text + spooled }
        let rate = voice.rate(of: count)
        return "\(text)\(spooled) in \(voice.elapsed.roundedText)" + (rate > 0 ? ", \(rate) a second" : "")
    }
}

/// A source without tasks: what is sent from it only makes the connection.
private final class NoTasks: TaskSource {
    var isExhausted: Bool { true }
    var descriptor: Int32? { nil }
    func next() -> OutgoingTask? { nil }
    func read() {}
    func confirm(_ task: OutgoingTask) {}
    func refuse(_ task: OutgoingTask, _ reason: Refusal) {}
}

extension Duration {
    /// Seconds with one digit behind the point.
    fileprivate var roundedText: String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)s"
    }
}
