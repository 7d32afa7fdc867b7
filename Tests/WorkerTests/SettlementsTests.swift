// Acknowledgements that go together must never stand for a task that is still open, and never wait for long.

import Broker
import Posix
import TestSupport
import Testing

@testable import Worker

@Suite("Settlements") struct SettlementsTests {
    private static let start = Instant(nanoseconds: 5_000_000_000)

    private static func settlements(delivered count: UInt64) -> Settlements {
        var settlements = Settlements()
        for tag in 0..<count { settlements.delivered(tag + 1) }
        return settlements
    }

    @Test("one word acknowledges neighbours, but never a task that is still open")
    func together() {
        var settlements = Self.settlements(delivered: 6)
        for tag: UInt64 in [3, 4] { settlements.acknowledge(tag) }
        #expect(settlements.take(now: Self.start) == [.acknowledge(3), .acknowledge(4)])
        for tag: UInt64 in [6, 2, 1] { settlements.acknowledge(tag) }
        #expect(settlements.take(now: Self.start) == [.acknowledgeAll(upTo: 2), .acknowledge(6)])
        settlements.acknowledge(5)
        #expect(settlements.take(now: Self.start) == [.acknowledge(5)])
        #expect(settlements.take(now: Self.start) == [])
    }

    @Test("what goes back goes together, when everything else is said of what is before it")
    func givingBack() {
        var settlements = Self.settlements(delivered: 9)
        for tag: UInt64 in [9, 6, 5, 4] { settlements.giveBack(tag) }
        for tag: UInt64 in [7, 2, 1] { settlements.acknowledge(tag) }
        settlements.reject(3)
        #expect(
            settlements.take(now: Self.start) == [
                .reject(3), .acknowledgeAll(upTo: 2), .acknowledge(7), .giveBackAll(upTo: 6), .giveBack(9),
            ])
    }

    @Test("no word stands for a delivery of which another is still to come")
    func refusal() {
        var settlements = Self.settlements(delivered: 4)
        settlements.acknowledge(1)
        settlements.giveBack(2)
        settlements.acknowledge(3)
        settlements.reject(4)
        #expect(
            settlements.take(now: Self.start) == [.reject(4), .acknowledge(1), .acknowledge(3), .giveBack(2)])
    }

    @Test("W17 what wasn't delivered here, or is settled already, isn't settled")
    func stale() {
        var settlements = Self.settlements(delivered: 1)
        settlements.acknowledge(1)
        settlements.acknowledge(1)
        settlements.reject(1)
        settlements.giveBack(2)
        #expect(settlements.take(now: Self.start) == [.acknowledge(1)])
        settlements.acknowledge(1)
        #expect(settlements.due(waiting: 0) == .never)
        #expect(settlements.take(now: Self.start) == [])
    }

    @Test("the first acknowledgement goes at once, the next ones wait while enough tasks are at hand")
    func waiting() {
        var settlements = Self.settlements(delivered: 9)
        #expect(settlements.due(waiting: 9) == .never)
        settlements.acknowledge(1)
        #expect(settlements.due(waiting: 9) < Self.start)
        _ = settlements.take(now: Self.start)
        settlements.acknowledge(2)
        #expect(settlements.due(waiting: 1) == Self.start + Settlements.interval)
        settlements.acknowledge(3)
        #expect(settlements.due(waiting: 2) == Self.start + Settlements.interval)
        // The broker might run dry of what it may deliver.
        #expect(settlements.due(waiting: 1) <= Self.start)
        // A task that is given back may be wanted elsewhere.
        settlements.giveBack(4)
        #expect(settlements.due(waiting: 9) <= Self.start)
    }

    @Test(
        "W17 whatever is settled in whatever order, the broker hears of each delivery once, and what was meant",
        arguments: seeds(200))
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var settlements = Settlements()
        var undecided: [UInt64] = []
        var meant: [UInt64: String] = [:]
        // What the broker has been told, and what it still waits for.
        var heard: [UInt64: String] = [:]
        var unsettled: Set<UInt64> = []
        var lastTag: UInt64 = 0
        func hear(_ word: Settlements.Word) {
            let told: (tags: [UInt64], what: String) =
                switch word {
                case .acknowledge(let tag): ([tag], "ack")
                case .acknowledgeAll(let last): (unsettled.filter { $0 <= last }, "ack")
                case .reject(let tag): ([tag], "reject")
                case .giveBack(let tag): ([tag], "give back")
                case .giveBackAll(let last): (unsettled.filter { $0 <= last }, "give back")
                }
            #expect(!told.tags.isEmpty)
            for tag in told.tags {
                #expect(unsettled.remove(tag) != nil)
                heard[tag] = told.what
            }
        }
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                lastTag += 1
                settlements.delivered(lastTag)
                undecided.append(lastTag)
                unsettled.insert(lastTag)
            case 4..<9 where !undecided.isEmpty:
                // Mostly in order, as tasks end.
                let limit = min(undecided.count, Bool.random(using: &generator) ? 1 : 5)
                let tag = undecided.remove(at: Int.random(in: 0..<limit, using: &generator))
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: (meant[tag], _) = ("reject", settlements.reject(tag))
                case 1: (meant[tag], _) = ("give back", settlements.giveBack(tag))
                default: (meant[tag], _) = ("ack", settlements.acknowledge(tag))
                }
            default:
                settlements.take(now: Self.start).forEach(hear)
                #expect(heard == meant)
            }
        }
        settlements.take(now: Self.start).forEach(hear)
        #expect(heard == meant)
        #expect(unsettled == Set(undecided))
    }
}
