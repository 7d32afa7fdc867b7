// One `purge` or `delete`: looks, asks, does, and reports.

import Broker
import Options
import Worker

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The work of a `purge` or `delete`.
final class RemovalRun {
    /// Queues are shown one by one before the question up to this number.
    private static let shownTargets = 20

    private let removal: Removal
    private let options: RemovalOptions
    private let common: CommonOptions
    private let context: CommandContext
    private let session: QueueSession
    private let remover: QueueRemover
    private var failures: [CommandError] = []
    private var doneCount = 0

    init(
        _ removal: Removal, _ options: RemovalOptions, _ parameters: ConnectionParameters, _ common: CommonOptions,
        in context: CommandContext
    ) {
        self.removal = removal
        self.options = options
        self.common = common
        self.context = context
        session = QueueSession(parameters)
        remover = QueueRemover(removal, on: session, backupPath: options.backup, note: { context.say($0) })
    }

    func run() throws(CommandError) -> ExitStatus {
        try checkUsage()
        defer { session.close() }
        let targets = targets()
        try checkExpectation(of: targets)
        if !options.isDryRun, asks(about: targets) {
            // Who thinks about the answer for long would lose the connection.
            session.close()
            guard isConfirmed(for: targets) else {
                context.say("nothing was \(removal.participle)")
                return .refused
            }
        }
        for target in targets { try handle(target) }
        if options.isDryRun, !common.isQuiet { context.say("dry run: nothing was \(removal.participle)") }
        return status
    }

    private func checkUsage() throws(CommandError) {
        guard !options.queues.isEmpty else { throw CommandError(.usage, "\(removal.verb): QUEUE is missing") }
        guard let path = options.backup else { return }
        guard options.queues.count == 1 else {
            throw CommandError(
                .usage, "\(removal.verb): --backup needs exactly one QUEUE, a file holds one queue's tasks")
        }
        if let obstacle = TaskBackup.obstacle(to: path) { throw obstacle }
    }

    // MARK: - Looking

    private var isOnTerminal: Bool { context.isTerminal(context.standardInput) }

    /// Whether the counts matter before anything is done. A delete always looks: a missing queue would be deleted with
    /// success.
    private var looksFirst: Bool {
        removal != .purge(expected: nil) || options.isDryRun || options.backup != nil
            || isOnTerminal && !options.isSure
    }

    /// The queues, each once, in the order given.
    private func targets() -> [RemovalTarget] {
        // By their bytes: Swift takes names for equal that only look alike.
        var seen: Set<ShortString> = []
        return options.queues.filter { seen.insert(ShortString($0)).inserted }.map { name in
            var target = RemovalTarget(name: name)
            if looksFirst { look(at: &target) }
            return target
        }
    }

    private func look(at target: inout RemovalTarget) {
        do throws(BrokerError) {
            target.status = try session.status(ofQueue: target.queue)
        } catch {
            target.failure = CommandError(error)
            return
        }
        switch removal {
        case .delete(_, mayBeMissing: true) where target.status == nil: target.isSkipped = true
        case .delete(let conditions, _) where target.status != nil: target.failure = target.violation(of: conditions)
        default: if target.status == nil { target.failure = target.isMissing }
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
            options.isDryRun
            ? RemovalOutcome(count: target.status?.ready ?? 0, failure: target.failure) : remover.remove(target)
        if outcome.failure == nil || outcome.count > 0 {
            doneCount += 1
            // When nobody can be told, nothing should be done to the others.
            try context.write("\(target.name.escapedForDisplay)\t\(outcome.count)\n")
        }
        if let failure = outcome.failure {
            context.say(failure.message)
            failures.append(failure)
        }
    }

    private var status: ExitStatus {
        guard let first = failures.first else { return .done }
        if let signal = failures.lazy.map(\.status).first(where: { $0.rawValue > 128 }) { return signal }
        return doneCount > 0 ? .partlyDone : first.status
    }
}
