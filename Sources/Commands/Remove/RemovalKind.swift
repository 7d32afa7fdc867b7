// What is to be done to queues, and how it is said.

/// The two ways to remove tasks.
enum RemovalKind: Equatable, Sendable {
    /// The ready tasks go, and the queue stays.
    case purge
    /// The queue goes with all its tasks.
    case delete

    /// The command that does it, and the verb for it.
    var verb: String {
        switch self {
        case .purge: "purge"
        case .delete: "delete"
        }
    }

    var participle: String {
        switch self {
        case .purge: "purged"
        case .delete: "deleted"
        }
    }

    private func grouped(_ number: Int, _ noun: String) -> String {
        "\(NumberText.grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    /// What is asked before it is done.
    func question(queues: Int, tasks: Int) -> String {
        switch self {
        case .purge: "Purge \(grouped(tasks, "task")) from \(count(queues, "queue"))?"
        case .delete: "Delete \(count(queues, "queue")) with \(grouped(tasks, "task"))?"
        }
    }
}

/// `1 task`, `2 tasks`.
func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
