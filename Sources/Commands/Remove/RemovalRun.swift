// One `purge` or `delete`: looks, asks, does, and reports.

import Broker
import Management
import Options
import Posix
import Worker

/// The work of a `purge` or `delete`.
final class RemovalRun {
    /// Queues are shown one by one before the question up to this number.
    private static let shownTargets = 20

    private let removal: Removal
    private let options: RemovalOptions
    private let common: CommonOptions
    private let context: CommandContext
    private let listing: QueueListing
    private let session: QueueSession
    private let remover: QueueRemover
    private var failures: [CommandError] = []
    private var doneCount = 0

    init(
        _ removal: Removal, _ options: RemovalOptions, _ connection: ConnectionOptions, _ common: CommonOptions,
        in context: CommandContext
    ) throws(CommandError) {
        try Self.check(options, removal, in: context)
        self.removal = removal
        self.options = options
        self.common = common
        self.context = context
        let parameters = try connection.parameters(for: removal.verb, in: context)
        listing = QueueListing(connection, parameters, in: context)
        session = QueueSession(parameters)
        remover = QueueRemover(
            removal, on: session, backupPath: options.backup,
            facts: { [listing] name in try? listing.facts()[name] }, note: { context.say($0) })
    }

    /// Refuses what can't be meant, before anything connects.
    private static func check(
        _ options: RemovalOptions, _ removal: Removal, in context: CommandContext
    ) throws(CommandError) {
        let verb = removal.verb
        guard !options.queues.isEmpty || options.pattern != nil else {
            throw CommandError(.usage, "\(verb): QUEUE is missing")
        }
        if options.pattern != nil, !options.isSure, !options.isDryRun, !context.isTerminal(context.standardInput) {
            throw CommandError(
                .usage, "\(verb): --match needs --yes where there is no terminal to ask on; --dry-run shows the queues")
        }
        guard let path = options.backup else { return }
        guard options.queues.count == 1, options.pattern == nil else {
            throw CommandError(
                .usage, "\(verb): --backup needs exactly one QUEUE, since a file holds the tasks of one queue")
        }
        if let obstacle = TaskBackup.obstacle(to: path) { throw obstacle }
    }

    func run() throws(CommandError) -> ExitStatus {
        defer { session.close() }
        let targets = try targets()
        try checkExpectation(of: targets)
        if !options.isDryRun, asks(about: targets) {
            // Who thinks about the answer for long would lose the connection.
            session.close()
            guard isConfirmed(for: targets) else {
                context.say("nothing was \(removal.participle)")
                return .refused
            }
            // The count may have changed while somebody thought.
            if removal.expected != nil { try checkExpectation(of: self.targets()) }
        }
        for target in targets { try handle(target) }
        if options.isDryRun, !common.isQuiet { context.say("dry run: nothing was \(removal.participle)") }
        tellWhatStays(of: targets)
        return status
    }

    // MARK: - Looking

    private var isOnTerminal: Bool { context.isTerminal(context.standardInput) }

    /// Whether the counts matter before anything is done. A delete always looks: a missing queue would be deleted with
    /// success.
    private var looksFirst: Bool {
        removal != .purge(expected: nil) || options.isDryRun || options.backup != nil
            || isOnTerminal && !options.isSure
    }

    /// Whether what only the management API knows matters before anything is done.
    private var wantsFacts: Bool {
        if case .delete(let conditions, _) = removal, !conditions.isEmpty { return true }
        return options.backup != nil || isOnTerminal && !options.isSure && !options.isDryRun
    }

