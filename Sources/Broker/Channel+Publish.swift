// Publishing and publisher confirms.

import CRabbitMQ

extension Channel {
    /// Turns publisher confirms on: the broker numbers messages from 1 and answers each (`PublisherConfirms`).
    package func selectConfirms() throws(BrokerError) {
        _ = try connection.request("turn on publisher confirms") { amqp_confirm_select($0, Self.number) }
    }

    /// Sends a message. `mandatory` asks the broker to return it when no queue takes it.
    ///
    /// Names and properties are checked before a byte is sent; after any other error the connection is dead, and whether
    /// the broker has the message is unknown.
    package func publish(
        _ body: [UInt8], exchange: ShortString, routingKey: ShortString, mandatory: Bool, properties: MessageProperties
    ) throws(BrokerError) {
        if let reason = invalidity(exchange: exchange, routingKey: routingKey, properties) {
            throw BrokerError("publish", .invalidInput, scope: .client, reason)
        }
        try withPool { pool throws(BrokerError) in
            let exchange = pool.bytes(exchange)
            let routingKey = pool.bytes(routingKey)
            var properties = pool.properties(properties)
            try connection.send("publish", size: body.count + 256) { state in
                body.withUnsafeBytes { bytes in
                    let content = amqp_bytes_t(
                        len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                    return amqp_basic_publish(
                        state, Self.number, exchange, routingKey, mandatory ? 1 : 0, 0, &properties, content)
                }
            }
        }
    }

    private func invalidity(
        exchange: ShortString, routingKey: ShortString, _ properties: MessageProperties
    ) -> String? {
        if exchange.bytes.count > ShortString.maximumCount { return "the exchange's name is longer than 255 bytes" }
        if routingKey.bytes.count > ShortString.maximumCount { return "the routing key is longer than 255 bytes" }
        return properties.invalidity(frameMax: connection.frameMax)
    }
}
