// What a copy carries: its task's own properties, and what workq adds as far as a frame has room for it.

import Broker

extension TaskCopy {
    /// What the broker adds to a task that it takes from a retry queue: `x-death` and its like, with names of up to 255
    /// bytes. It doesn't look whether the frame has room for them, and one that is too large breaks each connection it
    /// comes on.
    private static let deathSize = 2_048

    /// Where a task was published to at first, kept by copies.
    private static let exchangeHeader: ShortString = "x-workq-exchange"
    private static let routingKeyHeader: ShortString = "x-workq-routing-key"

    /// What is left out first where a frame has no room for everything.
    private static let dispensableHeaders: [ShortString] = [
        "x-workq-stderr", "x-workq-host", "x-workq-time", exchangeHeader, routingKeyHeader, queueHeader,
        "x-workq-attempts", "x-workq-reason",
    ]

    /// The exchange and the routing key that a task was published with at first.
    static func origin(of delivery: Delivery) -> (exchange: ShortString, routingKey: ShortString) {
        let headers = delivery.properties.headers
        guard delivery.exchange.isEmpty, case .string(let exchange)? = headers?[exchangeHeader],
            case .string(let routingKey)? = headers?[routingKeyHeader]
        else { return (delivery.exchange, delivery.routingKey) }
        return (ShortString(bytes: exchange), ShortString(bytes: routingKey))
    }

    /// The copy's properties as they can be sent in frames of that size. A task whose own headers nearly fill a frame
    /// has no room for those that workq adds. nil where that would be the count of attempts, without which it would be
    /// tried for ever.
    func properties(queue: String, host: String, time: UInt64, frameMax: Int) -> MessageProperties? {
        var properties = properties(queue: queue, host: host, time: time)
        let room = if case .later = fate { frameMax - Self.deathSize } else { frameMax }
        func fits() -> Bool { properties.invalidity(frameMax: room, arePassedOn: true) == nil }
        for name in Self.dispensableHeaders where !fits() && delivery.properties.headers?[name] == nil {
            properties.headers?[name] = nil
        }
        if fits() { return properties }
        if case .later = fate { return nil }
        // A byte more than came, for the delivery mode, is too much already.
        while !fits(), let fields = properties.headers?.fields,
            let largest = fields.indices.max(by: { fields[$0].encodedSize < fields[$1].encodedSize })
        {
            properties.headers?.fields.remove(at: largest)
        }
        return properties
    }

    /// A dead-lettered task carries why: the last end, how many attempts there were, when, on which host, from which
    /// queue, and the end of what its command wrote on standard error.
    func properties(queue: String, host: String, time: UInt64) -> MessageProperties {
        if case .answered = fate { return answerProperties(time: time) }
        var properties = delivery.properties
        // RabbitMQ refuses a user id that isn't the login's own.
        properties.userID = nil
        properties.deliveryMode = 2
        var headers = properties.headers ?? FieldTable()
        for name in Self.brokersHeaders { headers[name] = nil }
        if fate != .back { headers[Self.returnsHeader] = nil }
        let origin = Self.origin(of: delivery)
        // A task that was published to the queue itself needs no note of that.
        if !origin.exchange.isEmpty || origin.routingKey != ShortString(queue) {
            headers[Self.exchangeHeader] = .string(origin.exchange.bytes)
            headers[Self.routingKeyHeader] = .string(origin.routingKey.bytes)
        }
        switch fate {
        case .moved(let destination):
            // Back on the queue where it failed it is to be tried like a new one; anywhere else it keeps why it failed.
            if headers[Self.queueHeader] == .string(destination.bytes) {
                for name in Self.failureHeaders { headers[name] = nil }
            }
        case .back, .watched:
            if case .watched(let returns) = fate { headers[Self.returnsHeader] = .int32(Int32(clamping: returns)) }
            if attempt > 1 { headers[Self.attemptHeader] = .int32(Int32(clamping: attempt)) }
        case .later:
            headers[Self.attemptHeader] = .int32(Int32(clamping: attempt))
            // The time to live of the original was for its own queue; a retry must not end by it.
            properties.expiration = nil
        case .deadLetter:
            properties.expiration = nil
            headers[Self.attemptHeader] = nil
            headers["x-workq-reason"] = .text(end.reason)
            headers["x-workq-attempts"] = .int32(Int32(clamping: attempt))
            headers[Self.queueHeader] = .text(queue)
            headers["x-workq-host"] = .text(host)
            headers["x-workq-time"] = .timestamp(time)
            headers["x-workq-stderr"] = errors.isEmpty ? nil : .string(errors)
        case .answered: break
        }
        if properties.headers != nil || !headers.isEmpty { properties.headers = headers }
        return properties
    }

    /// An answer is known by the correlation id of its task, or by the message id where the asker chose none.
    private func answerProperties(time: UInt64) -> MessageProperties {
        var properties = MessageProperties()
        properties.correlationID = delivery.properties.correlationID ?? delivery.properties.messageID
        properties.timestamp = time
        properties.deliveryMode = 2
        return properties
    }
}
