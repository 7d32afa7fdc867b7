// Questions that leave nothing behind.

/// What is asked in a process of its own, so that nothing of it stays in this one.
package enum ShortLivedProcess {
    /// What `question` answers in a copy of this process, which only the calling thread goes on in; nil when that takes
    /// longer than `patience`, or the system refuses.
    package static func answer(within patience: Duration, to question: () -> Bool) -> Bool? {
        let process = workq_fork()
        if process == 0 { _exit(question() ? 1 : 0) }
        guard process > 0 else { return nil }
        let deadline = Instant.now + patience
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            if deadline <= .now { kill(process, SIGKILL) }
            usleep(1_000)
        }
        return workq_has_exited(status) && workq_exit_status(status) <= 1 ? workq_exit_status(status) == 1 : nil
    }
}
