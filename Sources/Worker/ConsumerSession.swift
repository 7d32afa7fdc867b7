// The connection that a worker takes its tasks from.

import Broker

/// A connection with a consumer on a queue. Nothing here waits for the broker: what it answers comes as events.
struct ConsumerSession {
    struct Settings: Sendable {
        var queue: String
        /// The queue where it must be created; nil to leave a missing queue alone.
        var creates: NewQueue?
        /// A name like those of the queues that failed tasks need, for a queue that is never there; nil where no task
        /// is tried again. A missing right is told before a task runs, not when the first one fails.
        var retryQueueSample: ShortString?
        /// What operators see; later consumers of the connection have a number behind it.
        var consumerTag: String
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
    private var prefetchCount: UInt16 = 0
    private var isConsuming = false
    private var isAskingForRights = false
    private var isCounting = false
    private var isCreating = false
    private var hasCreated = false

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

    private var queue: ShortString { ShortString(settings.queue) }
    private var consumerTag: ShortString {
        ShortString(consumerNumber == 1 ? settings.consumerTag : "\(settings.consumerTag)-\(consumerNumber)")
    }

    mutating func startConsumer(prefetch: Int) throws(BrokerError) {
        prefetchCount = UInt16(clamping: prefetch)
        consumerNumber += 1
        isConsuming = false
        if consumerNumber == 1, let sample = settings.retryQueueSample {
            isAskingForRights = true
            try channel.sendQuestion(whetherMayCreate: sample)
        }
        try channel.sendPrefetchCount(prefetchCount)
        try channel.sendConsume(queue, consumerTag: consumerTag, priority: settings.priority)
    }

    func stopConsumer() throws(BrokerError) {
        try channel.sendStop(consumerTag)
    }

    mutating func countReady() throws(BrokerError) {
        isCounting = true
        try channel.sendStatusRequest(ofQueue: queue)
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
        case .delivery(let delivery):
            guard delivery.properties.headers?["x-stream-offset"] == nil else {
                return .refused(.stream(settings.queue))
            }
            return .delivery(delivery)
        case .queueDeleted:
            isAskingForRights = false
            return nil
        case .consuming(consumerTag):
            isConsuming = true
            return .event(.consuming)
        case .consumerStopped(consumerTag): return .event(.consumerStopped)
        case .queueStatus(let ready, _):
            if isCreating {
                isCreating = false
                return .event(.queueCreated)
            }
            isCounting = false
            return .event(.readyCount(ready))
        case .consumerCancelled:
            return .lost(
                BrokerError(
                    "consume from queue \"\(settings.queue)\"", .connectionLost, scope: .channel,
                    "the queue was deleted or lost its leader, or a task took longer than the queue allows"))
        case .channelClosed(let error): return try channelClosed(error)
        case .connectionClosed(let error): return .lost(error)
        // Nothing is published on this connection, and an alarm doesn't stop deliveries or acknowledgements.
        case .queueEmpty, .acknowledged, .negativelyAcknowledged, .returned, .blocked, .unblocked, .consuming,
            .consumerStopped:
            return nil
        }
    }

    /// The queue is created only when the broker knows of none: an existing one is used as it is.
    private mutating func channelClosed(_ error: BrokerError) throws(BrokerError) -> News? {
        if error.code == .notFound, !error.isRetriable, !isConsuming, !hasCreated, let new = settings.creates {
            (isCreating, hasCreated, isCounting) = (true, true, false)
            try channel.sendOpen()
            try channel.sendCreateQueue(queue, type: new.type, arguments: new.arguments)
            try startConsumer(prefetch: Int(prefetchCount))
            return nil
        }
        var error = error
        if isAskingForRights, error.code == .accessRefused {
            error.operation = "prepare for tasks that fail"
            error.neededPermission = "configure, read and write queues \"\(settings.queue).retry.*\""
        } else if isCreating {
            error.operation = "create queue \"\(settings.queue)\""
            if error.code == .accessRefused { error.neededPermission = "configure queue \"\(settings.queue)\"" }
        } else if isCounting {
            error.operation = "ask for queue \"\(settings.queue)\""
            if error.code == .accessRefused {
                error.neededPermission = "configure queue \"\(settings.queue)\""
                return .refused(error)
            }
        } else if !isConsuming {
            if error.isStream { return .refused(.stream(settings.queue)) }
            error.operation = "consume from queue \"\(settings.queue)\""
            if error.code == .accessRefused {
                // What another consumer has for itself is refused with the same code.
                if error.isExclusiveUse {
                    return .refused(
                        BrokerError(error.operation, .resourceLocked, scope: error.scope, error.text))
                }
                error.neededPermission = "read from queue \"\(settings.queue)\""
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
