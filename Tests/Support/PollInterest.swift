// A call of poll(2), put together piece by piece.

import Foundation

/// What a poll loop waits for: descriptors and a time.
package struct PollInterest {
    private var entries: [pollfd] = []
    private var deadline: ContinuousClock.Instant?

    package init() {}

    /// `events` as poll(2) names them: POLLIN, POLLOUT.
    package mutating func add(_ descriptor: Int32, _ events: Int32) {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// The wait ends at the earliest time that was added.
    package mutating func add(_ time: ContinuousClock.Instant) {
        deadline = min(deadline ?? time, time)
    }

    /// Waits until something happens on a descriptor or the earliest time has come. False when only time passed.
    @discardableResult
    package mutating func wait() -> Bool {
        poll(&entries, nfds_t(entries.count), deadline.map(LoopbackSocket.pollTimeout) ?? -1) > 0
    }
}
