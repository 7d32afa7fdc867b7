// What many messages have in common, checked and laid out for librabbitmq once: doing it for each message anew took
// more time than sending it.

import CRabbitMQ

/// Where messages go, and the properties that they share. Each may add a message id and a timestamp of its own.
public final class MessageTemplate {
    private let pool = MemoryPool()
    /// In the pool, as are the texts of the properties.
    private let exchange: amqp_bytes_t
    private let routingKey: amqp_bytes_t
    private let properties: amqp_basic_properties_t
    /// What the content header needs without message id and timestamp.
    private let headerSize: Int

    /// Throws `invalidInput` when no broker would take such a message: a name or a property is too long.
    package init(
        exchange: ShortString, routingKey: ShortString, properties: MessageProperties
    ) throws(BrokerError) {
        try Channel.check(
            exchange: exchange, routingKey: routingKey, properties, frameMax: Connection.greatestFrameMax)
        self.exchange = try pool.bytes(exchange)
        self.routingKey = try pool.bytes(routingKey)
        self.properties = try pool.properties(properties)
        headerSize = properties.encodedSize
    }

    /// Runs `body` with all that `amqp_basic_publish` wants besides the content. `messageID` must live until then.
    func withParts<Result>(
        messageID: UnsafeRawBufferPointer, timestamp: UInt64?,
        _ body: (amqp_bytes_t, amqp_bytes_t, UnsafePointer<amqp_basic_properties_t>) -> Result
    ) -> Result {
        // A copy, so that nothing of one message is left for the next.
        var properties = properties
        if !messageID.isEmpty {
            properties._flags |= amqp_flags_t(AMQP_BASIC_MESSAGE_ID_FLAG)
            properties.message_id = amqp_bytes_t(
                len: messageID.count, bytes: UnsafeMutableRawPointer(mutating: messageID.baseAddress))
        }
        if let timestamp {
            properties._flags |= amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG)
            properties.timestamp = timestamp
        }
        return withUnsafePointer(to: &properties) { body(exchange, routingKey, $0) }
    }

    /// Why a message can't be sent in frames of `frameMax` bytes, nil when it can.
    func invalidity(frameMax: Int, messageID: UnsafeRawBufferPointer, timestamp: UInt64?) -> String? {
        let size = headerSize + (messageID.isEmpty ? 0 : messageID.count + 1) + (timestamp == nil ? 0 : 8)
        return size <= frameMax ? nil : "the headers need \(size) bytes, the connection allows \(frameMax)"
    }
}
