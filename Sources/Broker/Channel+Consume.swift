// Consuming and settling deliveries.

import CRabbitMQ

extension Channel {
    /// Limits how many unacknowledged deliveries a later consumer of this channel may hold; 0 for no limit.
    package func setPrefetchCount(_ count: UInt16) throws(BrokerError) {
        _ = try connection.request("set the prefetch count") { amqp_basic_qos($0, Self.number, 0, count, 0) }
    }

    /// Starts a consumer and returns its tag. A missing queue closes the channel with 404, and one that another
    /// consumer has for itself with 403, as if a permission were missing; that is thrown as `resourceLocked`.
    package func consume(_ queue: ShortString, arguments: FieldTable = FieldTable()) throws(BrokerError) -> ShortString
    {
        try withPool { pool throws(BrokerError) in
            let (name, arguments) = (try pool.bytes(queue), try pool.table(arguments))
            do throws(BrokerError) {
                let tag = try connection.request(
                    "consume from queue \"\(queue)\"", permission: "read from queue \"\(queue)\""
                ) { state in
                    amqp_basic_consume(state, Self.number, name, amqp_bytes_t(), 0, 0, 0, arguments).map {
                        ShortString($0.pointee.consumer_tag)
                    }
                }
                return tag ?? ""
            } catch {
                guard error.isExclusiveUse else { throw error }
                throw BrokerError(error.operation, .resourceLocked, scope: error.scope, error.text)
            }
        }
    }

    /// Ends a consumer. Deliveries that were under way arrive before this returns, as the next events.
    package func cancel(_ consumerTag: ShortString) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            let tag = try pool.bytes(consumerTag)
            _ = try connection.request("cancel the consumer") { amqp_basic_cancel($0, Self.number, tag) }
        }
    }

    /// The same without waiting for the broker's answer: deliveries that are under way arrive later.
    package func sendCancel(_ consumerTag: ShortString) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var method = amqp_basic_cancel_t()
            method.consumer_tag = try pool.bytes(consumerTag)
            method.nowait = 1
            try connection.send("cancel the consumer") {
                amqp_send_method($0, Self.number, AMQP_BASIC_CANCEL_METHOD, &method)
            }
        }
    }

    /// Tells the broker that a delivery is done with, or with `multiple` all up to it.
    package func acknowledge(_ deliveryTag: UInt64, multiple: Bool = false) throws(BrokerError) {
        try connection.send("acknowledge a task") {
            amqp_basic_ack($0, Self.number, deliveryTag, multiple ? 1 : 0)
        }
    }

    /// Leaves a delivery to the queue's dead-letter exchange; the broker drops it when there is none.
    package func reject(_ deliveryTag: UInt64) throws(BrokerError) {
        try connection.send("reject a task") { amqp_basic_reject($0, Self.number, deliveryTag, 0) }
    }

    /// Gives a delivery back to its queue that wasn't tried to the end. From RabbitMQ 4.3 on this doesn't count as a
    /// failed delivery.
    package func giveBack(_ deliveryTag: UInt64, multiple: Bool = false) throws(BrokerError) {
        try connection.send("give a task back") {
            amqp_basic_nack($0, Self.number, deliveryTag, multiple ? 1 : 0, 1)
        }
    }
}
