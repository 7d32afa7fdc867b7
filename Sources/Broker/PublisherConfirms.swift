// Keeps account of what was published and what the broker said about it.

import DequeModule

/// Publisher confirms on one channel. Pure.
///
/// After `confirm.select` the broker numbers messages from 1 and answers each with an ack or a nack, in any order,
/// alone or with `multiple` for all up to a number. An unroutable mandatory message is returned first and then acked
/// like any other: only together the two say that no queue has it.
///
/// Public and inlinable, as is `ConfirmingPublisher`: generic code that isn't made for the messages of another module
/// asks the runtime for metadata again and again, which costs a tenth of publishing, and for `package` none is made.
public struct PublisherConfirms<Message> {
    /// How a message ended.
    public enum Outcome: Equatable {
        case confirmed
        /// The broker could not take it: a full queue that rejects, or an error inside the broker.
        case nacked
        /// No queue took it; the broker sent it back.
        case returned(ReturnedMessage)
    }

    /// A confirm for a message that was never sent or is settled already.
    public struct Violation: Error, Equatable {
        public var deliveryTag: UInt64

        @usableFromInline init(deliveryTag: UInt64) {
            self.deliveryTag = deliveryTag
        }
    }

    /// Messages from `firstTag` on. A settled one is nil, so that a large body doesn't stay in memory behind an older
    /// message; its place stays until all before it are settled too.
    @usableFromInline var messages: Deque<Message?> = []
    @usableFromInline var firstTag: UInt64
    /// Unsettled messages that came back, by their number. Apart, since they are few and take room.
    @usableFromInline var returned: [UInt64: ReturnedMessage] = [:]
    /// Messages sent and not settled.
    @inlinable public var unconfirmedCount: Int { unsettledCount }
    @usableFromInline var unsettledCount = 0

    /// An account that begins with the message to which the broker gives the number `nextTag`.
    @inlinable public init(nextTag: UInt64 = 1) {
        firstTag = nextTag
    }

    /// Notes a message that has just been sent; call in the order of sending.
    @inlinable public mutating func published(_ message: consuming Message) {
        messages.append(message)
        unsettledCount += 1
    }

    /// Takes back the message that was noted last, and of which no byte was sent.
    @inlinable public mutating func withdraw() -> Message? {
        guard let message = messages.popLast() else { return nil }
        unsettledCount -= 1
        return message
    }

    /// Whether a message came back and isn't settled yet.
    @inlinable public var hasReturned: Bool { !returned.isEmpty }

    /// Notes that the broker returned a message: the oldest unsettled one that `matches` and wasn't returned yet.
    /// The broker returns in the order of sending, so messages that look alike are told apart rightly.
    /// False when there is none.
    @inlinable public mutating func returned(_ returned: ReturnedMessage, where matches: (Message) -> Bool) -> Bool {
        let index = messages.indices.first { index in
            messages[index].map(matches) == true && self.returned[firstTag + UInt64(index)] == nil
        }
        guard let index else { return false }
        self.returned[firstTag + UInt64(index)] = returned
        return true
    }

    /// Settles one message, or with `multiple` all unsettled ones up to it, and hands each to `body` with its outcome,
    /// in the order of sending.
    @inlinable public mutating func settle(
        _ deliveryTag: UInt64, multiple: Bool, isAck: Bool, _ body: (Message, Outcome) -> Void
    ) throws(Violation) {
        let end = firstTag + UInt64(messages.count)
        if multiple, deliveryTag == 0 {
            // "All messages so far", by the specification.
            guard end > firstTag else { return }
            return try settle(end - 1, multiple: true, isAck: isAck, body)
        }
        guard deliveryTag >= 1, deliveryTag < end else { throw Violation(deliveryTag: deliveryTag) }
        // A multiple confirm may name a message that was settled alone and dropped; it then settles nothing new.
        guard deliveryTag >= firstTag else {
            if multiple { return }
            throw Violation(deliveryTag: deliveryTag)
        }
        let last = Int(deliveryTag - firstTag)
        if !multiple, messages[last] == nil { throw Violation(deliveryTag: deliveryTag) }
        for index in (multiple ? 0 : last)...last {
            guard let message = messages[index].take() else { continue }
            unsettledCount -= 1
            body(message, outcome(of: firstTag + UInt64(index), isAck: isAck))
        }
        dropSettled()
    }

    /// All unsettled messages in the order of sending: their outcome is unknown when the connection is gone.
    @inlinable public var unconfirmed: [Message] {
        messages.compactMap { $0 }
    }

    @inlinable mutating func outcome(of tag: UInt64, isAck: Bool) -> Outcome {
        let message = returned.isEmpty ? nil : returned.removeValue(forKey: tag)
        return isAck ? message.map(Outcome.returned) ?? .confirmed : .nacked
    }

    @inlinable mutating func dropSettled() {
        while let first = messages.first, first == nil {
            messages.removeFirst()
            firstTag += 1
        }
    }
}
