// The connection that a worker takes its tasks from.

import Broker

/// A connection with a consumer on each queue. Nothing here waits for the broker: what it answers comes as events.
///
/// The consumers are one to the worker: they start and end together. They are asked for one after the other, so that a
/// refusal is known to be of the last one asked for.
struct ConsumerSession {
    struct Settings: Sendable {
        /// At least one; no name twice.
        var queues: [WorkQueue]
        /// Whether failed tasks wait on queues of their own. A missing right is told before a task runs, not when the
        /// first one fails.
        var triesAgain: Bool
        var priority: Int32
    }

    /// What is worth knowing of an event of the connection.
    enum News {
        case event(WorkerState.Event)
        case delivery(Delivery)
        /// The session is over.
        case lost(BrokerError)
        /// Asking again won't help.
        case refused(BrokerError)
    }

    let connection: Connection
    private let channel: Channel
    private let settings: Settings
    /// Consumers have tags of their own, so that a late answer can't be taken for that of the next one.
    private var consumerNumber = 0
    /// The consumers that were asked for, in the order of their queues.
    private var consumerTags: [ShortString] = []
    private var prefetchCount: UInt16 = 0
    /// Whether all consumers have started.
    private var isConsuming = false
    /// How many consumers the broker hasn't ended yet that it was asked to end.
    private var openEnds = 0
    /// Of how many queues it is known, or was asked, whether their retry queues may be created.
    private var rightsAsked = 0
    private var isAskingForRights = false
    /// The queue whose ready messages are asked for, and how many those before it have.
    private var counting: (queue: Int, ready: Int)?
    /// The queue that is being created, and those that were.
    private var creating: Int?
    private var created: Set<Int> = []
    /// What came before all consumers had started: a channel that closes over a missing queue takes it back.
    private var early: [Delivery] = []
    /// Whether the worker has deliveries of this channel.
    private var hasDelivered = false

    /// Connects, which takes its time; the channel is there when something is asked of it.
    static func open(
        _ settings: Settings, _ parameters: ConnectionParameters
    ) throws(BrokerError) -> sending ConsumerSession {
        let connection = try Connection.open(parameters)
        return ConsumerSession(
            connection: connection, channel: try Channel(openingOn: connection), settings: settings)
    }

    private init(connection: Connection, channel: Channel, settings: Settings) {
        self.connection = connection
        self.channel = channel
        self.settings = settings
    }

    mutating func startConsumer(prefetch: Int) throws(BrokerError) {
        prefetchCount = UInt16(clamping: prefetch)
        (consumerTags, isConsuming, openEnds) = ([], false, 0)
        try consumeNext()
    }

    private mutating func consumeNext() throws(BrokerError) {
        let queue = settings.queues[consumerTags.count]
        consumerNumber += 1
        let tag = ShortString(consumerNumber == 1 ? queue.consumerTag : "\(queue.consumerTag)-\(consumerNumber)")
        consumerTags.append(tag)
        if settings.triesAgain, rightsAsked < consumerTags.count {
            (rightsAsked, isAskingForRights) = (consumerTags.count, true)
            try channel.sendQuestion(whetherMayCreate: ShortString(queue.retryQueue(.zero)))
        }
        try channel.sendPrefetchCount(prefetchCount)
        try channel.sendConsume(ShortString(queue.name), consumerTag: tag, priority: settings.priority)
    }

    mutating func stopConsumer() throws(BrokerError) {
        openEnds = consumerTags.count
        for tag in consumerTags { try channel.sendStop(tag) }
    }

    mutating func countReady() throws(BrokerError) {
        try count(0, ready: 0)
    }

    private mutating func count(_ queue: Int, ready: Int) throws(BrokerError) {
        counting = (queue, ready)
        try channel.sendStatusRequest(ofQueue: ShortString(settings.queues[queue].name))
    }

    func send(_ word: Settlements.Word) throws(BrokerError) {
        switch word {
        case .acknowledge(let tag): try channel.acknowledge(tag)
        case .acknowledgeAll(let tag): try channel.acknowledge(tag, multiple: true)
        case .reject(let tag): try channel.reject(tag)
        case .giveBack(let tag): try channel.giveBack(tag)
        case .giveBackAll(let tag): try channel.giveBack(tag, multiple: true)
        }
    }

