// Tasks that are to be sent, or sent once more, before the source is asked for the next.

/// Waiting tasks, the oldest first. Pure.
struct WaitingTasks {
    /// The last one is the first to go.
    private var tasks: [OutgoingTask] = []
    private var isSorted = true

    var isEmpty: Bool { tasks.isEmpty }

    /// The next to go.
    var first: OutgoingTask? { tasks.last }

    /// All of them, the oldest first.
    var all: [OutgoingTask] { tasks.sorted { $0.number < $1.number } }

    mutating func removeFirst() { tasks.removeLast() }

    /// Adds tasks anywhere; `sort()` puts them in their places.
    mutating func add(_ task: OutgoingTask) {
        isSorted = isSorted && tasks.isEmpty
        tasks.append(task)
    }

    mutating func sort() {
        guard !isSorted else { return }
        tasks.sort { $0.number > $1.number }
        isSorted = true
    }

    /// Removes the tasks for which this holds, and returns them, the oldest first.
    mutating func remove(where isMeant: (OutgoingTask) -> Bool) -> [OutgoingTask] {
        let removed = tasks.filter(isMeant)
        if !removed.isEmpty { tasks.removeAll(where: isMeant) }
        return removed.sorted { $0.number < $1.number }
    }
}
