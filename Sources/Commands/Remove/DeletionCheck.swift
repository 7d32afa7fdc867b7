// Whether a queue may be deleted under conditions, judged by what is known of it. Pure.

import Broker

/// What is known of a queue, and what that means for deleting it.
///
/// RabbitMQ's own conditions don't look at tasks that workers hold, and it has none for quorum queues. So workq judges
/// itself, and a condition that can't be checked doesn't hold.
struct DeletionCheck {
    enum Verdict: Equatable {
        case holds
        case fails(reason: String)
        /// The figures may be older than what they should tell.
        case inDoubt(reason: String)
    }

    /// Figures of quorum queues are up to 5 seconds old.
    static let settleTime = Duration.seconds(6)

    /// Live: a quorum queue counts everybody who holds a task as a consumer, a classic queue its consumers only.
    var status: QueueStatus
    /// nil when the management API isn't there or doesn't know the queue.
    var facts: QueueSummary?
    /// `classic`, `quorum` or `stream`; nil when that isn't known.
    var type: String?
    /// Whether the figures in `facts` have had time to become those of now.
    var isSettled = false

    func verdict(on conditions: DeletionConditions) -> Verdict {
        if conditions.contains(.empty), status.ready > 0 {
            return .fails(reason: "it holds \(count(status.ready, "task"))")
        }
        if conditions.contains(.unused), let use { return .fails(reason: use) }
        return conditions.contains(.empty) ? unreadyVerdict : .holds
    }

    /// Whether the queue's tasks can be saved before it is deleted. What consumers hold then, and they take tasks along
    /// with the backup, would be in no file and on no queue.
    var backupVerdict: Verdict {
        if type == "stream" { return .fails(reason: "it is a stream: its tasks can be read and not taken") }
        if let use { return .fails(reason: "\(use), and what consumers hold can't be saved") }
        switch unreadyVerdict {
        case .holds: return .holds
        case .fails(let reason), .inDoubt(let reason): return .fails(reason: "\(reason), and can't be saved")
        }
    }

    /// Who uses the queue; nil when nobody does.
    private var use: String? {
        status.consumers > 0 ? "it has \(count(status.consumers, "consumer"))" : nil
    }

    /// Whether the queue holds no task besides the ready ones.
    private var unreadyVerdict: Verdict {
        switch type {
        case "quorum": quorumVerdict
        case "stream": .fails(reason: "it is a stream, and whether one is empty can't be told for sure")
        default:
            if let unacknowledged = facts?.unacknowledged {
                held(unacknowledged).map { .fails(reason: $0) } ?? .holds
            } else {
                .fails(reason: "whether workers hold tasks of it isn't known, since the management API doesn't say")
            }
        }
    }

    private var quorumVerdict: Verdict {
        guard status.consumers > 0 else {
            // Dead-lettered tasks that find no queue stay, and are neither ready nor held.
            let others = (facts?.messages ?? 0) - (facts?.ready ?? 0) - (facts?.unacknowledged ?? 0)
            return others > 0 ? .fails(reason: "\(count(others, "task")) of it can't be dead-lettered") : .holds
        }
        guard let unacknowledged = facts?.unacknowledged else {
            return isSettled
                ? .fails(reason: "whether its consumers hold tasks isn't known")
                : .inDoubt(reason: "whether its consumers hold tasks isn't known yet")
        }
        if let held = held(unacknowledged) { return .fails(reason: held) }
        return isSettled ? .holds : .inDoubt(reason: "what its consumers hold is known 5 seconds late")
    }

    private func held(_ unacknowledged: Int) -> String? {
        guard unacknowledged > 0 else { return nil }
        return "\(count(unacknowledged, "task")) of it \(unacknowledged == 1 ? "is" : "are") unacknowledged"
    }
}
