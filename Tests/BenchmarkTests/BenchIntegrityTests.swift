// Messages of a bench are numbered, and every number is accounted for.

import Broker
import Posix
import TestSupport
import Testing

@testable import Benchmark

@Suite("Bench integrity") struct BenchIntegrityTests {
    @Test("a message reads back from its body, and only in its own run")
    func message() {
        let message = BenchMessage(
            runID: 7, producer: 3, sequence: 1 << 40, intended: Instant(nanoseconds: 123_456_789_012_345))
        var body = [UInt8](repeating: 0x2E, count: 30)
        message.write(to: &body)
        #expect(BenchMessage(body, runID: 7) == message)
        #expect(BenchMessage(Array(body.prefix(BenchMessage.size)), runID: 7) == message)
        #expect(BenchMessage(body, runID: 8) == nil)
        #expect(BenchMessage(Array(body.prefix(BenchMessage.size - 1)), runID: 7) == nil)
        #expect(body.suffix(6) == [0x2E, 0x2E, 0x2E, 0x2E, 0x2E, 0x2E], "the filling is left alone")
    }

    @Test("numbers in any order, with gaps and repetitions, are counted as a set counts them", arguments: seeds(50))
    func numbers(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var arrived = ArrivedNumbers()
        var reference: Set<UInt64> = []
        var next: UInt64 = 1
        for _ in 0..<2_000 {
            // Mostly onwards, sometimes back to one that may have been there.
            let isNew = Int.random(in: 0..<10, using: &generator) > 0
            let number = isNew ? next : UInt64.random(in: 1...next, using: &generator)
            if isNew { next += UInt64.random(in: 1...2, using: &generator) }
            #expect(arrived.insert(number) == reference.insert(number).inserted)
        }
        #expect(arrived.count == reference.count)
        for number in 1...next { #expect(arrived.contains(number) == reference.contains(number)) }
        #expect(!arrived.contains(next + 1_000))
    }

    @Test("what was confirmed and didn't arrive is lost; what was never confirmed isn't")
    func lost() {
        var account = ArrivalAccount(producers: 2)
        for sequence: UInt64 in 1...100 where ![10, 64, 65, 100].contains(sequence) {
            account.note(producer: 0, sequence: sequence)
        }
        account.note(producer: 0, sequence: 5)
        account.note(producer: 9, sequence: 1)
        #expect(account.arrived == 96 && account.duplicates == 1)
        #expect(account.lost(producer: 0, sent: 100, unconfirmed: []) == 4)
        // One unconfirmed message arrived all the same.
        #expect(account.lost(producer: 0, sent: 100, unconfirmed: [64, 100, 50]) == 2)
        #expect(account.lost(producer: 1, sent: 0, unconfirmed: []) == 0)
        #expect(account.lost(producer: 1, sent: 3, unconfirmed: [3]) == 2)
    }

    @Test("order is judged for each producer by itself, and a repetition isn't out of order")
    func order() {
        var order = OrderWatch(producers: 2)
        for (producer, sequence) in [(0, 1), (1, 5), (0, 2), (1, 6), (0, 2), (0, 4), (0, 3), (1, 1), (7, 1)] {
            order.note(producer: producer, sequence: UInt64(sequence))
        }
        #expect(order.reordered == 2)
    }
}
