// One `purge` or `delete`: looks, asks, does, and reports.

import Broker
import Management
import Options
import Posix

/// The work of a `purge` or `delete`.
final class RemovalRun {
    /// Queues are shown one by one before the question up to this number.
    private static let shownTargets = 20
    /// For how long figures may lag behind a backup.
    private static let settleTime = Duration.seconds(3)

    private let plan: RemovalPlan
    private let context: CommandContext
    private let vhost: String
    private let listing: QueueListing
    private let session: QueueSession
    private let remover: QueueRemover
    private var failures: [CommandError] = []
    private var doneCount = 0

    init(_ plan: RemovalPlan, _ connection: ConnectionOptions, in context: CommandContext) throws(CommandError) {
        try plan.check(in: context)
        self.plan = plan
        self.context = context
        let parameters = try connection.parameters(for: plan.kind.verb, in: context)
        vhost = parameters.vhost
        listing = try QueueListing(connection, parameters, in: context)
        session = QueueSession(parameters)
        remover = QueueRemover(plan, on: session, listing) { text in
            if !plan.common.isQuiet { context.say(text) }
        }
    }

    func run() throws(CommandError) -> ExitStatus {
        defer { session.close() }
        let targets = try targets()
        try checkExpectation(of: targets)
        if !plan.options.isDryRun, asks(about: targets) {
            // Who thinks about the answer for long would lose the connection.
            session.close()
            guard isConfirmed(for: targets) else {
                context.say("nothing was \(plan.kind.participle)")
                return .refused
            }
            // The count may have changed while somebody thought.
            if plan.expected != nil { try checkExpectation(of: self.targets()) }
        }
        for target in targets { try handle(target) }
        if plan.options.isDryRun { tell("dry run: nothing was \(plan.kind.participle)") }
        tellWhatStays(of: targets)
        return status
    }

    private var isOnTerminal: Bool { context.isTerminal(context.standardInput) }

    /// Says something that isn't an error.
    private func tell(_ text: String) {
        if !plan.common.isQuiet { context.say(text) }
    }

    // MARK: - Looking

