// Tasks that were sent on the connection at hand and whose outcome isn't known.

import Broker

/// The account of what is under way. Pure.
struct InFlight {
    private var confirms: PublisherConfirms<OutgoingTask>
    private(set) var bytes = 0
    /// Whether one of them goes alone: should the broker close the channel, it is the reason.
    private(set) var isReserved = false
    /// Whether something was sent since the broker was last known to have worked off everything.
    private(set) var isUnsynchronized = false

    init(nextTag: UInt64 = 1) {
        confirms = PublisherConfirms(nextTag: nextTag)
    }

    var count: Int { confirms.unconfirmedCount }

    /// All of them, in the order of sending.
    var tasks: [OutgoingTask] { confirms.unconfirmed }

    /// Whether one of them came back, so that its confirm will say that no queue has it.
    var hasReturned: Bool { confirms.hasReturned }

    mutating func add(_ task: consuming OutgoingTask, alone: Bool) {
        bytes += task.size
        confirms.published(task)
        isUnsynchronized = true
        if alone { isReserved = true }
    }

    /// Takes back the newest, of which no byte was sent.
    mutating func withdraw() {
        guard let task = confirms.withdraw() else { return }
        bytes -= task.size
        if confirms.unconfirmedCount == 0 { isReserved = false }
    }

    /// The broker has worked off everything that was sent: others may follow.
    mutating func synchronized() {
        isUnsynchronized = false
        if !confirms.hasReturned { isReserved = false }
    }

    /// Takes the broker's word; what is settled by it goes to `settled`. Throws for a word on a task that isn't there.
    mutating func take(
        _ event: BrokerEvent, _ settled: (OutgoingTask, PublisherConfirms<OutgoingTask>.Outcome) -> Void
    ) throws(BrokerError) {
        var settledBytes = 0
        try confirms.take(
            event, matches: { $0.id.matches($1) },
            settled: { task, outcome in
                settledBytes += task.size
                settled(task, outcome)
            })
        bytes -= settledBytes
        if confirms.unconfirmedCount == 0 { isReserved = false }
    }

    /// Takes everything back, in the order of sending: the channel is gone.
    mutating func recall() -> [OutgoingTask] {
        defer { self = InFlight() }
        return confirms.unconfirmed
    }
}

extension MessageID {
    /// Whether a message that came back is the one of this id.
    fileprivate func matches(_ returned: ReturnedMessage) -> Bool {
        let id = returned.properties.messageID ?? ""
        return withBytes { id.bytes.elementsEqual($0) }
    }
}
