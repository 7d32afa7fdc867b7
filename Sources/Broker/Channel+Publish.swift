// Publishing and publisher confirms.

import CRabbitMQ

extension Channel {
    /// Turns publisher confirms on: the broker numbers messages from 1 and answers each (`PublisherConfirms`). No reply
    /// is asked for, which saves the way to the broker and back.
    package func selectConfirms() throws(BrokerError) {
        try connection.send("turn on publisher confirms") { state in
            var request = amqp_confirm_select_t(nowait: 1)
            return amqp_send_method(state, Self.number, AMQP_CONFIRM_SELECT_METHOD, &request)
        }
    }

    /// Sends a message. `mandatory` asks the broker to return it when no queue takes it.
    ///
    /// Names and properties are checked before a byte is sent; after any other error the connection is dead, and
    /// whether the broker has the message is unknown.
    package func publish(
        _ body: [UInt8], exchange: ShortString, routingKey: ShortString, mandatory: Bool, properties: MessageProperties
    ) throws(BrokerError) {
        try Self.check(
            exchange: exchange, routingKey: routingKey, properties, frameMax: connection.frameMax)
        try withPool { pool throws(BrokerError) in
            let exchange = try pool.bytes(exchange)
            let routingKey = try pool.bytes(routingKey)
            var properties = try pool.properties(properties)
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

    /// Sends a mandatory message made from a template, with a message id unless that is empty; see above for errors.
    @usableFromInline package func publish(
        _ body: [UInt8], _ template: MessageTemplate, messageID: UnsafeRawBufferPointer, timestamp: UInt64?
    ) throws(BrokerError) {
        let limit = connection.frameMax
        if let reason = template.invalidity(frameMax: limit, messageID: messageID, timestamp: timestamp) {
            throw BrokerError("publish", .invalidInput, scope: .client, reason)
        }
        try connection.send("publish", size: body.count + 256) { state in
            body.withUnsafeBytes { bytes in
                let content = amqp_bytes_t(
                    len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                return template.withParts(messageID: messageID, timestamp: timestamp) {
                    amqp_basic_publish(state, Self.number, $0, $1, 1, 0, $2, content)
                }
            }
        }
    }

    /// Throws `invalidInput` for what librabbitmq would find out only after the method frame is on the wire.
    static func check(
        exchange: ShortString, routingKey: ShortString, _ properties: MessageProperties, frameMax: Int
    ) throws(BrokerError) {
        let reason: String? =
            if exchange.bytes.count > ShortString.maximumCount {
                "the exchange's name is longer than 255 bytes"
            } else if routingKey.bytes.count > ShortString.maximumCount {
                "the routing key is longer than 255 bytes"
            } else {
                properties.invalidity(frameMax: frameMax, arePassedOn: true)
            }
        if let reason { throw BrokerError("publish", .invalidInput, scope: .client, reason) }
    }
}
