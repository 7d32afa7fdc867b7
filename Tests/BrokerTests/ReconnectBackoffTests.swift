// Pauses before reconnecting: growing, never too long, and different for each worker.

import Posix
import TestSupport
import Testing

@testable import Broker

@Suite("Reconnect backoff") struct ReconnectBackoffTests {
    private static func pauses(_ count: Int, seed: UInt64) -> [Duration] {
        var generator = SeededGenerator(seed: seed)
        var backoff = ReconnectBackoff(first: .milliseconds(500), longest: .seconds(30))
        return (0..<count).map { _ in backoff.next(using: &generator) }
    }

    private static let ceilings: [Duration] =
        [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16)]
        + Array(repeating: .seconds(30), count: 60)

    @Test("N15 each pause is between half and all of a limit that doubles up to the longest", arguments: seeds(50))
    func bounds(seed: UInt64) {
        for (pause, ceiling) in zip(Self.pauses(Self.ceilings.count, seed: seed), Self.ceilings) {
            #expect(pause >= ceiling / 2)
            #expect(pause <= ceiling)
        }
    }

    @Test("N15 a thousand workers that lost the broker at once don't come back at once")
    func jitter() {
        let thirds = (1...1_000 as ClosedRange<UInt64>).map { Self.pauses(3, seed: $0)[2] }
        #expect(Set(thirds).count > 990)
        for quarter in 0..<4 {
            let low = Duration.seconds(1) + .milliseconds(250) * quarter
            let count = thirds.count { $0 >= low && $0 < low + .milliseconds(250) }
            #expect((150...350).contains(count))
        }
    }

    @Test("after a reset the first pause is short again")
    func reset() {
        var generator = SeededGenerator(seed: 7)
        var backoff = ReconnectBackoff(first: .milliseconds(100), longest: .seconds(60))
        for _ in 0..<10 { _ = backoff.next(using: &generator) }
        #expect(backoff.next(using: &generator) >= .seconds(30))
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .milliseconds(100))
    }

    @Test("the shortest pauses imaginable don't trap")
    func tiny() {
        var generator = SeededGenerator(seed: 7)
        var backoff = ReconnectBackoff(first: .zero, longest: .nanoseconds(1))
        for _ in 0..<100 { #expect(backoff.next(using: &generator) <= .nanoseconds(1)) }
    }
}
