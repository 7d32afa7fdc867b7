// The copy of a task that is sent for later, or to the dead-letter queue.

import Broker

/// A task on its way to another queue. Pure.
///
/// Body and properties stay as they were; what workq adds is in headers of its own. The attempt is kept in a header
/// because classic queues don't count deliveries and RabbitMQ ignores a client's `x-death` since 4.0.
package struct TaskCopy: Equatable {
    /// Which attempt a task is, from 1.
    static let attemptHeader: ShortString = "x-workq-attempt"

    /// Names the queue from which a dead-lettered task came.
    static let queueHeader: ShortString = "x-workq-queue"
    /// What a dead-lettered task carries besides.
    static let failureHeaders: [ShortString] = [
        "x-workq-reason", "x-workq-attempts", queueHeader, "x-workq-host", "x-workq-time", "x-workq-stderr",
    ]

    private static let routingHeaders: [ShortString] = [
        "CC", "BCC", "x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",
        "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",
    ]

    var delivery: Delivery
    var fate: RetryPolicy.Fate
    /// The attempt that the copy will be.
    var attempt: Int
    /// How the last attempt ended.
    var end: JobEnd

    /// Which attempt a delivery is: what its header says, within reason, else the first.
    package static func attempt(of delivery: Delivery) -> Int {
        switch delivery.properties.headers?[attemptHeader] {
        case .int32(let number): max(1, Int(number))
        case .int64(let number): Int(clamping: max(1, number))
        case .int8(let number): max(1, Int(number))
        case .uint8(let number): max(1, Int(number))
        case .int16(let number): max(1, Int(number))
        case .uint16(let number): max(1, Int(number))
        case .uint32(let number): max(1, Int(number))
        case .uint64(let number): Int(clamping: max(1, number))
        default: 1
        }
    }

    /// The copy's properties. A dead-lettered task carries why: the last end, how many attempts there were, when, on
    /// which host, from which queue, and the end of what its command wrote on standard error.
    func properties(queue: String, host: String, time: UInt64, errors: [UInt8]) -> MessageProperties {
        switch fate {
        case .moved(let destination): return movedProperties(to: destination)
        case .answered: return answerProperties(time: time)
        case .later, .deadLetter: break
        }
        var properties = carriedProperties
        var headers = properties.headers ?? FieldTable()
        headers[Self.attemptHeader] = .int32(Int32(clamping: attempt))
        // The time to live of the original was for its own queue; a retry must not end by it.
        properties.expiration = nil
        if fate == .deadLetter {
            headers[Self.attemptHeader] = nil
            headers["x-workq-reason"] = .text(end.reason)
            headers["x-workq-attempts"] = .int32(Int32(clamping: attempt))
            headers[Self.queueHeader] = .text(queue)
            headers["x-workq-host"] = .text(host)
            headers["x-workq-time"] = .timestamp(time)
            headers["x-workq-stderr"] = errors.isEmpty ? nil : .string(errors)
        }
        properties.headers = headers
        return properties
    }

    /// The task's own properties, without those that can't be sent on, and persistent.
    var carriedProperties: MessageProperties {
        var properties = delivery.properties
        // RabbitMQ refuses a user id that isn't the login's own.
        properties.userID = nil
        // These would route the copy elsewhere too, or make RabbitMQ take its return for a cycle and drop it.
        for name in Self.routingHeaders { properties.headers?[name] = nil }
        properties.deliveryMode = 2
        return properties
    }
}

extension JobEnd {
    /// The end in a word or two, for a header or a log.
    package var reason: String {
        switch self {
        case .exited(let status): "status \(status)"
        case .signalled(let signal): "signal \(signal)"
        case .timedOut: "timeout"
        case .outputLost: "output lost"
        case .unusable(let text), .notStarted(let text), .unfit(let text): text
        }
    }
}
