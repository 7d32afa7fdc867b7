// The queues that something is to be done to.

import Broker
import Management
import Posix

/// A queue that something is to be done to, as it was when it was looked at.
struct RemovalTarget: Equatable {
    var name: String
    /// What AMQP says of it now; nil when nobody had to look.
    var status: QueueStatus?
    /// What the management API says of it; nil when it doesn't.
    var facts: QueueSummary?
    /// `classic`, `quorum` or `stream`; nil when that isn't known.
    var type: String?
    /// When a condition was first found to depend on figures that may be old.
    var inDoubtSince: Instant?
    /// Why nothing can be done to it.
    var failure: CommandError?
    /// Missing, and that is fine.
    var isSkipped = false

    var isDoable: Bool { failure == nil && !isSkipped }

    var queue: ShortString { ShortString(name) }

    var isMissing: CommandError {
        let hint = name.contains("*") ? "; --match chooses queues by a regular expression, such as ^test-" : ""
        return CommandError(.refused, "there is no queue \"\(name)\"\(hint)")
    }

    /// What an operator wants to know before saying yes, a value for each of `columns`.
    var row: [QueueValue] {
        [
            .text(name), .integer(status?.ready ?? 0), facts?.unacknowledged.map(QueueValue.integer) ?? .unknown,
            .integer(status?.consumers ?? 0),
        ]
    }

    static let columns: [QueueColumn] = [.name, .ready, .unacknowledged, .consumers]

    /// What can be said of a condition on it, once somebody has looked.
    var check: DeletionCheck? { status.map { DeletionCheck(status: $0, facts: facts, type: type) } }

    /// Why it was not deleted.
    func isKept(_ reason: String) -> CommandError {
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
