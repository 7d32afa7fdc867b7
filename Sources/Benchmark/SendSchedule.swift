// When each message of an open-loop run is due.

import Broker
import Posix

/// The send times that `--rate` intends: evenly spread, and never put off because the broker is slow. Latency counts from
/// them, so a stall shows in every message that it delayed, not only in the one that met it (no coordinated omission).
struct SendSchedule: Equatable {
    private let start: Instant
    private let rate: Int
    private let producers: Int
    private let producer: Int

    /// The share of `producer`, numbered from 0, in `rate` messages a second of all `producers`, which take turns.
    init(start: Instant, rate: Int, producers: Int, producer: Int) {
        self.start = start
        self.rate = rate
        self.producers = producers
        self.producer = producer
    }

    /// When the producer's message `sequence`, numbered from 1, is due.
    func time(of sequence: UInt64) -> Instant {
        let position = (sequence - 1) * UInt64(producers) + UInt64(producer)
        // Seconds and the rest apart: the product of all of it would overflow within hours.
        let (seconds, rest) = position.quotientAndRemainder(dividingBy: UInt64(rate))
        let nanoseconds = seconds * 1_000_000_000 + rest * 1_000_000_000 / UInt64(rate)
        return Instant(nanoseconds: start.nanoseconds + Int64(nanoseconds))
    }
}
