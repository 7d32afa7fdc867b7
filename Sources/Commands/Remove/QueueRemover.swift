// Purges or deletes one queue after the other, with a backup where one is wanted.

import Broker
import Management
import Options
import Posix
import Worker

/// Does to a queue what a `purge` or `delete` is to do.
struct QueueRemover {
    private let removal: Removal
    private let session: QueueSession
    private let backupPath: String?
    /// What the management API says of a queue now; nil when it doesn't.
    private let facts: (ShortString) -> QueueSummary?
    /// Says something to people.
    private let note: (String) -> Void

    init(
        _ removal: Removal, on session: QueueSession, backupPath: String?,
        facts: @escaping (ShortString) -> QueueSummary?, note: @escaping (String) -> Void
    ) {
        self.removal = removal
        self.session = session
        self.backupPath = backupPath
        self.facts = facts
        self.note = note
    }

    func remove(_ target: RemovalTarget) -> RemovalOutcome {
        let channel: Channel
        do throws(BrokerError) {
            channel = try session.openChannel()
        } catch {
            return RemovalOutcome(
                failure: named(CommandError(error), "queue \"\(target.name)\" was not \(removal.participle)"))
        }
        do throws(BrokerError) {
            if let backupPath { return try backUp(target, to: backupPath, channel) }
            switch removal {
            case .purge: return try purge(target)
            case .delete(let conditions, _): return try delete(target, conditions)
            }
        } catch {
            return RemovalOutcome(failure: explained(error, target))
        }
    }

    private func named(_ error: CommandError, _ what: String) -> CommandError {
        CommandError(error.status, "\(what): \(error.message)")
    }

    /// A failed request in words that say what it left behind.
    private func explained(_ error: BrokerError, _ target: RemovalTarget) -> CommandError {
        switch error.code {
        case .notFound: return target.isMissing
        case .connectionLost, .timedOut, .connectionForced:
            var failure = CommandError(error)
            failure.message += ". The broker may have done it all the same"
            return failure
        default: return CommandError(error)
        }
    }

    // MARK: - Without a backup

    private func purge(_ target: RemovalTarget) throws(BrokerError) -> RemovalOutcome {
        let number = try session.perform { channel throws(BrokerError) in try channel.purgeQueue(target.queue) }
        guard removal.expected != nil, let seen = target.status?.ready, seen != number else {
            return RemovalOutcome(count: number)
        }
        return RemovalOutcome(
            count: number,
            failure: CommandError(
                .partlyDone,
                "queue \"\(target.name)\" held \(count(seen, "task")) when it was looked at and \(number) when it was "
                    + "purged"))
    }

    private func delete(
        _ target: RemovalTarget, _ conditions: DeletionConditions
    ) throws(BrokerError) -> RemovalOutcome {
        if let type = target.type, type != "classic", !conditions.isEmpty {
            return try deleteLooking(target, conditions)
        }
        do {
            return RemovalOutcome(
                count: try session.perform { channel throws(BrokerError) in
                    try channel.deleteQueue(target.queue, onlyIf: conditions)
                })
        } catch {
            guard error.code == .notImplemented, !conditions.isEmpty else { throw error }
            return try deleteLooking(target, conditions)
        }
    }

