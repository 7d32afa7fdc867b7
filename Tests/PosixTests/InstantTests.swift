// Timeouts go by instants: their arithmetic must neither trap nor wrap around.

import TestSupport
import Testing

@testable import Posix

@Suite("Instants") struct InstantTests {
    private static var start: Instant { Instant(nanoseconds: 1_000_000_000) }

    @Test("adding a duration and subtracting instants are each other's inverse")
    func arithmetic() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<1_000 {
            let nanoseconds = Int64.random(in: 0...(1 << 60), using: &generator)
            let later = Self.start + .nanoseconds(nanoseconds)
            #expect(later.nanoseconds == 1_000_000_000 + nanoseconds)
            #expect(later - Self.start == .nanoseconds(nanoseconds))
            #expect(nanoseconds == 0 || Self.start < later)
        }
        #expect(Self.start + .milliseconds(-1) == Instant(nanoseconds: 999_000_000))
    }

    @Test("what lies too far ahead never comes")
    func saturation() {
        #expect(Self.start + .seconds(Int64.max) == .never)
        #expect(Self.start + .nanoseconds(Int64.max) == .never)
        #expect(Instant.never + .seconds(1) == .never)
        #expect(Instant.never + .zero == .never)
        #expect(Self.start < .never)
    }

    @Test("the clock doesn't go backwards, and is not at never")
    func now() {
        let first = Instant.now
        let second = Instant.now
        #expect(first <= second)
        #expect(second < .never)
        #expect(first.nanoseconds > 0)
    }

    @Test(
        "poll's timeout is rounded up to whole milliseconds, so that it never ends before the deadline",
        arguments: [
            (-5, 0), (0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (60_000_000_000, 60_000),
            (Int64(Int32.max) * 1_000_000, Int32.max), (Int64(Int32.max) * 1_000_000 + 1, Int32.max),
        ] as [(Int64, Int32)])
    func pollTimeout(nanoseconds: Int64, milliseconds: Int32) {
        let deadline = Instant(nanoseconds: Self.start.nanoseconds + nanoseconds)
        #expect(deadline.pollTimeout(from: Self.start) == milliseconds)
    }

    @Test("poll may wait as long as it likes for what never comes")
    func pollNever() {
        #expect(Instant.never.pollTimeout(from: Self.start) == Int32.max)
        #expect(Instant.never.pollTimeout(from: Instant(nanoseconds: -1)) == Int32.max)
        #expect(Instant.never.pollTimeout(from: .never) == 0)
    }

    @Test("durations become whole nanoseconds and milliseconds, and saturate")
    func durations() {
        #expect(Duration.milliseconds(1_500).nanoseconds == 1_500_000_000)
        #expect(Duration.microseconds(1_999).milliseconds == 1)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.nanoseconds(Int64.max).nanoseconds == .max)
        #expect(Duration.zero.nanoseconds == 0)
    }

    @Test("librabbitmq gets seconds and microseconds")
    func timeValue() {
        let value = Duration.microseconds(2_500_001).timeValue
        #expect(value.tv_sec == 2)
        #expect(value.tv_usec == 500_001)
        let longest = Duration.seconds(Int64.max).timeValue
        #expect(longest.tv_sec == Int(Int64.max / 1_000_000_000))
        #expect((0..<1_000_000).contains(longest.tv_usec))
    }
}
