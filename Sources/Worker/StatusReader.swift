// Whoever wants to know now and then how a worker is doing.

import Posix

/// Is told the worker's state at the start, at the end, and in between when it has changed, at most once in an
/// interval.
package final class StatusReader {
    private let interval: Duration
    private let read: (WorkerState) -> Void
    private var latest: WorkerState.Status?
    private var earliest = Instant(nanoseconds: 0)
    /// When `report` is due although nothing happens.
    private(set) var next = Instant.never

    package init(every interval: Duration, read: @escaping (WorkerState) -> Void) {
        self.interval = interval
        self.read = read
    }

    /// `now` is nil at the end, when what is new must not wait.
    func report(_ state: WorkerState, now: Instant?) {
        let status = state.status
        guard status != latest else { return }
        if let now {
            next = earliest
            guard earliest <= now else { return }
            (earliest, next) = (now + interval, .never)
        }
        latest = status
        read(state)
    }
}
