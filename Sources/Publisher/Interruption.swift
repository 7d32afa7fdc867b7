// Signals that ask a publish to end, noticed wherever it waits.

import Broker
import Posix
import Synchronization

/// INT and TERM as a publish takes them: the first asks for an end in order, the second for one at once.
///
/// librabbitmq waits for the broker in calls that nothing interrupts. A thread of its own therefore takes the signals,
/// and soon after the second one shuts the connection's socket down, which ends any such wait.
package final class Interruption: Sendable {
    private struct State {
        var signals: [Int32] = []
        var count = 0
        /// The connection's socket, as long as there is one.
        var socket: Int32?
    }

    /// How long the main thread has to leave by itself.
    private static let patience: UInt32 = 200_000

    private let state = Mutex(State())
    private let arrival: WakePipe

    /// Starts catching the signals; nil when the system refuses a pipe or a thread.
    package init?() {
        guard let arrival = try? WakePipe(), let pipe = SignalPipe(catching: [SIGINT, SIGTERM]) else { return nil }
        self.arrival = arrival
        let descriptor = pipe.descriptor
        guard DetachedThread.start({ [self] in run(pipe, descriptor) }) else {
            pipe.release()
            return nil
        }
    }

    private func run(_ pipe: SignalPipe, _ descriptor: Int32) {
        var pollSet = PollSet()
        pollSet.add(descriptor, events: POLLIN)
        var ignoredUntil = Instant.now
        while true {
            pollSet.wait(timeout: -1)
            guard let signal = pipe.read().first, ignoredUntil <= .now else { continue }
            ignoredUntil = .now + SignalPipe.oneRequest
            let isSecond = state.withLock { state in
                state.signals.append(signal)
                state.count += 1
                return state.count > 1
            }
            arrival.wake()
            guard isSecond else { continue }
            usleep(Self.patience)
            state.withLock { state in _ = state.socket.map { shutdown($0, Int32(SHUT_RDWR)) } }
        }
    }

    /// To poll for reading: a signal has arrived that `take()` hasn't returned.
    package var descriptor: Int32 { arrival.descriptor }

    /// Whether waiting for anything should end, since a second signal came.
    package var isUrgent: Bool { state.withLock { $0.count > 1 } }

    /// Whether a signal came at all.
    package var isAsked: Bool { state.withLock { $0.count > 0 } }

    /// The signals that came since the last call, in order.
    package func take() -> [Int32] {
        state.withLock { state in
            arrival.clear()
            defer { state.signals = [] }
            return state.signals
        }
    }

    /// Ends waits on this socket after a second signal.
    func watch(_ socket: Int32) {
        state.withLock { $0.socket = socket }
    }

    /// The socket is about to be closed: its number may soon mean another file.
    func unwatch() {
        state.withLock { $0.socket = nil }
    }

    /// Waits until a descriptor is readable, or until an instant; true when a signal came instead.
    package func wait(orFor input: Int32? = nil, until end: Instant = .never) -> Bool {
        var pollSet = PollSet()
        if let input { pollSet.add(input, events: POLLIN) }
        pollSet.add(arrival.descriptor, events: POLLIN)
        pollSet.wait(until: end)
        return pollSet.isReady(arrival.descriptor)
    }

    /// Waits until there is something to read, or until an instant; false when a new signal or the instant came first.
    package func waitToRead(_ input: Int32, until end: Instant) -> Bool {
        var pollSet = PollSet()
        pollSet.add(input, events: POLLIN)
        pollSet.add(arrival.descriptor, events: POLLIN)
        pollSet.wait(until: end)
        return pollSet.isReady(input) && !pollSet.isReady(arrival.descriptor)
    }
}
