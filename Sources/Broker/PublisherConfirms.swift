// Keeps account of what was published and what the broker said about it.

import DequeModule

/// Publisher confirms on one channel. Pure.
///
/// After `confirm.select` the broker numbers messages from 1 and answers each with an ack or a nack, in any order, alone
/// or with `multiple` for all up to a number. An unroutable mandatory message is returned first and then acked like any
/// other: only together the two say that no queue has it.
package struct PublisherConfirms<Message> {
    /// How a message ended.
    package enum Outcome: Equatable {
        case confirmed
        /// The broker could not take it: a full queue that rejects, or an error inside the broker.
        case nacked
        /// No queue took it; the broker sent it back.
        case returned(ReturnedMessage)
    }

    /// A confirm for a message that was never sent or is settled already.
    package struct Violation: Error, Equatable {
        package var deliveryTag: UInt64
    }

    /// Messages from `firstTag` on. A settled one is nil, so that a large body doesn't stay in memory behind an older
    /// message; its place stays until all before it are settled too.
    private var messages: Deque<Message?> = []
    private var firstTag: UInt64 = 1
    /// Unsettled messages that came back, by their number. Apart, since they are few and take room.
    private var returned: [UInt64: ReturnedMessage] = [:]
    /// Messages sent and not settled.
    package private(set) var unconfirmedCount = 0

    package init() {}

    /// Notes a message that has just been sent; call in the order of sending.
    package mutating func published(_ message: Message) {
        messages.append(message)
        unconfirmedCount += 1
    }

    /// Notes that the broker returned a message: the oldest unsettled one that `matches` and wasn't returned yet.
    /// The broker returns in the order of sending, so messages that look alike are told apart rightly.
    /// False when there is none.
    package mutating func returned(_ returned: ReturnedMessage, where matches: (Message) -> Bool) -> Bool {
        let index = messages.indices.first { index in
            messages[index].map(matches) == true && self.returned[firstTag + UInt64(index)] == nil
        }
        guard let index else { return false }
        self.returned[firstTag + UInt64(index)] = returned
        return true
    }

    /// Settles one message, or with `multiple` all unsettled ones up to it, and hands each to `body` with its outcome,
    /// in the order of sending.
    package mutating func settle(
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
            unconfirmedCount -= 1
            body(message, outcome(of: firstTag + UInt64(index), isAck: isAck))
        }
        dropSettled()
    }

    /// All unsettled messages in the order of sending: their outcome is unknown when the connection is gone.
    package var unconfirmed: [Message] {
        messages.compactMap { $0 }
    }

    private mutating func outcome(of tag: UInt64, isAck: Bool) -> Outcome {
        let message = returned.isEmpty ? nil : returned.removeValue(forKey: tag)
        return isAck ? message.map(Outcome.returned) ?? .confirmed : .nacked
    }

    private mutating func dropSettled() {
        while let first = messages.first, first == nil {
            messages.removeFirst()
            firstTag += 1
        }
    }
}
