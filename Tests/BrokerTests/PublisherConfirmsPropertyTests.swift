// Random orders of confirms and returns, against an account so simple that it is obviously right.

import TestSupport
import Testing

@testable import Broker

@Suite("Publisher confirms in random order") struct PublisherConfirmsPropertyTests {
    typealias Confirms = PublisherConfirmsTests.Confirms
    typealias Settled = PublisherConfirmsTests.Settled

    /// All messages ever sent, never forgotten.
    struct Model {
        struct Entry {
            var isSettled = false
            var returned: ReturnedMessage?
        }

        /// The message `index + 1` has the delivery tag `index + 1`.
        var entries: [Entry] = []

        var unconfirmed: [Int] { entries.indices.filter { !entries[$0].isSettled }.map { $0 + 1 } }

        /// nil where the broker breaks the rules.
        mutating func settle(_ tag: UInt64, multiple: Bool, isAck: Bool) -> [Settled]? {
            let named = multiple && tag == 0 ? entries.count : Int(tag)
            guard named <= entries.count, multiple || named >= 1 && !entries[named - 1].isSettled else { return nil }
            var settled: [Settled] = []
            for index in entries.indices where !entries[index].isSettled {
                guard multiple ? index < named : index == named - 1 else { continue }
                entries[index].isSettled = true
                let acked = entries[index].returned.map(Confirms.Outcome.returned) ?? .confirmed
                settled.append(Settled(message: index + 1, outcome: isAck ? acked : .nacked))
            }
            return settled
        }

        mutating func returned(_ message: ReturnedMessage, where matches: (Int) -> Bool) -> Bool {
            for index in entries.indices
            where !entries[index].isSettled && entries[index].returned == nil && matches(index + 1) {
                entries[index].returned = message
                return true
            }
            return false
        }
    }

    @Test("M10 any sequence of confirms, returns and nonsense is accounted for as by the model", arguments: seeds(200))
    func againstModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var confirms = Confirms()
        var model = Model()
        for step in 0..<150 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...4:
                model.entries.append(Model.Entry())
                confirms.published(model.entries.count)
            case 5:
                // Several messages look alike to the one who matches.
                let kind = Int.random(in: 0..<4, using: &generator)
                let message = PublisherConfirmsTests.returnedMessage("\(step)")
                let expected = model.returned(message) { $0 % 4 == kind }
                #expect(confirms.returned(message) { $0 % 4 == kind } == expected)
            default:
                let tag = UInt64.random(in: 0...UInt64(model.entries.count + 1), using: &generator)
                let multiple = Int.random(in: 0..<4, using: &generator) == 0
                let isAck = Int.random(in: 0..<4, using: &generator) > 0
                if let expected = model.settle(tag, multiple: multiple, isAck: isAck) {
                    #expect(
                        try PublisherConfirmsTests.settle(&confirms, tag, multiple: multiple, isAck: isAck) == expected)
                } else {
                    #expect(throws: Confirms.Violation(deliveryTag: tag)) {
                        try PublisherConfirmsTests.settle(&confirms, tag, multiple: multiple, isAck: isAck)
                    }
                }
            }
            try #require(confirms.unconfirmed == model.unconfirmed)
            #expect(confirms.unconfirmedCount == model.unconfirmed.count)
        }
    }

    @Test("M10 acks in any permutation confirm every message exactly once", arguments: seeds(50))
    func permutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...100, using: &generator)
        var confirms = PublisherConfirmsTests.account(of: count)
        let order = (1...count).shuffled(using: &generator)
        var settled: [Int] = []
        for (done, tag) in order.enumerated() {
            #expect(confirms.unconfirmedCount == count - done)
            settled += try PublisherConfirmsTests.settle(&confirms, UInt64(tag)).map(\.message)
        }
        #expect(settled == order)
        #expect(confirms.unconfirmed == [])
    }
}
