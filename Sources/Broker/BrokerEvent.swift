// What a broker says without being asked.

/// Something that happened on a connection.
public enum BrokerEvent: Equatable {
    case delivery(Delivery)
    /// The answer to a request for a single message, where the queue has none.
    case queueEmpty
    /// Publisher confirm: the broker has taken responsibility for the message, or with `multiple` for all up to it.
    case acknowledged(deliveryTag: UInt64, multiple: Bool)
    /// Publisher confirm: the broker could not take the message, or with `multiple` any up to it.
    case negativelyAcknowledged(deliveryTag: UInt64, multiple: Bool)
    case returned(ReturnedMessage)
    /// The answer to a consumer that was asked for without waiting.
    case consuming(consumerTag: ShortString)
    /// The answer to a consumer's end that was asked for without waiting: all that it was sent has arrived.
    case consumerStopped(consumerTag: ShortString)
    /// The answer to a question for a queue, or a queue's creation, that was asked without waiting.
    case queueStatus(ready: Int, consumers: Int)
    /// The answer to a queue's deletion that was asked for without waiting.
    case queueDeleted
    /// The broker ended a consumer: its queue was deleted, or lost its leader.
    case consumerCancelled(consumerTag: ShortString)
    /// The channel is gone, and with it every delivery tag; the connection lives.
    case channelClosed(BrokerError)
    /// The broker said goodbye.
    case connectionClosed(BrokerError)
    /// An alarm: the broker stops reading from this connection.
    case blocked(reason: String)
    case unblocked
}
