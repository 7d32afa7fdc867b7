// Time for timeouts, which a change of the wall clock must not touch.

/// A moment on the system's monotonic clock.
package struct Instant: Comparable, Hashable {
    /// Nanoseconds since an arbitrary start, the same for all instants of a process.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A moment that never comes.
    package static let never = Instant(nanoseconds: .max)

    package static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (left: Instant, right: Duration) -> Instant {
        let sum = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return sum.overflow ? .never : Instant(nanoseconds: sum.partialValue)
    }

    package static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(left.nanoseconds &- right.nanoseconds)
    }

    /// Milliseconds from `now` until this instant, rounded up, as poll(2) wants them: 0 when it has passed.
    package func pollTimeout(from now: Instant) -> Int32 {
        guard self > now else { return 0 }
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        return overflow ? Int32.max : Int32(min((difference - 1) / 1_000_000 + 1, Int64(Int32.max)))
    }
}

extension Duration {
    /// Whole nanoseconds, the greatest number where the duration is longer than fits.
    package var nanoseconds: Int64 {
        let (whole, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(components.attoseconds / 1_000_000_000)
        return overflow || carry ? .max : sum
    }

    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    /// The duration as a `timeval`, to the microsecond.
    package var timeValue: timeval {
        let microseconds = nanoseconds / 1_000
        return timeval(tv_sec: .init(microseconds / 1_000_000), tv_usec: .init(microseconds % 1_000_000))
    }
}
