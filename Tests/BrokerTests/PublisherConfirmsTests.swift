// The account of published messages is what "never lost silently" rests on: each one gets exactly one outcome.

import Testing

@testable import Broker

@Suite("Publisher confirms") struct PublisherConfirmsTests {
    typealias Confirms = PublisherConfirms<Int>

    /// One line for each message that was settled.
    struct Settled: Equatable {
        var message: Int
        var outcome: Confirms.Outcome
    }

    static func returnedMessage(_ text: String = "NO_ROUTE") -> ReturnedMessage {
        ReturnedMessage(
            code: .noRoute, text: text, exchange: "", routingKey: "q", properties: MessageProperties(), body: [])
    }

    /// An account of messages 1 to `count`, none settled.
    static func account(of count: Int) -> Confirms {
        var confirms = Confirms()
        for message in 0..<count { confirms.published(message + 1) }
        return confirms
    }

    static func settle(
        _ confirms: inout Confirms, _ tag: UInt64, multiple: Bool = false, isAck: Bool = true
    ) throws(Confirms.Violation) -> [Settled] {
        var settled: [Settled] = []
        try confirms.settle(tag, multiple: multiple, isAck: isAck) { settled.append(Settled(message: $0, outcome: $1)) }
        return settled
    }

    @Test("M10 acks out of order settle one message each")
    func outOfOrder() throws {
        var confirms = Self.account(of: 3)
        #expect(try Self.settle(&confirms, 3) == [Settled(message: 3, outcome: .confirmed)])
        #expect(try Self.settle(&confirms, 1) == [Settled(message: 1, outcome: .confirmed)])
        #expect(confirms.unconfirmed == [2])
        #expect(try Self.settle(&confirms, 2, isAck: false) == [Settled(message: 2, outcome: .nacked)])
        #expect(confirms.unconfirmedCount == 0)
        #expect(confirms.unconfirmed == [])
    }

    @Test("M10 a multiple ack settles all up to it that aren't settled, in the order of sending")
    func multiple() throws {
        var confirms = Self.account(of: 5)
        _ = try Self.settle(&confirms, 2)
        let settled = try Self.settle(&confirms, 4, multiple: true)
        #expect(settled == [1, 3, 4].map { Settled(message: $0, outcome: .confirmed) })
        #expect(confirms.unconfirmed == [5])
    }

    @Test("M10 a multiple nack settles all up to it as not taken")
    func multipleNack() throws {
        var confirms = Self.account(of: 3)
        let settled = try Self.settle(&confirms, 2, multiple: true, isAck: false)
        #expect(settled == [1, 2].map { Settled(message: $0, outcome: .nacked) })
        #expect(confirms.unconfirmedCount == 1)
    }

    @Test("M10 a multiple ack of 0 settles everything so far, also when that is nothing")
    func multipleZero() throws {
        var confirms = Self.account(of: 3)
        _ = try Self.settle(&confirms, 1)
        #expect(try Self.settle(&confirms, 0, multiple: true).map(\.message) == [2, 3])
        #expect(try Self.settle(&confirms, 0, multiple: true) == [])
        var fresh = Confirms()
        #expect(try Self.settle(&fresh, 0, multiple: true) == [])
    }

    @Test("M10, M8 a message that was returned before its ack is returned, not confirmed")
    func returnBeforeAck() throws {
        var confirms = Self.account(of: 3)
        #expect(confirms.returned(Self.returnedMessage()) { $0 == 2 })
        let settled = try Self.settle(&confirms, 3, multiple: true)
        #expect(
            settled == [
                Settled(message: 1, outcome: .confirmed),
                Settled(message: 2, outcome: .returned(Self.returnedMessage())),
                Settled(message: 3, outcome: .confirmed),
            ])
    }

    @Test("M10 returns of messages that look alike belong to the oldest, then to the next")
    func lookalikes() throws {
        var confirms = Self.account(of: 3)
        _ = try Self.settle(&confirms, 1)
        #expect(confirms.returned(Self.returnedMessage("first")) { _ in true })
        #expect(confirms.returned(Self.returnedMessage("second")) { _ in true })
        #expect(!confirms.returned(Self.returnedMessage("third")) { _ in true })
        #expect(
            try Self.settle(&confirms, 3) == [Settled(message: 3, outcome: .returned(Self.returnedMessage("second")))])
        #expect(
            try Self.settle(&confirms, 2) == [Settled(message: 2, outcome: .returned(Self.returnedMessage("first")))])
    }

    @Test("M10 a return that matches nothing changes nothing")
    func unknownReturn() throws {
        var confirms = Self.account(of: 1)
        #expect(!confirms.returned(Self.returnedMessage()) { $0 == 9 })
        #expect(try Self.settle(&confirms, 1) == [Settled(message: 1, outcome: .confirmed)])
    }

    @Test("M10 a confirm for a message never sent, or 0 alone, is a violation and settles nothing")
    func unknownTags() {
        var confirms = Self.account(of: 2)
        for (tag, multiple) in [(3, false), (3, true), (0, false), (UInt64.max, true), (UInt64.max, false)]
            as [(UInt64, Bool)]
        {
            #expect(throws: Confirms.Violation(deliveryTag: tag)) {
                try Self.settle(&confirms, tag, multiple: multiple)
            }
        }
        #expect(confirms.unconfirmed == [1, 2])
        #expect(confirms.unconfirmedCount == 2)
    }

    @Test("M10 a second confirm of the same message is a violation, whether older ones are open or not")
    func settledTwice() throws {
        var confirms = Self.account(of: 3)
        _ = try Self.settle(&confirms, 2)
        #expect(throws: Confirms.Violation(deliveryTag: 2)) { try Self.settle(&confirms, 2, isAck: false) }
        _ = try Self.settle(&confirms, 1)
        #expect(throws: Confirms.Violation(deliveryTag: 1)) { try Self.settle(&confirms, 1) }
        #expect(confirms.unconfirmed == [3])
    }

    @Test("M10 a multiple confirm may name a message that was settled alone")
    func multipleOfSettled() throws {
        var confirms = Self.account(of: 3)
        _ = try Self.settle(&confirms, 2)
        #expect(try Self.settle(&confirms, 2, multiple: true).map(\.message) == [1])
        #expect(try Self.settle(&confirms, 2, multiple: true) == [])
        #expect(confirms.unconfirmed == [3])
    }

    @Test("M10 a settled message is let go at once, also behind an older one that is open")
    func releasesMemory() throws {
        final class Body {}
        var confirms = PublisherConfirms<Body>()
        confirms.published(Body())
        var second: Body? = Body()
        weak let released = second
        if let body = second { confirms.published(body) }
        second = nil
        #expect(released != nil)
        try confirms.settle(2, multiple: false, isAck: true) { _, _ in }
        #expect(released == nil)
        #expect(confirms.unconfirmedCount == 1)
    }
}
