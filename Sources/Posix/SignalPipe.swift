// Signals as something that poll(2) can wait for.

/// The pipe that signals are written to; one a process.
package struct SignalPipe {
    /// To poll for reading.
    package let descriptor: Int32
    private let caught: [Int32]

    /// Signals that ask for an end and come in so short a time are one: GNU timeout sends to the process and to its
    /// process group.
    package static let oneRequest = Duration.milliseconds(500)

    /// What `read()` gives for a TSTP that was typed, as by Ctrl-Z: whoever sits there expects that everything stops.
    package static let typedStop = SIGTSTP | Int32(WORKQ_TYPED_SIGNAL)

    /// Stops this process as its terminal and shell expect, until it is continued. Where no shell could continue it,
    /// the system doesn't stop it.
    package static func stopProcess() {
        workq_signal_raise_default(SIGTSTP)
        workq_signal_catch(SIGTSTP)
    }

    /// Starts catching `signals`. INT and HUP stay ignored when the process was started so: nohup and shells'
    /// background jobs rely on that. nil when the system refuses a pipe.
    package init?(catching signals: [Int32]) {
        descriptor = workq_signal_pipe_open()
        caught = signals
        guard descriptor >= 0 else { return nil }
        for signal in signals {
            if signal == SIGINT || signal == SIGHUP {
                workq_signal_catch_unless_ignored(signal)
            } else {
                workq_signal_catch(signal)
            }
        }
        workq_signal_ignore(SIGPIPE)
    }

    /// Lets the signals end the process again.
    package func release() {
        for signal in caught { workq_signal_release(signal) }
    }

    /// The signals that have arrived since the last call, in order.
    package func read() -> [Int32] {
        var signals: [Int32] = []
        var buffer: [UInt8] = Array(repeating: 0, count: 64)
        while true {
            let count = workq_read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return signals }
            signals += buffer[..<count].map(Int32.init)
            guard count == buffer.count else { return signals }
        }
    }
}
