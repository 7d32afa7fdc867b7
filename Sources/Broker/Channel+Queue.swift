// Queues: declaring and asking for counts.

import CRabbitMQ

/// The types of queue that workq creates.
package enum QueueType: String, CaseIterable, Sendable {
    case classic, quorum
}

/// What the broker says of a queue.
package struct QueueStatus: Equatable {
    /// Messages ready for delivery; those unacknowledged are not counted.
    package var ready: Int
    package var consumers: Int
}

extension Channel {
    /// Creates a durable queue. When it exists with the same type and arguments, that is fine; with others the broker
    /// closes the channel with 406.
    ///
    /// The type is sent even when it is the usual one: without it the vhost's default would decide.
    package func declareQueue(
        _ name: ShortString, type: QueueType, arguments: FieldTable = FieldTable()
    ) throws(BrokerError) {
        var arguments = arguments
        arguments["x-queue-type"] = .text(type.rawValue)
        _ = try declare(name, passive: 0, arguments)
    }

    /// The same without waiting for the broker's answer: what is published behind it on this channel finds the queue. When
    /// it can't be created, the broker closes the channel, which is an event.
    package func sendDeclareQueue(
        _ name: ShortString, type: QueueType, arguments: FieldTable = FieldTable()
    ) throws(BrokerError) {
        var arguments = arguments
        arguments["x-queue-type"] = .text(type.rawValue)
        try withPool { pool throws(BrokerError) in
            var method = amqp_queue_declare_t()
            method.queue = pool.bytes(name)
            method.durable = 1
            method.nowait = 1
            method.arguments = pool.table(arguments)
            try connection.send("create queue \"\(name)\"", size: 512) {
                amqp_send_method($0, Self.number, AMQP_QUEUE_DECLARE_METHOD, &method)
            }
        }
    }

    /// The counts of an existing queue; 404 closes the channel when there is none.
    ///
    /// RabbitMQ asks for the configure permission here from 4.3 on.
    package func status(ofQueue name: ShortString) throws(BrokerError) -> QueueStatus {
        try declare(name, passive: 1, FieldTable())
    }

    /// Deletes a queue with all its messages and returns how many of those were ready. RabbitMQ answers 0 for a queue that
    /// doesn't exist.
    @discardableResult
    package func deleteQueue(_ queue: ShortString) throws(BrokerError) -> Int {
        let count = try withPool { pool throws(BrokerError) in
            let name = pool.bytes(queue)
            return try connection.request(
                "delete queue \"\(queue)\"", permission: "configure queue \"\(queue)\""
            ) { state in
                amqp_queue_delete(state, Self.number, name, 0, 0).map { Int($0.pointee.message_count) }
            }
        }
        return count ?? 0
    }

    private func declare(
        _ queue: ShortString, passive: amqp_boolean_t, _ arguments: FieldTable
    ) throws(BrokerError) -> QueueStatus {
        let operation = passive == 0 ? "create queue \"\(queue)\"" : "ask for queue \"\(queue)\""
        return try withPool { pool throws(BrokerError) in
            let (name, arguments) = (pool.bytes(queue), pool.table(arguments))
            let status = try connection.request(operation, permission: "configure queue \"\(queue)\"") { state in
                // The reply is copied here: its memory is the library's until the request ends.
                amqp_queue_declare(state, Self.number, name, passive, 1, 0, 0, arguments).map { reply in
                    QueueStatus(ready: Int(reply.pointee.message_count), consumers: Int(reply.pointee.consumer_count))
                }
            }
            return status ?? QueueStatus(ready: 0, consumers: 0)
        }
    }
}
