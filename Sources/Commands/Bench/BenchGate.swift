// How one thread lets others go on, or tells them to stop.

import Broker
import CPosix
import Synchronization

/// A pipe that nothing is ever written to: opening the gate closes its writing end, which wakes everybody who polls the
/// reading end, now or later.
final class BenchGate: Sendable {
    /// To poll for reading along with whatever else a thread waits for.
    let descriptor: Int32
    private let writer: Int32
    private let moment = Atomic<Int64>(Instant.never.nanoseconds)

    /// nil when the system refuses a pipe.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard workq_pipe(&ends) == 0 else { return nil }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        workq_close(descriptor)
        if !isOpen { workq_close(writer) }
    }

    var isOpen: Bool { moment.load(ordering: .acquiring) != Instant.never.nanoseconds }

    /// When it was opened; `.never` before that.
    var openedAt: Instant { Instant(nanoseconds: moment.load(ordering: .acquiring)) }

    /// Opens the gate; a second time changes nothing.
    func open(at now: Instant = .now) {
        let (isFirst, _) = moment.compareExchange(
            expected: Instant.never.nanoseconds, desired: now.nanoseconds, ordering: .acquiringAndReleasing)
        if isFirst { workq_close(writer) }
    }
}
