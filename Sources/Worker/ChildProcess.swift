// A running command.

import Posix

/// A process that this worker started, the leader of a process group of its own.
struct ChildProcess {
    let pid: pid_t
    var input: ChildInput
    /// nil where the child writes straight to this process's standard output or standard error.
    var output: ChildOutput?
    var errors: ChildOutput?
    /// Whether it was told to end. What it leaves behind then ends with it.
    private var wasTold = false

    init(pid: pid_t, input: ChildInput) {
        self.pid = pid
        self.input = input
    }

    /// How the process ended; nil while it runs. After an end the process id belongs to the system again.
    func reap() -> JobEnd? {
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        return workq_has_exited(status)
            ? .exited(workq_exit_status(status)) : .signalled(workq_termination_signal(status))
    }

    /// Asks the whole process group to end. Only for a process that hasn't been reaped.
    mutating func terminate() {
        wasTold = true
        signalGroup(SIGTERM)
        // One that is stopped, as by reading from the terminal, acts on the signal only when it goes on.
        signalGroup(SIGCONT)
    }

    /// Ends the whole process group. Only for a process that hasn't been reaped.
    mutating func end() {
        wasTold = true
        signalGroup(SIGKILL)
    }

    /// Kills what a process that was told to end has left behind. Only for one that has ended and hasn't been reaped:
    /// as long as that is so, nobody else can have the group's number.
    func endRest() {
        if wasTold { kill(-pid, SIGKILL) }
    }

    /// Sends a signal to the whole process group, and to the process itself, which may have left the group.
    func signalGroup(_ signal: Int32) {
        kill(-pid, signal)
        if getpgid(pid) != pid { kill(pid, signal) }
    }
}
