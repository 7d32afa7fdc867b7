// What the login may do, asked without doing it. RabbitMQ looks at permissions before it looks at anything else, so a
// request that it refuses for another reason is one that is allowed.

import CRabbitMQ

extension Channel {
    /// Throws `accessRefused` when the login may not read from a queue; that there is such a queue isn't asked. It asks
    /// for a consumer whose priority is no number, which no queue takes. The channel is open afterwards.
    package func checkReading(from queue: ShortString) throws(BrokerError) {
        try probe { () throws(BrokerError) in
            let tag = try consume(queue, arguments: ["x-priority": .text("none")])
            try cancel(tag)
        }
    }

    /// The type of an existing queue, `classic`, `quorum` or `stream`; the login must be allowed to read from it. It
    /// asks for a consumer with an argument for streams and one for all others: the broker refuses it for one of them
    /// and names the type, unless the queue's name is so long that no room is left for it. A missing queue closes the
    /// channel with 404; otherwise it is open afterwards.
    package func type(ofQueue queue: ShortString) throws(BrokerError) -> String {
        let operation = "ask for the type of queue \"\(queue)\""
        do throws(BrokerError) {
            _ = try consume(queue, arguments: ["x-stream-offset": .text("first"), "x-priority": .int32(0)])
        } catch {
            var error = error
            error.operation = operation
            guard let type = error.typeOfQueue else { throw error }
            try open()
            return type
        }
        try renew()
        throw BrokerError(operation, .notImplemented, scope: .client, "the broker doesn't say it")
    }

    /// Throws `accessRefused` when the login may not create or delete a queue. It declares the queue with a type that
    /// doesn't exist, which creates and changes nothing. The channel is open afterwards.
    package func checkConfiguring(_ queue: ShortString) throws(BrokerError) {
        try probe { () throws(BrokerError) in
            _ = try declare(queue, passive: 0, ["x-queue-type": .text("workq-none")])
        }
    }

    /// Throws `notFound` when there is no exchange of this name. The channel is open afterwards.
    package func checkExchange(_ name: ShortString) throws(BrokerError) {
        do throws(BrokerError) {
            try withPool { pool throws(BrokerError) in
                let (bytes, type) = (try pool.bytes(name), try pool.bytes("direct"))
                _ = try connection.request("find exchange \"\(name)\"") { state in
                    amqp_exchange_declare(state, Self.number, bytes, type, 1, 0, 0, 0, amqp_empty_table)
                }
            }
        } catch {
            if error.scope == .channel { try open() }
            throw error
        }
    }

    /// Runs a request that the broker refuses with 406, or 404, when it is allowed.
    private func probe(_ request: () throws(BrokerError) -> Void) throws(BrokerError) {
        do throws(BrokerError) {
            try request()
        } catch {
            if error.scope == .channel { try open() }
            guard error.code == .preconditionFailed || error.code == .notFound else { throw error }
        }
    }
}
