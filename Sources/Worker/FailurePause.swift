// Keeps failing tasks from spinning.

import Broker
import Posix

/// How long a failed task is held back before it is requeued: doubling from one second to a minute while failures go
/// on, from the start again after a success. Tasks that fail while others are held back share their pause. Pure.
struct FailurePause {
    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(60)

    private var pauses = 0
    private var end = Instant(nanoseconds: 0)

    /// When a task that fails now may go on.
    mutating func end(after now: Instant) -> Instant {
        guard end <= now else { return end }
        end = now + min(Self.longest, Self.first * (1 << min(pauses, 6)))
        pauses += 1
        return end
    }

    mutating func reset() {
        pauses = 0
    }
}
