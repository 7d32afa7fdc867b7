// Where tasks go, and what must be there for them.

import Broker
import Options
import Posix

/// A queue or an exchange that tasks are published to.
package struct Destination: Equatable {
    /// A queue that is created when it is missing.
    package struct Queue: Equatable {
        /// nil for the vhost's default.
        package var type: QueueType?
        package var arguments = FieldTable()

        package init(type: QueueType?, arguments: FieldTable = FieldTable()) {
            self.type = type
            self.arguments = arguments
        }
    }

    package var exchange: ShortString
    package var routingKey: ShortString
    /// nil when a missing queue is an error. Never set with an exchange: nobody knows which queues it should have.
    package var creates: Queue?
    /// How long tasks wait before they get to the queue; nil for not at all.
    package var delay: Duration?

    package init(exchange: ShortString, routingKey: ShortString, creates: Queue? = nil, delay: Duration? = nil) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.creates = creates
        self.delay = delay
    }

    /// The queue of this name.
    package static func queue(_ name: String, creates: Queue?, delay: Duration? = nil) -> Destination {
        Destination(exchange: "", routingKey: ShortString(name), creates: creates, delay: delay)
    }

    /// As it follows "on" in messages.
    package var description: String {
        guard exchange.isEmpty else { return "exchange \"\(exchange)\" with routing key \"\(routingKey)\"" }
        return "queue \"\(routingKey)\""
    }

    /// The routing key that tasks are sent with.
    package var firstRoutingKey: ShortString { delayQueue ?? routingKey }

    /// Where tasks wait for their time: a queue of its own for each delay, since what lives longer would hold back what
    /// is due earlier.
    package var delayQueue: ShortString? {
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
}

// MARK: - On disk

extension Destination {
    /// As the spool keeps it.
    package var fields: FieldTable {
        var fields: FieldTable = ["exchange": .string(exchange.bytes), "routing_key": .string(routingKey.bytes)]
        if let creates {
            if let type = creates.type { fields["queue_type"] = .text(type.rawValue) }
            fields["arguments"] = .table(creates.arguments)
        }
        if let delay { fields["delay_ms"] = .int64(delay.milliseconds) }
        return fields
    }

    /// nil when these aren't a destination's fields.
    package init?(_ fields: FieldTable) {
        guard case .string(let exchange)? = fields["exchange"], case .string(let routingKey)? = fields["routing_key"],
            exchange.count <= ShortString.maximumCount, routingKey.count <= ShortString.maximumCount
        else { return nil }
        self.exchange = ShortString(bytes: exchange)
        self.routingKey = ShortString(bytes: routingKey)
        if let arguments = fields["arguments"] {
            guard case .table(let arguments) = arguments else { return nil }
            creates = Queue(type: nil, arguments: arguments)
        }
        if let type = fields["queue_type"] {
            guard case .string(let name) = type, let type = QueueType(rawValue: String(decoding: name, as: UTF8.self))
            else { return nil }
            creates?.type = type
        }
        if let delay = fields["delay_ms"] {
            guard case .int64(let milliseconds) = delay, milliseconds > 0 else { return nil }
            self.delay = .milliseconds(milliseconds)
        }
    }
}
