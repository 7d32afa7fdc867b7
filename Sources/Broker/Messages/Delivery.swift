// Messages as they arrive.

/// A message that the broker delivered to a consumer and holds as unacknowledged until it is settled.
public struct Delivery: Equatable, Sendable {
    package var consumerTag: ShortString
    /// Valid only on the channel that brought the delivery.
    package var deliveryTag: UInt64
    /// Whether the broker has delivered the message before, to anybody.
    package var redelivered: Bool
    package var exchange: ShortString
    package var routingKey: ShortString
    package var properties: MessageProperties
    package var body: [UInt8]
    /// Which of the queues it came from that its connection consumes from, in the order of the consumers. Not on the
    /// wire: whoever has more than one consumer says so.
    package var queue = 0

    package init(
        consumerTag: ShortString, deliveryTag: UInt64, redelivered: Bool, exchange: ShortString,
        routingKey: ShortString, properties: MessageProperties = MessageProperties(), body: [UInt8] = []
    ) {
        self.consumerTag = consumerTag
        self.deliveryTag = deliveryTag
        self.redelivered = redelivered
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.body = body
    }
}

/// A mandatory message that no queue took. The broker confirms it right afterwards with a plain ack.
public struct ReturnedMessage: Equatable {
    package var code: BrokerError.Code
    package var text: String
    package var exchange: ShortString
    package var routingKey: ShortString
    package var properties: MessageProperties
    package var body: [UInt8]

    package init(
        code: BrokerError.Code, text: String, exchange: ShortString, routingKey: ShortString,
        properties: MessageProperties, body: [UInt8]
    ) {
        self.code = code
        self.text = text
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.body = body
    }
}
