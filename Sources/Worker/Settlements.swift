// What the broker is to be told of the deliveries of one connection.

import Broker
import DequeModule

/// Settlements that haven't been sent, and the deliveries that haven't been settled. Pure.
///
/// AMQP lets one acknowledgement stand for all deliveries up to its tag. A broker has several times as much work with a
/// task as a small command, so acknowledgements that come within `interval` go together. They wait only while at least as
/// many tasks are here unstarted: the broker must not run dry of what it may deliver.
struct Settlements {
    /// What is sent: of a delivery tag.
    enum Word: Equatable {
        case acknowledge(UInt64)
        /// And of all deliveries before it.
        case acknowledgeAll(upTo: UInt64)
        case reject(UInt64)
        case giveBack(UInt64)
    }

    /// The least time between two sendings that could wait. A worker that is killed leaves to others what its commands
    /// did in this time.
    static let interval = Duration.milliseconds(5)

    /// Tags that the broker has delivered and that are still to be settled, ascending: as they come.
    private var open: Deque<UInt64> = []
    private var acknowledged: [UInt64] = []
    /// What rejects or gives back.
    private var refusals: [Word] = []
    private var lastSent = Instant(nanoseconds: 0)

    mutating func delivered(_ tag: UInt64) {
        open.append(tag)
    }

    mutating func acknowledge(_ tag: UInt64) {
        if close(tag) { acknowledged.append(tag) }
    }

    mutating func reject(_ tag: UInt64) {
        if close(tag) { refusals.append(.reject(tag)) }
    }

    mutating func giveBack(_ tag: UInt64) {
        if close(tag) { refusals.append(.giveBack(tag)) }
    }

    /// A tag that isn't open must never be sent: the broker would close the channel.
    private mutating func close(_ tag: UInt64) -> Bool {
        // Found among the first: tasks start in the order in which they come.
        guard let index = open.firstIndex(of: tag) else { return false }
        open.remove(at: index)
        return true
    }

    /// When to send, while `waiting` tasks are here unstarted.
    func due(waiting: Int) -> Instant {
        if acknowledged.isEmpty, refusals.isEmpty { return .never }
        let mayWait = refusals.isEmpty && acknowledged.count <= waiting
        return mayWait ? lastSent + Self.interval : lastSent
    }

    /// Takes everything that is to be sent, in this order: a delivery must be refused before a word that stands for all
    /// before it.
    mutating func take(now: Instant) -> [Word] {
        lastSent = now
        acknowledged.sort()
        let firstOpen = open.first ?? .max
        let together = acknowledged.prefix { $0 < firstOpen }
        var words = refusals
        if together.count > 1, let last = together.last {
            words.append(.acknowledgeAll(upTo: last))
        } else {
            words += together.map(Word.acknowledge)
        }
        words += acknowledged[together.endIndex...].map(Word.acknowledge)
        acknowledged.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        return words
    }
}
