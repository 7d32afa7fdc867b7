// How one thread lets others go on, or tells them to stop.

import Synchronization

/// Something that happens once: opening the latch wakes everybody who polls it, now or later.
///
/// It is a pipe that nothing is ever written to: opening closes the writing end, which ends the other end's poll(2).
package final class Latch: Sendable {
    private let reader: Descriptor
    private let writer: Int32
    private let moment = Atomic<Int64>(Instant.never.nanoseconds)

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard workq_pipe(&ends) == 0 else { throw .last }
        reader = Descriptor(owning: ends[0])
        writer = ends[1]
    }

    deinit {
        if !isOpen { workq_close(writer) }
    }

    /// To poll for reading along with whatever else a thread waits for.
    package var descriptor: Int32 { reader.number }

    package var isOpen: Bool { moment.load(ordering: .acquiring) != Instant.never.nanoseconds }

    /// When it was opened; `.never` before that.
    package var openedAt: Instant { Instant(nanoseconds: moment.load(ordering: .acquiring)) }

    /// Opens the latch; a second time changes nothing.
    package func open(at now: Instant = .now) {
        let (isFirst, _) = moment.compareExchange(
            expected: Instant.never.nanoseconds, desired: now.nanoseconds, ordering: .acquiringAndReleasing)
        if isFirst { workq_close(writer) }
    }
}
