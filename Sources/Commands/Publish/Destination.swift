// Where tasks go, and what must be there for them.

import Broker
import Options
import Posix

/// A queue or an exchange that tasks are published to.
struct Destination: Equatable {
    /// A queue that is created when it is missing.
    struct Queue: Equatable {
        var type = QueueType.classic
        var arguments = FieldTable()
    }

    var exchange: ShortString
    var routingKey: ShortString
    /// nil when a missing queue is an error. Never set with an exchange: nobody knows which queues it should have.
    var creates: Queue?
    /// How long tasks wait before they get to the queue; nil for not at all.
    var delay: Duration?

    /// The queue of this name.
    static func queue(_ name: String, creates: Queue?, delay: Duration? = nil) -> Destination {
        Destination(exchange: "", routingKey: ShortString(name), creates: creates, delay: delay)
    }

    /// As it follows "on" in messages.
    var description: String {
        guard exchange.isEmpty else { return "exchange \"\(exchange)\" with routing key \"\(routingKey)\"" }
        return "queue \"\(routingKey)\""
    }

    /// The routing key that tasks are sent with.
    var firstRoutingKey: ShortString { delayQueue ?? routingKey }

    /// Where tasks wait for their time: a queue of its own for each delay, since what lives longer would hold back what
    /// is due earlier.
    var delayQueue: ShortString? {
        delay.map { ShortString(bytes: routingKey.bytes + Array(".delay.\($0.shortText)".utf8)) }
    }
}

// MARK: - On the broker

extension Destination {
    /// Creates the queue.
    func create(on channel: Channel) throws(BrokerError) {
        guard let creates else { return }
        try channel.declareQueue(routingKey, type: creates.type, arguments: creates.arguments)
    }

    /// Makes sure that the queue is there before tasks wait to get to it: they would be waiting for it too.
    func prepareDelay(_ publisher: inout ConfirmingPublisher<OutgoingTask>) throws(BrokerError) {
        guard delay != nil else { return }
        if try publisher.statusIfAny(ofQueue: routingKey) == nil {
            guard creates != nil else {
                throw BrokerError(
                    "publish to queue \"\(routingKey)\"", .notFound, scope: .client, "there is no such queue")
            }
            try create(on: publisher.channel)
        }
        try declareDelayQueue(on: publisher.channel)
    }

    /// Declares the delay queue, a quorum queue whatever the queue itself is: dead-lettering from a classic one is at
    /// most once. It never expires: RabbitMQ doesn't count publishing as use, nor, of quorum queues, declaring, so that
    /// `x-expires` would take waiting tasks with it.
    func declareDelayQueue(on channel: Channel) throws(BrokerError) {
        guard let delay, let delayQueue else { return }
        try channel.declareQueue(
            delayQueue, type: .quorum,
            arguments: [
                "x-message-ttl": .int64(delay.milliseconds),
                "x-dead-letter-exchange": .text(""),
                "x-dead-letter-routing-key": .string(routingKey.bytes),
                "x-dead-letter-strategy": .text("at-least-once"),
                "x-overflow": .text("reject-publish"),
            ])
    }

    /// How many tasks are ready on the queue, those that wait for their time included.
    func depth(_ publisher: inout ConfirmingPublisher<OutgoingTask>) throws(BrokerError) -> Int {
        var depth = try publisher.statusIfAny(ofQueue: routingKey)?.ready ?? 0
        if let delayQueue { depth += try publisher.statusIfAny(ofQueue: delayQueue)?.ready ?? 0 }
        return depth
    }
}

// MARK: - On disk

extension Destination {
    /// As the spool keeps it.
    var fields: FieldTable {
        var fields: FieldTable = ["exchange": .string(exchange.bytes), "routing_key": .string(routingKey.bytes)]
        if let creates {
            fields["queue_type"] = .text(creates.type.rawValue)
            fields["arguments"] = .table(creates.arguments)
        }
        if let delay { fields["delay_ms"] = .int64(delay.milliseconds) }
        return fields
    }

    /// nil when these aren't a destination's fields.
    init?(_ fields: FieldTable) {
        guard case .string(let exchange)? = fields["exchange"], case .string(let routingKey)? = fields["routing_key"],
            exchange.count <= ShortString.maximumCount, routingKey.count <= ShortString.maximumCount
        else { return nil }
        self.exchange = ShortString(bytes: exchange)
        self.routingKey = ShortString(bytes: routingKey)
        if let type = fields["queue_type"] {
            guard case .string(let name) = type, let type = QueueType(rawValue: String(decoding: name, as: UTF8.self)),
                case .table(let arguments)? = fields["arguments"]
            else { return nil }
            creates = Queue(type: type, arguments: arguments)
        }
        if let delay = fields["delay_ms"] {
            guard case .int64(let milliseconds) = delay, milliseconds > 0 else { return nil }
            self.delay = .milliseconds(milliseconds)
        }
    }
}
