// The proof that a queue is empty must not be had too cheaply, nor asked for too often.

import Broker
import Posix
import Testing

@testable import Worker

@Suite("Drain checks") struct DrainCheckTests {
    private static var now: Instant { Instant(nanoseconds: 5_000_000_000) }

    @Test("fresh checks may ask at once and have proved nothing")
    func fresh() {
        let checks = DrainCheck()
        #expect(checks.next <= Self.now)
        #expect(!checks.provedEmpty)
    }

    @Test("one zero is no proof, two in a row are")
    func twoZeros() {
        var checks = DrainCheck()
        checks.asked(Self.now)
        #expect(checks.next == .never)
        checks.answered(ready: 0, Self.now)
        #expect(!checks.provedEmpty)
        #expect(checks.next == Self.now)
        checks.asked(Self.now)
        checks.answered(ready: 0, Self.now)
        #expect(checks.provedEmpty)
    }

    @Test("anything between two zeros starts the proof over", arguments: ["delivery", "messages", "connection"])
    func startsOver(what: String) {
        var checks = DrainCheck()
        checks.answered(ready: 0, Self.now)
        switch what {
        case "delivery": checks.postpone(Self.now)
        case "messages": checks.answered(ready: 1, Self.now)
        default: checks.reset()
        }
        checks.answered(ready: 0, Self.now)
        #expect(!checks.provedEmpty)
        checks.answered(ready: 0, Self.now)
        #expect(checks.provedEmpty)
    }

    @Test("after a delivery or an end it must be quiet for a moment, from the last one on")
    func quiet() {
        var checks = DrainCheck()
        checks.postpone(Self.now)
        let first = checks.next
        #expect(first > Self.now)
        checks.postpone(Self.now + .milliseconds(10))
        #expect(checks.next == first + .milliseconds(10))
        #expect(checks.next - Self.now < .seconds(1))
    }

    @Test("ready messages that others get are asked for again, but not in a hot loop")
    func recheck() {
        var checks = DrainCheck()
        checks.answered(ready: 9, Self.now)
        #expect(checks.next >= Self.now + .milliseconds(500))
        #expect(checks.next < .never)
    }
}
