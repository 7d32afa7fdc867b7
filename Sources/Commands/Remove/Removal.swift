// What is to be done to queues, and how it is said.

import Broker

/// The two ways to remove tasks.
enum Removal: Equatable {
    /// With the number of tasks that must be there, all queues together.
    case purge(expected: Int?)
    case delete(DeletionConditions, mayBeMissing: Bool)

    /// `purge` or `delete`.
    var verb: String {
        switch self {
        case .purge: "purge"
        case .delete: "delete"
        }
    }

    /// `purged` or `deleted`.
    var participle: String { "\(verb)d" }

    /// The number of tasks that must be there; nil for any.
    var expected: Int? {
        guard case .purge(let expected) = self else { return nil }
        return expected
    }
}

/// A queue that something is to be done to, as it was when it was looked at.
struct RemovalTarget: Equatable {
    var name: String
    /// nil when nobody had to look.
    var status: QueueStatus?
    /// Tasks that workers hold; nil when the management API doesn't tell.
    var unacknowledged: Int?
    /// nil when the management API doesn't tell.
    var type: String?
    /// Why nothing can be done to it.
    var failure: CommandError?
    /// Missing, and that is fine.
    var isSkipped = false

    var isDoable: Bool { failure == nil && !isSkipped }

    var queue: ShortString { ShortString(name) }

    /// What an operator wants to know before saying yes: `queue "q": 5 ready, 2 unacknowledged, 1 consumer`.
    var summary: String {
        var parts = ["\(status?.ready ?? 0) ready"]
        if let unacknowledged { parts.append("\(unacknowledged) unacknowledged") }
        let consumers = status?.consumers ?? 0
        if consumers > 0 { parts.append(count(consumers, "consumer")) }
        return "queue \"\(name)\": \(parts.joined(separator: ", "))"
    }
}

extension RemovalTarget {
    var isMissing: CommandError { CommandError(.refused, "there is no queue \"\(name)\"") }

    /// Why the queue as it was seen must not be deleted; nil when it may. Tasks that workers hold count as tasks: they
    /// would be lost.
    func violation(of conditions: DeletionConditions) -> CommandError? {
        if conditions.contains(.empty) {
            let ready = status?.ready ?? 0
            if ready > 0 { return isKept("it holds \(count(ready, "task"))") }
            if let held { return isKept(held) }
        }
        return conditions.contains(.unused) ? use.map(isKept) : nil
    }

    /// What workers hold; nil when that is nothing, or not known.
    private var held: String? {
        guard let unacknowledged, unacknowledged > 0 else { return nil }
        return "\(count(unacknowledged, "task")) of it \(unacknowledged == 1 ? "is" : "are") unacknowledged"
    }

    /// Who uses the queue; nil when nobody does.
    private var use: String? {
        guard let consumers = status?.consumers, consumers > 0 else { return nil }
        return "it has \(count(consumers, "consumer"))"
    }

    /// Why the queue's tasks can't be saved, as far as the counts tell. What consumers hold when the queue is deleted, and
    /// they take tasks along with the backup, would be in no file and on no queue.
    func obstacleToBackup(before removal: Removal) -> CommandError? {
        if type == "stream" {
            return CommandError(.refused, "queue \"\(name)\" is a stream: its tasks can be read and not taken")
        }
        guard case .delete = removal else { return nil }
        if let use { return isKept("\(use), and what consumers hold can't be saved") }
        if let held { return isKept("\(held), and can't be saved") }
        return nil
    }

    private func isKept(_ reason: String) -> CommandError {
        CommandError(.refused, "queue \"\(name)\" was not deleted: \(reason)")
    }
}

/// What became of a queue.
struct RemovalOutcome {
    /// Tasks that are gone from it.
    var count = 0
    /// Why not all was done.
    var failure: CommandError?
}

extension [RemovalTarget] {
    /// How many tasks are ready on those to which something can be done.
    var ready: Int { reduce(0) { $0 + ($1.isDoable ? $1.status?.ready ?? 0 : 0) } }
}

/// `1 task`, `2 tasks`.
func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