    /// The queues, each once: those named in the order given, then those that match.
    private func targets() throws(CommandError) -> [RemovalTarget] {
        var names = plan.options.queues
        var facts: [ShortString: QueueSummary] = [:]
        if let pattern = plan.options.pattern {
            let queues = try listing.queues(within: QueueListing.patience)
            let matching = queues.map(\.name).filter(pattern.matches)
            if matching.isEmpty, !plan.mayBeMissing {
                fail(CommandError(.refused, "no queue matches \(pattern.text)"))
            }
            names += matching
        }
        if plan.options.takesRetries {
            let queues = try listing.queues(within: QueueListing.patience)
            names = names.flatMap { name in
                let companions = CompanionQueues.of(name, among: queues).map(\.name)
                // While a queue is emptied, no task should come back to it.
                return companions + [name]
            }
        }
        if plan.wantsFacts(isOnTerminal: isOnTerminal) || plan.options.pattern != nil {
            do {
                let matters = !plan.conditions.isEmpty || plan.options.backup != nil
                facts = try listing.facts(within: matters ? QueueListing.patience : QueueListing.shortPatience)
            } catch {
                noteUnknown(error)
            }
        }
        // By their bytes: Swift takes names for equal that only look alike.
        var seen: Set<ShortString> = []
        return names.filter { seen.insert(ShortString($0)).inserted }.map { name in
            let summary = facts[ShortString(name)]
            var target = RemovalTarget(name: name, facts: summary, type: summary?.type)
            if name.utf8.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
                // The broker would drop these from the name, and it would be another queue's.
                target.failure = CommandError(
                    .refused, "queue \"\(name)\" has a line break in its name, which AMQP loses; it is left alone")
            } else if plan.looksFirst(isOnTerminal: isOnTerminal) {
                do throws(BrokerError) {
                    try look(at: &target)
                } catch {
                    target.failure = CommandError(error)
                }
            }
            return target
        }
    }

    private func noteUnknown(_ error: CommandError) {
        tell("how many tasks are unacknowledged isn't known: \(error.message)")
    }

    private func look(at target: inout RemovalTarget) throws(BrokerError) {
        target.status = try session.status(ofQueue: target.queue)
        guard target.status != nil else {
            if plan.mayBeMissing { target.isSkipped = true } else { target.failure = target.isMissing }
            return
        }
        let isBackup = plan.options.backup != nil
        if target.type == nil, isBackup || plan.conditions.contains(.empty) {
            do {
                target.type = try session.perform { channel throws(BrokerError) in
                    try channel.type(ofQueue: target.queue)
                }
            } catch  where !isBackup && error.code == .accessRefused {
                // Whoever may delete need not be allowed to read.
            }
        }
        if isBackup { target.failure = obstacleToBackup(of: target) }
        guard target.failure == nil, !plan.conditions.isEmpty, let check = target.check else { return }
        switch check.verdict(on: plan.conditions) {
        case .holds: break
        case .fails(let reason): target.failure = target.isKept(reason)
        case .inDoubt: target.inDoubtSince = .now
        }
    }

    private func obstacleToBackup(of target: RemovalTarget) -> CommandError? {
        if target.type == "stream" {
            return CommandError(
                .refused, "queue \"\(target.name)\" is a stream: its tasks can be read and not taken")
        }
        guard plan.kind == .delete, case .fails(let reason)? = target.check?.backupVerdict else { return nil }
        return target.isKept(reason)
    }

    private func checkExpectation(of targets: [RemovalTarget]) throws(CommandError) {
        guard let expected = plan.expected else { return }
        if let failure = targets.lazy.compactMap(\.failure).first { throw failure }
        guard targets.ready == expected else {
            throw CommandError(
                .refused, "nothing was purged: \(count(expected, "task")) expected, \(targets.ready) ready")
        }
    }

    // MARK: - Asking

    private func asks(about targets: [RemovalTarget]) -> Bool {
        guard isOnTerminal, !plan.options.isSure, targets.contains(where: \.isDoable) else { return false }
        return plan.kind == .delete || targets.ready > 0
    }

    private func isConfirmed(for targets: [RemovalTarget]) -> Bool {
        let doable = targets.filter(\.isDoable)
        let rows = OutputRows(columns: RemovalTarget.columns, rows: doable.prefix(Self.shownTargets).map(\.row))
        let width = TerminalScreen.size(of: context.standardError).width
        let style = TerminalStyle(context, descriptor: context.standardError)
        context.tell(
            String(decoding: rows.text(.table, hasHeader: true, on: .init(width: width, style: style)), as: UTF8.self))
        if doable.count > Self.shownTargets { context.tell("and \(doable.count - Self.shownTargets) more\n") }
        for line in listing.consumers(of: doable.map(\.queue)) { context.tell("\(line.escapedForDisplay)\n") }
        return Confirmation.isAnsweredYes(
            plan.kind.question(queues: doable.count, tasks: targets.ready), in: context)
    }

    // MARK: - Doing

    private func handle(_ target: RemovalTarget) throws(CommandError) {
        if target.isSkipped {
            if plan.options.format == .json { try writeReceipt(target, RemovalOutcome(), isDone: false) }
            if plan.common.isVerbose { context.say("there is no queue \"\(target.name)\"") }
            return
        }
        let outcome =
            if let failure = target.failure {
                RemovalOutcome(failure: failure)
            } else if plan.options.isDryRun {
                RemovalOutcome(count: target.status?.ready ?? 0)
            } else {
                remover.remove(target)
            }
        if outcome.failure == nil || outcome.count > 0 {
            doneCount += 1
            // When nobody can be told, nothing should be done to the others.
            if plan.options.format == .text {
                try context.write("\(target.name.escapedForDisplay)\t\(outcome.count)\n")
            }
        }
        if plan.options.format == .json {
            try writeReceipt(target, outcome, isDone: outcome.failure == nil && !plan.options.isDryRun)
        }
        if let failure = outcome.failure { fail(failure) }
    }

    private func writeReceipt(
        _ target: RemovalTarget, _ outcome: RemovalOutcome, isDone: Bool
    ) throws(CommandError) {
        let isPartly = outcome.failure != nil && outcome.count > 0
        var members: [(key: String, value: QueueValue)] = [
            ("queue", .text(target.name)), ("vhost", .text(vhost)),
            ("done", .text(isDone ? plan.kind.participle : isPartly ? "partly" : "nothing")),
            ("tasks", .integer(outcome.count)),
        ]
        if let path = plan.options.backup, isDone || isPartly { members.append(("backup", .text(path))) }
        if let failure = outcome.failure { members.append(("error", .text(Tool.hidingPasswords(in: failure.message)))) }
        var line: [UInt8] = []
        line.appendJSONObject(members)
        try context.write(line + [UInt8(ascii: "\n")])
    }

    private func fail(_ failure: CommandError) {
        context.say(failure.message)
        failures.append(failure)
    }

    /// Says what an operator would take for gone: the unacknowledged tasks that a purge leaves, and the queues that
    /// hold tasks for the ones named.
    private func tellWhatStays(of targets: [RemovalTarget]) {
        guard doneCount > 0, !plan.options.isDryRun, !plan.common.isQuiet else { return }
        listing.forget()
        do {
            var queues = try listing.queues(within: QueueListing.shortPatience)
            // What a backup has acknowledged may count for a moment longer.
            let deadline = Instant.now + Self.settleTime
            while plan.options.backup != nil, deadline > .now, hasUnacknowledged(targets, queues) {
                poll(nil, 0, 200)
                listing.forget()
                queues = try listing.queues(within: QueueListing.shortPatience)
            }
            if plan.kind == .purge { tellUnacknowledged(of: targets, queues) }
            if !plan.options.takesRetries { tellCompanions(of: targets, queues) }
        } catch {
            if plan.kind == .purge { noteUnknown(error) }
        }
    }

    private func hasUnacknowledged(_ targets: [RemovalTarget], _ queues: [QueueSummary]) -> Bool {
        let names = Set(targets.filter(\.isDoable).map(\.queue))
        return queues.contains { names.contains(ShortString($0.name)) && $0.unacknowledged ?? 0 > 0 }
    }

    private func tellUnacknowledged(of targets: [RemovalTarget], _ queues: [QueueSummary]) {
        let facts = Dictionary(queues.map { (ShortString($0.name), $0) }) { first, _ in first }
        for target in targets where target.isDoable {
            guard let queue = facts[target.queue], let number = queue.unacknowledged, number > 0 else { continue }
            // Of a quorum queue the figure is up to 5 seconds old; whoever holds a task of it is a consumer now.
            if queue.type == "quorum", (try? session.status(ofQueue: target.queue))??.consumers == 0 { continue }
            let (isOrAre, stays) = number == 1 ? ("is", "stays") : ("are", "stay")
            context.say("queue \"\(target.name)\": \(count(number, "task")) \(isOrAre) unacknowledged and \(stays)")
        }
    }

    private func tellCompanions(of targets: [RemovalTarget], _ queues: [QueueSummary]) {
        let names = Set(targets.map(\.queue))
        for target in targets where target.isDoable {
            let others = CompanionQueues.of(target.name, among: queues).filter { !names.contains(ShortString($0.name)) }
            guard !others.isEmpty else { continue }
            let tasks = others.reduce(0) { $0 + ($1.messages ?? 0) }
            let list = others.map { "\"\($0.name)\"" }.joined(separator: ", ")
            context.say(
                "queue \"\(target.name)\": \(list) stay\(others.count == 1 ? "s" : "") with \(count(tasks, "task")); "
                    + "--with-retries takes them too")
        }
    }

    private var status: ExitStatus {
        guard let first = failures.first else { return .done }
        if let signal = failures.lazy.map(\.status).first(where: { $0.rawValue > 128 }) { return signal }
        return doneCount > 0 ? .partlyDone : first.status
    }
}
