// What the broker is to be told of the deliveries of one connection.

import Broker
import DequeModule
import Posix

/// Settlements that haven't been sent, and the deliveries that haven't been settled. Pure.
///
/// AMQP lets one acknowledgement stand for all deliveries up to its tag. A broker has several times as much work with a
/// task as a small command, so acknowledgements that come within `interval` go together. They wait only while at least
/// as many tasks are here unstarted: the broker must not run dry of what it may deliver. Tasks that are given back go
/// together too where they can: RabbitMQ takes a minute for twenty thousand, one by one.
struct Settlements {
    /// What is sent: of a delivery tag.
    enum Word: Equatable {
        case acknowledge(UInt64)
        /// And of all deliveries before it.
        case acknowledgeAll(upTo: UInt64)
        case reject(UInt64)
        case giveBack(UInt64)
        /// With all deliveries before it that nothing was sent of.
        case giveBackAll(upTo: UInt64)
    }

    /// The least time between two sendings that could wait. A worker that is killed leaves to others what its commands
    /// did in this time.
    static let interval = Duration.milliseconds(5)

    /// How many tasks are given back one by one in each `pace` while older ones are still open. When those are settled
    /// the others go together, so that a broker isn't left with thousands of words about them.
    private static let greatestStep = 100
    private static let pace = Duration.milliseconds(100)

    /// Tags that the broker has delivered and that are still to be settled, ascending: as they come.
    private var open: Deque<UInt64> = []
    private var acknowledged: [UInt64] = []
    private var rejected: [UInt64] = []
    private var givenBack: [UInt64] = []
    private var lastSent = Instant(nanoseconds: 0)
    /// Whether some are left that are given back in the next step.
    private var isPaced = false

    mutating func delivered(_ tag: UInt64) {
        open.append(tag)
    }

    mutating func acknowledge(_ tag: UInt64) {
        if close(tag) { acknowledged.append(tag) }
    }

    mutating func reject(_ tag: UInt64) {
        if close(tag) { rejected.append(tag) }
    }

    mutating func giveBack(_ tag: UInt64) {
        if close(tag) { givenBack.append(tag) }
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
        if acknowledged.isEmpty, rejected.isEmpty, givenBack.isEmpty { return .never }
        if isPaced, acknowledged.isEmpty, rejected.isEmpty, (givenBack.first ?? 0) > (open.first ?? .max) {
            return lastSent + Self.pace
        }
        let mayWait = rejected.isEmpty && givenBack.isEmpty && acknowledged.count <= waiting
        return mayWait ? lastSent + Self.interval : lastSent
    }

    /// Takes everything that is to be sent, in this order: a word that stands for all deliveries before it comes when
    /// nothing else is to be said of those.
    mutating func take(now: Instant) -> [Word] {
        lastSent = now
        let firstOpen = open.first ?? .max
        acknowledged.sort()
        givenBack.sort()
        let backTogether = givenBack.prefix { $0 < firstOpen }
        // Up to here nothing is given back after it was acknowledged.
        let limit = min(firstOpen, backTogether.first ?? .max)
        let together = acknowledged.prefix { $0 < limit }
        var words = rejected.map(Word.reject)
        if together.count > 1, let last = together.last {
            words.append(.acknowledgeAll(upTo: last))
        } else {
            words += together.map(Word.acknowledge)
        }
        words += acknowledged[together.endIndex...].map(Word.acknowledge)
        if backTogether.count > 1, let last = backTogether.last {
            words.append(.giveBackAll(upTo: last))
        } else {
            words += backTogether.map(Word.giveBack)
        }
        let step = givenBack[backTogether.endIndex...].prefix(Self.greatestStep)
        words += step.map(Word.giveBack)
        acknowledged.removeAll(keepingCapacity: true)
        rejected.removeAll(keepingCapacity: true)
        givenBack.removeSubrange(..<step.endIndex)
        isPaced = !givenBack.isEmpty
        return words
    }
}
