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

    private struct Entry {
        /// nil once settled, so that a large body doesn't stay in memory behind an older message.
        var message: Message?
        var returned: ReturnedMessage?

        var isSettled: Bool { message == nil }
    }

    /// Messages from `firstTag` on; settled ones stay until all before them are settled too.
    private var entries: Deque<Entry> = []
    private var firstTag: UInt64 = 1
    /// Messages sent and not settled.
    package private(set) var unconfirmedCount = 0

    package init() {}

    /// Notes a message that has just been sent; call in the order of sending.
    package mutating func published(_ message: Message) {
        entries.append(Entry(message: message))
        unconfirmedCount += 1
    }

    /// Notes that the broker returned a message: the oldest unsettled one that `matches` and wasn't returned yet.
    /// The broker returns in the order of sending, so messages that look alike are told apart rightly.
    /// False when there is none.
    package mutating func returned(_ returned: ReturnedMessage, where matches: (Message) -> Bool) -> Bool {
        let index = entries.firstIndex { entry in
            entry.returned == nil && entry.message.map(matches) == true
        }
        guard let index else { return false }
        entries[index].returned = returned
        return true
    }

    /// Settles one message, or with `multiple` all unsettled ones up to it, and hands each to `body` with its outcome,
    /// in the order of sending.
    package mutating func settle(
        _ deliveryTag: UInt64, multiple: Bool, isAck: Bool, _ body: (Message, Outcome) -> Void
    ) throws(Violation) {
        let end = firstTag + UInt64(entries.count)
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
        if !multiple, entries[last].isSettled { throw Violation(deliveryTag: deliveryTag) }
        for index in (multiple ? 0 : last)...last {
            guard let message = entries[index].message else { continue }
            let returned = entries[index].returned
            entries[index] = Entry(message: nil, returned: nil)
            unconfirmedCount -= 1
            body(message, isAck ? returned.map(Outcome.returned) ?? .confirmed : .nacked)
        }
        dropSettled()
    }

    /// All unsettled messages in the order of sending: their outcome is unknown when the connection is gone.
    package var unconfirmed: [Message] {
        entries.compactMap(\.message)
    }

    private mutating func dropSettled() {
        while entries.first?.isSettled == true {
            entries.removeFirst()
            firstTag += 1
        }
    }
}