    /// Deletes a queue of a type for which the broker doesn't support conditions.
    private func deleteLooking(
        _ target: RemovalTarget, _ conditions: DeletionConditions
    ) throws(BrokerError) -> RemovalOutcome {
        var target = target
        guard let status = try session.status(ofQueue: target.queue) else {
            return RemovalOutcome(failure: target.isMissing)
        }
        target.status = status
        if target.type == "stream", conditions.contains(.empty) {
            return RemovalOutcome(
                failure: CommandError(
                    .refused,
                    "queue \"\(target.name)\" was not deleted: it is a stream, and whether one is empty can't be told "
                        + "for sure"))
        }
        if let violation = target.violation(of: conditions) { return RemovalOutcome(failure: violation) }
        let number = try session.perform { channel throws(BrokerError) in try channel.deleteQueue(target.queue) }
        guard !conditions.contains(.empty) || number == 0 else {
            return RemovalOutcome(
                count: number,
                failure: CommandError(
                    .partlyDone,
                    "queue \"\(target.name)\" was empty when it was looked at, and held \(count(number, "task")) when it "
                        + "was deleted, which are lost"))
        }
        // The one that a backup adds was nobody's wish.
        if case .delete([], _) = removal { return RemovalOutcome(count: number) }
        note(
            "queue \"\(target.name)\": conditions are not supported by \(target.type ?? "quorum") queues, so workq "
                + "itself looked right before it deleted")
        return RemovalOutcome(count: number)
    }

    // MARK: - With a backup

    private func backUp(
        _ target: RemovalTarget, to path: String, _ channel: Channel
    ) throws(BrokerError) -> RemovalOutcome {
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
        guard case .delete(let conditions, _) = removal else {
            outcome = take(from: target, limit: target.status?.ready, to: file, signals, channel).outcome
            return outcome
        }
        outcome = try deleteWhenTaken(target, conditions, to: file, signals)
        return outcome
    }

    /// Takes tasks until the queue can be deleted without losing one.
    private func deleteWhenTaken(
        _ target: RemovalTarget, _ conditions: DeletionConditions, to file: TaskBackup, _ signals: SignalPipe
    ) throws(BrokerError) -> RemovalOutcome {
        var total = 0
        var target = target
        // How often the queue may still seem to be used by the backup's own consumer.
        var patience = 20
        while true {
            let (outcome, isComplete) = take(
                from: target, limit: nil, to: file, signals, try session.openChannel())
            total += outcome.count
            guard isComplete else { return RemovalOutcome(count: total, failure: outcome.failure) }
            // Who came meanwhile and left again may hold a task, which the broker doesn't count as in the way.
            if let now = facts(target.queue)?.unacknowledged { target.unacknowledged = now }
            if let obstacle = target.obstacleToBackup(before: removal) {
                return RemovalOutcome(count: total, failure: obstacle)
            }
            var deletion = RemovalOutcome()
            var isInTheWay = false
            do throws(BrokerError) {
                deletion = try delete(target, conditions.union([.empty, .unused]))
                isInTheWay = deletion.failure?.status == .refused && deletion.count == 0
            } catch {
                deletion.failure = explained(error, target)
                isInTheWay = error.code == .preconditionFailed
            }
            // Tasks have come in between: they are taken, too.
            if isInTheWay, patience > 0, let status = try? session.status(ofQueue: target.queue),
                status.ready > 0 || target.status?.consumers == 0
            {
                patience -= 1
                usleep(100_000)
                continue
            }
            return RemovalOutcome(count: total + deletion.count, failure: deletion.failure)
        }
    }

    private func take(
        from target: RemovalTarget, limit: Int?, to file: TaskBackup, _ signals: SignalPipe, _ channel: Channel
    ) -> (outcome: RemovalOutcome, isComplete: Bool) {
        var backup = QueueBackup(
            of: target.queue, limit: limit, seen: target.status?.ready ?? 0, to: file, signals: signals)
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
                case .endless:
                    CommandError(
                        .temporaryFailure,
                        "tasks keep coming to queue \"\(target.name)\": stop their publishers. Those that were there "
                            + "are in \(file.path)")
                case .starved(let ready):
                    CommandError(
                        .temporaryFailure,
                        "queue \"\(target.name)\" holds \(count(ready, "task")) and gives none: another consumer may be "
                            + "its only active one")
                }
            if backup.held > 0 {
                failure.message += ". \(count(backup.held, "task")) may be both in \(file.path) and on the queue"
            }
            return (RemovalOutcome(count: backup.taken, failure: failure), false)
        }
    }
}
