// When each of many may begin, for `--rate`.

/// At most one in every interval, evenly spread. Pure.
///
/// The first may go at once. After one that went late the next ones may make up for it, if it was late by no more than
/// `slack`: a loop that wakes up by the millisecond still reaches thousands a second, and a longer pause is followed by
/// no burst. In any time T at most `(T + slack) / interval + 1` go.
package struct Pace: Equatable {
    /// Makes up for no more than a loop's own lateness.
    package static let leastSlack = Duration.milliseconds(20)

    private let interval: Duration
    /// How much lateness may be made up for.
    private let slack: Duration
    /// When the next one may go.
    package private(set) var next = Instant(nanoseconds: .min)

    /// `interval` is the time between two, more than none.
    package init(interval: Duration, slack: Duration = Self.leastSlack) {
        self.interval = interval
        self.slack = slack
    }

    package func isDue(_ now: Instant) -> Bool { next <= now }

    /// One went at `now`, due or not.
    package mutating func went(_ now: Instant) {
        let isOnTime = next + slack >= now
        next = (isOnTime ? next : now) + interval
    }
}
