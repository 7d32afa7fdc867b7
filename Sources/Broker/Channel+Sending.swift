// Requests that don't wait: their answers are events.

import CRabbitMQ

extension Channel {
    /// Opens the channel again after the broker closed it, without waiting for the broker's word on that.
    package func sendOpen() throws(BrokerError) {
        try connection.send("open a channel") { state in
            var request = amqp_channel_open_t()
            return amqp_send_method(state, Self.number, AMQP_CHANNEL_OPEN_METHOD, &request)
        }
    }

    /// Limits how many unacknowledged deliveries a later consumer of this channel may hold; 0 for no limit. The answer
    /// is no event.
    package func sendPrefetchCount(_ count: UInt16) throws(BrokerError) {
        try connection.send("set the prefetch count") { state in
            var request = amqp_basic_qos_t()
            request.prefetch_count = count
            return amqp_send_method(state, Self.number, AMQP_BASIC_QOS_METHOD, &request)
        }
    }

    /// Starts a consumer with a tag of the caller's. The answer is `consuming`, or `channelClosed`.
    ///
    /// As long as it can take tasks, those with a lower priority get none. A stream refuses it
    /// (`BrokerError.isStream`): it knows no priorities, and 0 is what every other queue takes for granted.
    package func sendConsume(
        _ queue: ShortString, consumerTag: ShortString, priority: Int32 = 0
    ) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var request = amqp_basic_consume_t()
            request.queue = try pool.bytes(queue)
            request.consumer_tag = try pool.bytes(consumerTag)
            request.arguments = try pool.table(["x-priority": .int32(priority)])
            try connection.send("consume from queue \"\(queue)\"", size: 600) {
                amqp_send_method($0, Self.number, AMQP_BASIC_CONSUME_METHOD, &request)
            }
        }
    }

    /// Has everything delivered to this channel that answers a message published on it with `reply-to` set to
    /// `ShortString.directReplyTo`. The broker keeps no queue for that and wants no acknowledgement; what comes after
    /// the channel has closed is lost. The answer to the request is no event.
    package func sendConsumeReplies() throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var request = amqp_basic_consume_t()
            request.queue = try pool.bytes(.directReplyTo)
            request.no_ack = 1
            request.nowait = 1
            try connection.send("wait for an answer") {
                amqp_send_method($0, Self.number, AMQP_BASIC_CONSUME_METHOD, &request)
            }
        }
    }

    /// Ends a consumer. The answer is `consumerStopped`, behind everything that was sent to the consumer.
    package func sendStop(_ consumerTag: ShortString) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var request = amqp_basic_cancel_t()
            request.consumer_tag = try pool.bytes(consumerTag)
            try connection.send("end the consumer", size: 300) {
                amqp_send_method($0, Self.number, AMQP_BASIC_CANCEL_METHOD, &request)
            }
        }
    }

    /// Creates a durable queue. The answer is `queueStatus`, or `channelClosed`.
    package func sendCreateQueue(
        _ name: ShortString, type: QueueType?, arguments: FieldTable = FieldTable()
    ) throws(BrokerError) {
        var arguments = arguments
        if let type { arguments["x-queue-type"] = .text(type.rawValue) }
        try sendDeclare(name, arguments) { $0.durable = 1 }
    }

    /// Asks for the counts of a queue. The answer is `queueStatus`, or `channelClosed` with 404 when there is none.
    package func sendStatusRequest(ofQueue name: ShortString) throws(BrokerError) {
        try sendDeclare(name, FieldTable()) { $0.passive = 1 }
    }

    /// Asks whether the login may create queues of such a name: RabbitMQ looks whether it may configure the queue
    /// before it finds that there is none. The answer is `queueDeleted`, or `channelClosed` with 403. A queue that is
    /// there after all is kept if it has tasks or consumers.
    package func sendQuestion(whetherMayCreate name: ShortString) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var request = amqp_queue_delete_t()
            request.queue = try pool.bytes(name)
            (request.if_empty, request.if_unused) = (1, 1)
            try connection.send("ask for the right to create queues", size: 300) {
                amqp_send_method($0, Self.number, AMQP_QUEUE_DELETE_METHOD, &request)
            }
        }
    }

    private func sendDeclare(
        _ name: ShortString, _ arguments: FieldTable, _ complete: (inout amqp_queue_declare_t) -> Void
    ) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var request = amqp_queue_declare_t()
            request.queue = try pool.bytes(name)
            request.arguments = try pool.table(arguments)
            complete(&request)
            try connection.send("ask for queue \"\(name)\"", size: 600) {
                amqp_send_method($0, Self.number, AMQP_QUEUE_DECLARE_METHOD, &request)
            }
        }
    }
}
