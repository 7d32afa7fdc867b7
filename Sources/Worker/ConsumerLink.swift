// The connection that a worker takes its tasks from.

import Broker

/// A connection with a consumer on a queue.
struct ConsumerLink {
    struct Settings: Sendable {
        var queue: String
        /// Unacknowledged deliveries that the broker may have on the way; 0 for no limit.
        var prefetchCount: UInt16
        /// The type of the queue where it must be created; nil to leave a missing queue alone.
        var creates: QueueType?
    }

    var connection: Connection
    var channel: Channel
    var consumerTag: ShortString

    /// Connects and starts consuming. The queue is created only when the broker knows of none: an existing one is used
    /// as it is.
    static func open(_ settings: Settings, _ parameters: ConnectionParameters) throws(BrokerError) -> ConsumerLink {
        let connection = try Connection.open(parameters)
        let channel = try Channel(on: connection)
        let queue = ShortString(settings.queue)
        do {
            let tag = try consume(queue, channel, settings.prefetchCount)
            return ConsumerLink(connection: connection, channel: channel, consumerTag: tag)
        } catch {
            guard error.code == .notFound, !error.isRetriable, let type = settings.creates else { throw error }
            try channel.open()
            try channel.declareQueue(queue, type: type)
            let tag = try consume(queue, channel, settings.prefetchCount)
            return ConsumerLink(connection: connection, channel: channel, consumerTag: tag)
        }
    }

    private static func consume(
        _ queue: ShortString, _ channel: Channel, _ prefetchCount: UInt16
    ) throws(BrokerError) -> ShortString {
        if prefetchCount > 0 { try channel.setPrefetchCount(prefetchCount) }
        return try channel.consume(queue)
    }
}
