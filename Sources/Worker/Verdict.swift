// What becomes of a task when its command has ended.

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// How a command ended.
package enum JobEnd: Equatable {
    /// With an exit status, 0 to 255.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)
    /// It was never started and won't be: no such executable, or not executable. The text says which.
    case unusable(String)
    /// It couldn't be started now: the system is short of processes or memory, or the task's headers are too large.
    case notStarted(String)
}

/// What becomes of a task.
package enum Verdict: Equatable {
    /// Done; the broker may forget it.
    case acknowledge
    /// Failed; it goes back to the queue, later.
    case requeue
    /// Not tried to the end; it goes back to the queue at once.
    case giveBack

    /// The verdict on a task whose command ended so. A command that this worker interrupted hasn't failed.
    init(of end: JobEnd, wasInterrupted: Bool) {
        self =
            switch end {
            case .exited(0): .acknowledge
            case _ where wasInterrupted: .giveBack
            default: .requeue
            }
    }
}
