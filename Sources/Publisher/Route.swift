// The way that tasks take, and what must be there for them.

import Broker

/// A destination together with what its tasks have in common.
package final class Route {
    /// Routes of one source are numbered from 0.
    package let number: Int
    package let destination: Destination
    /// What tasks have unless they say otherwise; without message id and timestamp.
    package let properties: MessageProperties
    package let template: MessageTemplate

    /// What must be done on the broker before a task is sent.
    package enum Preparation: Equatable {
        case createQueue
        case declareDelayQueue
        /// The queue, where it is missing, and the delay queue: tasks would wait for both.
        case createAllForDelay
    }

    /// Throws `invalidInput` when a name or property can't be sent.
    package init(
        _ number: Int = 0, to destination: Destination, properties: MessageProperties
    ) throws(BrokerError) {
        self.number = number
        self.destination = destination
        self.properties = properties
        template = try MessageTemplate(
            exchange: destination.exchange, routingKey: destination.firstRoutingKey, properties: properties)
    }

    /// Whether a task that came back may be sent once more, with its queue created.
    var canCreate: Bool { destination.delay != nil || destination.creates != nil }
}
