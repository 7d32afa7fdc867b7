// Where the tasks of a publish come from.

/// Tasks in order, handed out one by one: standard input, or the spool.
package protocol TaskSource: AnyObject {
    /// The next task; nil when there is none yet, or none any more.
    func next() throws(TaskSourceFailure) -> OutgoingTask?
    /// Whether `next()` has nothing more to give.
    var isExhausted: Bool { get }
    /// To poll for reading when there is no task yet; nil when nothing needs to be waited for.
    var descriptor: Int32? { get }
    /// Reads once from the descriptor.
    func read() throws(TaskSourceFailure)
    /// The broker has the task.
    func confirm(_ task: OutgoingTask)
    /// The broker certainly doesn't have it, and it isn't sent again.
    func refuse(_ task: OutgoingTask, _ reason: Refusal)
}

/// Why a source has no next task.
package enum TaskSourceFailure: Error, Equatable {
    /// Standard input can't be read: an error number.
    case unreadable(Int32)
    /// A task is longer than any broker takes.
    case tooLong(limit: Int)
    /// A line, counted from 1, is no task.
    case malformed(line: Int, reason: String)
}
