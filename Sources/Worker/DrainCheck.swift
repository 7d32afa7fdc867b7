// Finds out that a queue is empty, for `--drain`.

import Broker
import Posix

/// When to ask for the queue's count of ready messages, and when the answers prove that nothing is on its way. Pure.
///
/// One answer of zero isn't proof: the broker may answer while a delivery that it counted as unacknowledged is still
/// on its way to this channel. A second answer can't overtake such a delivery.
struct DrainCheck {
    /// How long nothing must have happened before the first question; with one job at a time a worker is idle for a
    /// moment after every task.
    private static let quietTime = Duration.milliseconds(50)
    /// How long to wait when messages are ready but go to somebody else.
    private static let recheckTime = Duration.seconds(1)

    /// When to ask.
    private(set) var next = Instant(nanoseconds: 0)
    /// When the question was asked that is still open.
    private(set) var askedAt = Instant.never
    private var zeros = 0

    var provedEmpty: Bool { zeros >= 2 }

    mutating func reset() {
        self = DrainCheck()
    }

    /// Something happened: start over when it has been quiet for a while.
    mutating func postpone(_ now: Instant) {
        zeros = 0
        next = now + Self.quietTime
    }

    mutating func asked(_ now: Instant) {
        next = .never
        askedAt = now
    }

    mutating func answered(ready: Int, _ now: Instant) {
        askedAt = .never
        zeros = ready == 0 ? zeros + 1 : 0
        next = ready == 0 ? now : now + Self.recheckTime
    }
}
