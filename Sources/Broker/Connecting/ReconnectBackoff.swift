// How long to wait before trying again.

import Posix

/// Growing pauses with jitter: half fixed, half by chance, so that a thousand workers don't come back at once. Pure but
/// for the random numbers, which are the caller's.
package struct ReconnectBackoff {
    private let first: Duration
    private let longest: Duration
    private var attempts = 0

    /// Pauses grow from about `first`, doubling, to about `longest`.
    package init(first: Duration = .milliseconds(500), longest: Duration = .seconds(30)) {
        self.first = first
        self.longest = longest
    }

    /// The next pause, between half and the whole of the doubled one before.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let ceiling = min(longest, first * (1 << min(attempts, 20)))
        attempts += 1
        let half = ceiling.nanoseconds / 2
        return .nanoseconds(half + Int64.random(in: 0...max(half, 1), using: &generator))
    }

    /// Starts over: the last attempt worked.
    package mutating func reset() {
        attempts = 0
    }
}