    mutating func news(of event: BrokerEvent) throws(BrokerError) -> News? {
        switch event {
        case .delivery(let delivery): return received(delivery)
        case .queueDeleted:
            isAskingForRights = false
            return nil
        case .consuming(let tag): return try started(tag)
        case .consumerStopped(let tag):
            guard openEnds > 0, consumerTags.contains(tag) else { return nil }
            openEnds -= 1
            guard openEnds == 0 else { return nil }
            consumerTags = []
            return .event(.consumerStopped)
        case .queueStatus(let ready, _): return try answered(ready: ready)
        case .consumerCancelled(let tag):
            let queue = settings.queues[consumerTags.firstIndex(of: tag) ?? 0].name
            return .lost(
                BrokerError(
                    "consume from queue \"\(queue)\"", .connectionLost, scope: .channel,
                    "the queue was deleted or lost its leader, or a task took longer than the queue allows"))
        case .channelClosed(let error): return try channelClosed(error)
        case .connectionClosed(let error): return .lost(error)
        // Nothing is published on this connection, and an alarm doesn't stop deliveries or acknowledgements.
        case .queueEmpty, .acknowledged, .negativelyAcknowledged, .returned, .blocked, .unblocked: return nil
        }
    }

    /// What came before all consumers had started, once they have, or have ended.
    mutating func takeEarly() -> [Delivery] {
        guard !early.isEmpty, isConsuming || consumerTags.isEmpty else { return [] }
        defer { early = [] }
        hasDelivered = true
        return early
    }

    private mutating func received(_ delivery: Delivery) -> News? {
        var delivery = delivery
        if settings.queues.count > 1 {
            guard let queue = consumerTags.firstIndex(of: delivery.consumerTag) else {
                return .lost(
                    BrokerError(
                        "take a task", .protocolViolation, scope: .connection,
                        "the broker sent one for a consumer that there isn't"))
            }
            delivery.queue = queue
        }
        guard delivery.properties.headers?["x-stream-offset"] == nil else {
            return .refused(.stream(settings.queues[delivery.queue].name))
        }
        guard isConsuming || settings.queues.count == 1 else {
            early.append(delivery)
            return nil
        }
        hasDelivered = true
        return .delivery(delivery)
    }

    private mutating func started(_ tag: ShortString) throws(BrokerError) -> News? {
        guard tag == consumerTags.last, openEnds == 0 else { return nil }
        guard consumerTags.count == settings.queues.count else {
            try consumeNext()
            return nil
        }
        isConsuming = true
        return .event(.consuming)
    }

    private mutating func answered(ready: Int) throws(BrokerError) -> News? {
        if let queue = creating {
            creating = nil
            return .event(.queueCreated(queue))
        }
        guard let (queue, before) = counting else { return nil }
        guard queue + 1 == settings.queues.count else {
            try count(queue + 1, ready: before + ready)
            return nil
        }
        counting = nil
        return .event(.readyCount(before + ready))
    }

    /// A queue is created only when the broker knows of none: an existing one is used as it is. What the worker has
    /// from this channel couldn't be settled on the next one, whose delivery tags begin anew; then the session is over.
    private mutating func channelClosed(_ error: BrokerError) throws(BrokerError) -> News? {
        let asked = max(consumerTags.count - 1, 0)
        if error.code == .notFound, !error.isRetriable, !isConsuming, let new = settings.queues[asked].creates,
            created.insert(asked).inserted
        {
            guard !hasDelivered, openEnds == 0, counting == nil else { return .lost(error) }
            (creating, early) = (asked, [])
            try channel.sendOpen()
            try channel.sendCreateQueue(
                ShortString(settings.queues[asked].name), type: new.type, arguments: new.arguments)
            try startConsumer(prefetch: Int(prefetchCount))
            return nil
        }
        var error = error
        let queue = settings.queues[isAskingForRights ? asked : creating ?? counting?.queue ?? asked].name
        if isAskingForRights, error.code == .accessRefused {
            error.operation = "prepare for tasks that fail"
            error.neededPermission = "configure, read and write queues \"\(queue).retry.*\""
        } else if creating != nil {
            error.operation = "create queue \"\(queue)\""
            if error.code == .accessRefused { error.neededPermission = "configure queue \"\(queue)\"" }
        } else if counting != nil {
            error.operation = "ask for queue \"\(queue)\""
            if error.code == .accessRefused {
                error.neededPermission = "configure queue \"\(queue)\""
                return .refused(error)
            }
        } else if !isConsuming {
            if error.isStream { return .refused(.stream(queue)) }
            error.operation = "consume from queue \"\(queue)\""
            if error.code == .accessRefused {
                // What another consumer has for itself is refused with the same code.
                if error.isExclusiveUse {
                    return .refused(
                        BrokerError(error.operation, .resourceLocked, scope: error.scope, error.text))
                }
                error.neededPermission = "read from queue \"\(queue)\""
            }
        }
        return isConsuming || error.isRetriable ? .lost(error) : .refused(error)
    }
}

extension BrokerError {
    /// A stream gives all its messages to everybody, and acknowledgements mean nothing to it.
    static func stream(_ queue: String) -> BrokerError {
        BrokerError(
            "work on queue \"\(queue)\"", .notImplemented, scope: .client,
            "it is a stream, whose tasks are never done with")
    }
}
