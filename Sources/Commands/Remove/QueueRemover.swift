// Purges or deletes one queue after the other.

import Broker
import Options
import Posix

/// Does to a queue what a `purge` or `delete` is to do.
struct QueueRemover {
    private let plan: RemovalPlan
    private let session: QueueSession
    private let listing: QueueListing
    /// Says something to people.
    private let note: (String) -> Void

    init(_ plan: RemovalPlan, on session: QueueSession, _ listing: QueueListing, note: @escaping (String) -> Void) {
        self.plan = plan
        self.session = session
        self.listing = listing
        self.note = note
    }

    func remove(_ target: RemovalTarget) -> RemovalOutcome {
        do throws(BrokerError) {
            _ = try session.openChannel()
        } catch {
            let failure = CommandError(error)
            return RemovalOutcome(
                failure: CommandError(
                    failure.status, "queue \"\(target.name)\" was not \(plan.kind.participle): \(failure.message)"))
        }
        do throws(BrokerError) {
            if let path = plan.options.backup { return try backUp(target, to: path) }
            switch plan.kind {
            case .purge: return try purge(target)
            case .delete: return try delete(target, plan.conditions)
            }
        } catch {
            return RemovalOutcome(failure: explained(error, target))
        }
    }

    /// A failed request in words that say what it left behind.
    private func explained(_ error: BrokerError, _ target: RemovalTarget) -> CommandError {
        switch error.code {
        case .notFound: return target.isMissing
        case .connectionLost, .timedOut, .connectionForced:
            var failure = CommandError(error)
            failure.message = failure.message.withFullStop + " The broker may have done it all the same"
            return failure
        default: return CommandError(error)
        }
    }

    private func purge(_ target: RemovalTarget) throws(BrokerError) -> RemovalOutcome {
        let number = try session.perform { channel throws(BrokerError) in try channel.purgeQueue(target.queue) }
        guard plan.expected != nil, let seen = target.status?.ready, seen != number else {
            return RemovalOutcome(count: number)
        }
        return RemovalOutcome(
            count: number,
            failure: CommandError(
                .partlyDone,
                "queue \"\(target.name)\" held \(count(seen, "task")) when it was looked at and \(number) when it was "
                    + "purged"))
    }

    // MARK: - Deleting

    /// Deletes a queue of which `conditions` hold.
    private func delete(
        _ target: RemovalTarget, _ conditions: DeletionConditions
    ) throws(BrokerError) -> RemovalOutcome {
        guard !conditions.isEmpty else { return RemovalOutcome(count: try delete(target)) }
        var target = target
        guard try look(at: &target) else { return RemovalOutcome(failure: target.isMissing) }
        if case .inDoubt(let reason)? = target.check?.verdict(on: conditions) {
            let settled = (target.inDoubtSince ?? .now) + DeletionCheck.settleTime
            if settled > .now { note("queue \"\(target.name)\": \(reason); workq looks again when it is known") }
            while settled > .now { poll(nil, 0, settled.pollTimeout(from: .now)) }
            listing.forget()
            guard try look(at: &target) else { return RemovalOutcome(failure: target.isMissing) }
        }
        guard var check = target.check else { return RemovalOutcome() }
        check.isSettled = true
        switch check.verdict(on: conditions) {
        case .fails(let reason), .inDoubt(let reason): return RemovalOutcome(failure: target.isKept(reason))
        case .holds: break
        }
        guard target.type == nil || target.type == "classic" else {
            return try deleteUnconditionally(target, conditions)
        }
        // A consumer that comes in between takes a task, perhaps, and that doesn't count for the broker.
        let isUnused = check.status.consumers == 0
        do {
            return RemovalOutcome(
                count: try session.perform { channel throws(BrokerError) in
                    try channel.deleteQueue(target.queue, onlyIf: isUnused ? conditions.union(.unused) : conditions)
                })
        } catch {
            // Another type of queue, which only AMQP was asked about: its consumers were counted.
            guard error.code == .notImplemented, conditions == .unused else { throw error }
            guard try session.status(ofQueue: target.queue)?.consumers == 0 else {
                return RemovalOutcome(failure: target.isKept("it has a consumer by now"))
            }
            return try deleteUnconditionally(target, conditions)
        }
    }

    /// Brings what is known of a queue up to date; false when there is none any more.
    private func look(at target: inout RemovalTarget) throws(BrokerError) -> Bool {
        target.facts = try? listing.facts(within: QueueListing.patience)[target.queue]
        target.status = try session.status(ofQueue: target.queue)
        return target.status != nil
    }

