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

    package init(ready: Int, consumers: Int) {
        self.ready = ready
        self.consumers = consumers
    }
}

/// What must hold of a queue for it to be deleted.
package struct DeletionConditions: OptionSet, Sendable {
    package var rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// No consumers.
    package static let unused = DeletionConditions(rawValue: 1)
    /// No ready messages; the broker doesn't look at those unacknowledged.
    package static let empty = DeletionConditions(rawValue: 2)
}

extension Channel {
    /// Creates a durable queue. When it exists with the same type and arguments, that is fine; with others the broker
    /// closes the channel with 406.
    ///
    /// A type is sent only when one is given: otherwise the vhost's default decides, as it does for other clients,
    /// whose own declarations would fail with 406 if workq chose another.
    package func declareQueue(
        _ name: ShortString, type: QueueType?, arguments: FieldTable = FieldTable()
    ) throws(BrokerError) {
        try checkPrefix(name)
        _ = try declare(name, passive: 0, arguments.of(type))
    }

    /// The broker would call it a missing permission.
    private func checkPrefix(_ name: ShortString) throws(BrokerError) {
        guard name.bytes.starts(with: "amq.".utf8) else { return }
        throw BrokerError(
            "create queue \"\(name)\"", .invalidInput, scope: .client, "names that begin with amq. are the broker's own"
        )
    }

    /// The same without waiting for the broker's answer: what is published behind it on this channel finds the queue.
    /// When it can't be created, the broker closes the channel, which is an event.
    package func sendDeclareQueue(
        _ name: ShortString, type: QueueType?, arguments: FieldTable = FieldTable()
    ) throws(BrokerError) {
        try checkPrefix(name)
        let arguments = arguments.of(type)
        try withPool { pool throws(BrokerError) in
            var method = amqp_queue_declare_t()
            method.queue = try pool.bytes(name)
            method.durable = 1
            method.nowait = 1
            method.arguments = try pool.table(arguments)
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

    /// Removes all ready messages and returns how many they were; those unacknowledged stay. A missing queue closes the
    /// channel with 404, a stream the connection with 540.
    package func purgeQueue(_ queue: ShortString) throws(BrokerError) -> Int {
        let count = try withPool { pool throws(BrokerError) in
            let name = try pool.bytes(queue)
            return try connection.request(
                "purge queue \"\(queue)\"", permission: "read from queue \"\(queue)\""
            ) { state in
                amqp_queue_purge(state, Self.number, name).map { Int($0.pointee.message_count) }
            }
        }
        return count ?? 0
    }

    /// Deletes a queue with all its messages and returns how many of those were ready. RabbitMQ answers 0 for a queue
    /// that doesn't exist, closes the channel with 406 when a condition doesn't hold, and for a condition on any but a
    /// classic queue closes the connection with 540.
    @discardableResult
    package func deleteQueue(
        _ queue: ShortString, onlyIf conditions: DeletionConditions = []
    ) throws(BrokerError) -> Int {
        let count = try withPool { pool throws(BrokerError) in
            let name = try pool.bytes(queue)
            let ifUnused: amqp_boolean_t = conditions.contains(.unused) ? 1 : 0
            let ifEmpty: amqp_boolean_t = conditions.contains(.empty) ? 1 : 0
            return try connection.request(
                "delete queue \"\(queue)\"", permission: "configure queue \"\(queue)\""
            ) { state in
                amqp_queue_delete(state, Self.number, name, ifUnused, ifEmpty).map { Int($0.pointee.message_count) }
            }
        }
        return count ?? 0
    }

    func declare(
        _ queue: ShortString, passive: amqp_boolean_t, _ arguments: FieldTable
    ) throws(BrokerError) -> QueueStatus {
        let operation = passive == 0 ? "create queue \"\(queue)\"" : "ask for queue \"\(queue)\""
        return try withPool { pool throws(BrokerError) in
            let (name, arguments) = (try pool.bytes(queue), try pool.table(arguments))
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

extension FieldTable {
    /// The arguments of a queue that is to have a type, or the vhost's default type.
    fileprivate func of(_ type: QueueType?) -> FieldTable {
        guard let type else { return self }
        var arguments = self
        arguments["x-queue-type"] = .text(type.rawValue)
        return arguments
    }
}
