// What `--rate` promises: never more than asked for, evenly, and no burst after a pause.

import TestSupport
import Testing

@testable import Posix

@Suite("Paces") struct PaceTests {
    /// Lets go whatever is due, looking at the clock at these instants. Returns when each went.
    private static func play(_ interval: Duration, lookingAt moments: some Sequence<Instant>) -> [Instant] {
        var pace = Pace(interval: interval)
        var gone: [Instant] = []
        for now in moments {
            while pace.isDue(now) {
                pace.went(now)
                gone.append(now)
            }
        }
        return gone
    }

    private static func moments(every step: Duration, for time: Duration) -> [Instant] {
        stride(from: 0, through: time.nanoseconds, by: Int64.Stride(step.nanoseconds)).map { Instant(nanoseconds: $0) }
    }

    @Test("the first goes at once, the next ones an interval apart")
    func spread() {
        var pace = Pace(interval: .milliseconds(200))
        var now = Instant(nanoseconds: 5)
        for _ in 0..<10 {
            #expect(pace.isDue(now))
            pace.went(now)
            #expect(!pace.isDue(now))
            #expect(!pace.isDue(Instant(nanoseconds: pace.next.nanoseconds - 1)))
            now = pace.next
        }
        #expect(now - Instant(nanoseconds: 5) == .seconds(2))
    }

    @Test("a loop that wakes by the millisecond reaches any rate, and no more", arguments: [7, 900, 5_000, 100_000])
    func reached(rate: Int) {
        let interval = Duration.nanoseconds((1_000_000_000 + Int64(rate) - 1) / Int64(rate))
        let gone = Self.play(interval, lookingAt: Self.moments(every: .milliseconds(1), for: .seconds(10)))
        let most = Double(rate) * 10.02 + 1
        #expect(Double(gone.count) <= most && Double(gone.count) >= Double(rate) * 9.99)
    }

    @Test(
        "in no stretch of time more go than asked for, however the loop is held up", arguments: 0..<50 as Range<UInt64>)
    func never(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let interval = Duration.nanoseconds(Int64.random(in: 1_000...50_000_000, using: &generator))
        var now: Int64 = 0
        let moments = (0..<300).map { _ in
            now += Int64.random(in: 0...([1_000, 1_000_000, 100_000_000].pick(&generator)), using: &generator)
            return Instant(nanoseconds: now)
        }
        let gone = Self.play(interval, lookingAt: moments)
        for first in stride(from: 0, to: gone.count, by: max(1, gone.count / 20)) {
            for last in stride(from: first, to: gone.count, by: max(1, gone.count / 20)) {
                let time = (gone[last] - gone[first] + Pace.leastSlack).nanoseconds
                #expect(Int64(last - first) <= time / interval.nanoseconds)
            }
        }
    }

    @Test("with more slack a rate is reached on average although the loop is held up", arguments: [100, 5_000, 20_000])
    func average(rate: Int) {
        var generator = SeededGenerator(seed: UInt64(rate))
        var pace = Pace(interval: .nanoseconds(1_000_000_000 / rate), slack: .milliseconds(500))
        var (now, count): (Int64, Int) = (0, 0)
        while now < 20_000_000_000 {
            while pace.isDue(Instant(nanoseconds: now)) {
                pace.went(Instant(nanoseconds: now))
                count += 1
            }
            now += Int64.random(in: 1...400, using: &generator) * 1_000_000
        }
        #expect(abs(count - rate * 20) <= rate / 2)
    }

    @Test("a long pause is followed by no burst")
    func pause() {
        let moments = [0, 3_600, 3_600.05].map { Instant(nanoseconds: Int64($0 * 1e9)) }
        #expect(Self.play(.milliseconds(100), lookingAt: moments).count == 2)
    }

    @Test("what can't be held back counts too")
    func undue() {
        var pace = Pace(interval: .seconds(1))
        let now = Instant(nanoseconds: 0)
        for _ in 0..<3 { pace.went(now) }
        #expect(pace.next == now + .seconds(3))
    }
}