    private func delete(_ target: RemovalTarget) throws(BrokerError) -> Int {
        try session.perform { channel throws(BrokerError) in try channel.deleteQueue(target.queue) }
    }

    /// Deletes a queue of a type for which the broker doesn't support conditions, and which has just been looked at.
    private func deleteUnconditionally(
        _ target: RemovalTarget, _ conditions: DeletionConditions
    ) throws(BrokerError) -> RemovalOutcome {
        let number = try delete(target)
        guard !conditions.contains(.empty) || number == 0 else {
            return RemovalOutcome(
                count: number,
                failure: CommandError(
                    .partlyDone,
                    "queue \"\(target.name)\" was empty when it was looked at, and held \(count(number, "task")) when "
                        + "it "
                        + "was deleted, which are lost"))
        }
        // The conditions that a backup adds were nobody's wish.
        if !plan.conditions.isEmpty {
            note(
                "queue \"\(target.name)\": conditions are not supported by \(target.type ?? "quorum") queues, so workq "
                    + "itself looked right before it deleted")
        }
        return RemovalOutcome(count: number)
    }

    // MARK: - With a backup

    private func backUp(_ target: RemovalTarget, to path: String) throws(BrokerError) -> RemovalOutcome {
        guard let signals = SignalPipe(catching: [SIGINT, SIGTERM, SIGHUP]) else {
            return RemovalOutcome(
                failure: CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))"))
        }
        let file: TaskBackup
        do throws(CommandError) {
            file = try TaskBackup(creating: path)
        } catch {
            return RemovalOutcome(failure: error)
        }
        var outcome = RemovalOutcome()
        defer { if outcome.failure != nil { file.removeIfEmpty() } }
        switch plan.kind {
        case .purge: outcome = try take(from: target, limit: target.status?.ready, to: file, signals).outcome
        case .delete: outcome = try deleteWhenTaken(target, to: file, signals)
        }
        return outcome
    }

    /// Takes tasks until the queue can be deleted without losing one.
    private func deleteWhenTaken(
        _ target: RemovalTarget, to file: TaskBackup, _ signals: SignalPipe
    ) throws(BrokerError) -> RemovalOutcome {
        var total = 0
        // How often the queue may still seem to be used by the backup itself, or get another task.
        var patience = 20
        while true {
            let (outcome, isComplete) = try take(from: target, limit: nil, to: file, signals)
            total += outcome.count
            guard isComplete else { return RemovalOutcome(count: total, failure: outcome.failure) }
            var deletion = RemovalOutcome()
            var isInTheWay = false
            listing.forget()
            do throws(BrokerError) {
                deletion = try delete(target, plan.conditions.union([.empty, .unused]))
                isInTheWay = deletion.failure?.status == .refused && deletion.count == 0
            } catch {
                deletion.failure = explained(error, target)
                isInTheWay = error.code == .preconditionFailed
            }
            guard isInTheWay, patience > 0 else {
                return RemovalOutcome(count: total + deletion.count, failure: deletion.failure)
            }
            patience -= 1
            poll(nil, 0, 100)
        }
    }

    private func take(
        from target: RemovalTarget, limit: Int?, to file: TaskBackup, _ signals: SignalPipe
    ) throws(BrokerError) -> (outcome: RemovalOutcome, isComplete: Bool) {
        let channel = try session.openChannel()
        var backup = QueueBackup(
            of: target.queue, isQuorum: target.type == "quorum", limit: limit,
            seen: target.status ?? QueueStatus(ready: 0, consumers: 0), to: file, signals: signals)
        do throws(QueueBackup.Failure) {
            switch try backup.run(on: channel) {
            case .done: return (RemovalOutcome(count: backup.taken), true)
            case .interrupted(let signal):
                let text = "interrupted: what is not in \(file.path) is still on queue \"\(target.name)\""
                return (RemovalOutcome(count: backup.taken, failure: CommandError(.signal(signal), text)), false)
            }
        } catch {
            session.close()
            var failure =
                switch error {
                case .broker(let error): CommandError(error)
                case .file(let error): error
                case .withheld: CommandError.withheld(by: target.name)
                case .endless:
                    CommandError(
                        .temporaryFailure,
                        "tasks keep coming to queue \"\(target.name)\": stop their publishers. Those that were there "
                            + "are in \(file.path)")
                }
            if backup.isUnsure {
                let rest = "The last tasks in \(file.path) may be on the queue, too"
                failure.message = "\(failure.message.withFullStop) \(rest)"
            }
            return (RemovalOutcome(count: backup.taken, failure: failure), false)
        }
    }
}
