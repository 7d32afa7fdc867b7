// What a loop waits for.

import Broker
import CPosix

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Descriptors for one call of poll(2).
package struct PollSet {
    private var entries: [pollfd] = []

    package init() {}

    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    package mutating func add(_ descriptor: Int32, events: Int32) {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// Waits until something happens on a descriptor, or for `timeout` milliseconds (-1 for ever). A signal may end the
    /// wait early.
    package mutating func wait(timeout: Int32) {
        poll(&entries, nfds_t(entries.count), timeout)
    }

    /// Waits until something happens on a descriptor, or until `deadline`, to the microsecond where the system can.
    package mutating func wait(until deadline: Instant) {
        workq_poll(&entries, entries.count, deadline == .never ? -1 : max(0, (deadline - .now).nanoseconds))
    }

    /// Whether something happened on `descriptor`: it is ready, broken or gone.
    package func isReady(_ descriptor: Int32) -> Bool {
        entries.contains { $0.fd == descriptor && $0.revents != 0 }
    }
}