    /// The queues, each once: those named in the order given, then those that match.
    private func targets() throws(CommandError) -> [RemovalTarget] {
        var names = options.queues
        var facts: [ShortString: QueueSummary] = [:]
        if let pattern = options.pattern {
            let queues = try listing.queues()
            facts = Dictionary(queues.map { (ShortString($0.name), $0) }) { first, _ in first }
            let matching = queues.map(\.name).filter(pattern.matches)
            if matching.isEmpty { noteNoMatch(of: pattern) }
            names += matching
        } else if wantsFacts {
            do {
                facts = try listing.facts()
            } catch {
                noteUnknown(error)
            }
        }
        // By their bytes: Swift takes names for equal that only look alike.
        var seen: Set<ShortString> = []
        return names.filter { seen.insert(ShortString($0)).inserted }.map { name in
            let summary = facts[ShortString(name)]
            var target = RemovalTarget(name: name, unacknowledged: summary?.unacknowledged, type: summary?.type)
            if name.utf8.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
                // The broker would drop these from the name, and it would be another queue's.
                target.failure = CommandError(
                    .refused, "queue \"\(name)\" has a line break in its name, which AMQP loses; it is left alone")
            } else if looksFirst {
                look(at: &target)
            }
            return target
        }
    }

    private func noteNoMatch(of pattern: NamePattern) {
        if case .delete(_, mayBeMissing: true) = removal { return }
        fail(CommandError(.refused, "no queue matches \(pattern.text)"))
    }

    private func noteUnknown(_ error: CommandError) {
        guard !common.isQuiet else { return }
        context.say("how many tasks are unacknowledged isn't known: \(error.message)")
    }

    private func look(at target: inout RemovalTarget) {
        do throws(BrokerError) {
            target.status = try session.status(ofQueue: target.queue)
        } catch {
            target.failure = CommandError(error)
            return
        }
        guard target.status != nil else {
            if case .delete(_, mayBeMissing: true) = removal {
                target.isSkipped = true
            } else {
                target.failure = target.isMissing
            }
            return
        }
        if options.backup != nil { target.failure = target.obstacleToBackup(before: removal) }
        if case .delete(let conditions, _) = removal, target.failure == nil {
            target.failure = target.violation(of: conditions)
        }
    }

    private func checkExpectation(of targets: [RemovalTarget]) throws(CommandError) {
        guard let expected = removal.expected else { return }
        if let failure = targets.lazy.compactMap(\.failure).first { throw failure }
        guard targets.ready == expected else {
            throw CommandError(
                .refused, "nothing was purged: \(count(expected, "task")) expected, \(targets.ready) ready")
        }
    }

    // MARK: - Asking

    private func asks(about targets: [RemovalTarget]) -> Bool {
        guard isOnTerminal, !options.isSure, targets.contains(where: \.isDoable) else { return false }
        return removal.verb == "delete" || targets.ready > 0
    }

    private func isConfirmed(for targets: [RemovalTarget]) -> Bool {
        let doable = targets.filter(\.isDoable)
        for target in doable.prefix(Self.shownTargets) { context.say(target.summary) }
        if doable.count > Self.shownTargets { context.say("and \(doable.count - Self.shownTargets) more") }
        let tasks = count(targets.ready, "task")
        let queues = count(doable.count, "queue")
        return Question.isAnsweredYes(
            removal.verb == "delete" ? "Delete \(queues) with \(tasks)?" : "Purge \(tasks) from \(queues)?", in: context
        )
    }

    // MARK: - Doing

    private func handle(_ target: RemovalTarget) throws(CommandError) {
        if target.isSkipped {
            if common.isVerbose { context.say("there is no queue \"\(target.name)\"") }
            return
        }
        let outcome =
            if let failure = target.failure {
                RemovalOutcome(failure: failure)
            } else if options.isDryRun {
                RemovalOutcome(count: target.status?.ready ?? 0)
            } else {
                remover.remove(target)
            }
        if outcome.failure == nil || outcome.count > 0 {
            doneCount += 1
            // When nobody can be told, nothing should be done to the others.
            try context.write("\(target.name.escapedForDisplay)\t\(outcome.count)\n")
        }
        if let failure = outcome.failure { fail(failure) }
    }

    private func fail(_ failure: CommandError) {
        context.say(failure.message)
        failures.append(failure)
    }

    /// Says how many unacknowledged tasks a purge has left on each queue: to an operator it looks as if it had failed.
    private func tellWhatStays(of targets: [RemovalTarget]) {
        guard case .purge = removal, doneCount > 0, !options.isDryRun, !common.isQuiet else { return }
        do {
            let facts = try listing.facts()
            for target in targets where target.isDoable {
                guard let number = facts[target.queue]?.unacknowledged, number > 0 else { continue }
                let (isOrAre, stays) = number == 1 ? ("is", "stays") : ("are", "stay")
                context.say("queue \"\(target.name)\": \(count(number, "task")) \(isOrAre) unacknowledged and \(stays)")
            }
        } catch {
            noteUnknown(error)
        }
    }

    private var status: ExitStatus {
        guard let first = failures.first else { return .done }
        if let signal = failures.lazy.map(\.status).first(where: { $0.rawValue > 128 }) { return signal }
        return doneCount > 0 ? .partlyDone : first.status
    }
}
