// When each message of an open-loop run is due.

import Broker
import Posix

/// The send times that `--rate` intends: evenly spread, and never put off because the broker is slow. Latency counts
/// from them, so a stall shows in every message that it delayed, not only in the one that met it (no coordinated
/// omission).
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

    /// How late messages are at `now` that nobody has sent: those from `sequence` on that were due from `start` on and
    /// before `end`. Where they are many, one stands for several.
    func overdue(
        from sequence: UInt64, since start: Instant, before end: Instant, at now: Instant
    ) -> [(microseconds: UInt64, count: UInt64)] {
        let first = max(sequence, firstSequence(dueAt: start))
        let last = firstSequence(dueAt: end)
        guard first < last else { return [] }
        let step = max(1, (last - first) / 100_000)
        return stride(from: first, to: last, by: UInt64.Stride(step)).map { sequence in
            let nanoseconds = now.nanoseconds - time(of: sequence).nanoseconds
            return (UInt64(max(0, nanoseconds)) / 1_000, min(step, last - sequence))
        }
    }

    /// The first message that is due at `moment` or later.
    private func firstSequence(dueAt moment: Instant) -> UInt64 {
        let elapsed = moment.nanoseconds - start.nanoseconds
        guard elapsed > 0 else { return 1 }
        let position = Double(elapsed) / 1e9 * Double(rate) / Double(producers)
        // Rounding may be off by one either way.
        var sequence = UInt64(max(1, position))
        while sequence > 1, time(of: sequence) >= moment { sequence -= 1 }
        while time(of: sequence) < moment { sequence += 1 }
        return sequence
    }
}
