// The copy of a task that is sent for later, or to the dead-letter queue.

import Broker

/// A task on its way to another queue. Pure.
///
/// Body and properties stay as they were; what workq adds is in headers of its own. The attempt is kept in a header
/// because classic queues don't count deliveries and RabbitMQ ignores a client's `x-death` since 4.0.
package struct TaskCopy: Equatable, Sendable {
    /// Which attempt a task is, from 1.
    static let attemptHeader: ShortString = "x-workq-attempt"

    /// How often a task had come back to its quorum queue when it was put at the end of it, to be watched from then on.
    static let returnsHeader: ShortString = "x-workq-returns"

    /// Names the queue from which a dead-lettered task came.
    static let queueHeader: ShortString = "x-workq-queue"
    /// What a dead-lettered task carries besides.
    static let failureHeaders: [ShortString] = [
        "x-workq-reason", "x-workq-attempts", queueHeader, "x-workq-host", "x-workq-time", "x-workq-stderr",
    ]

    /// How often a quorum queue has delivered a task before; absent the first time.
    private static let deliveryCountHeader: ShortString = "x-delivery-count"

    /// What brokers add or act upon. These would route a copy elsewhere too, make RabbitMQ take its return for a cycle
    /// and drop it, or count deliveries that weren't the copy's.
    static let brokersHeaders: [ShortString] = [
        deliveryCountHeader, "x-acquired-count", "CC", "BCC", "x-death", "x-first-death-exchange",
        "x-first-death-queue", "x-first-death-reason",
        "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",
    ]

    var delivery: Delivery
    var fate: RetryPolicy.Fate
    /// The attempt that the copy will be.
    var attempt: Int
    /// How the last attempt ended.
    var end: JobEnd
    /// The last that its command wrote on standard error.
    var errors: [UInt8] = []

    /// Which attempt a delivery seems to be. Where a quorum queue has delivered the task more often than attempts were
    /// noted, as when it killed its worker each time, that counts. Looks at a task and workers that were stopped count
    /// there, too, so nothing is decided by it.
    package static func attempt(of delivery: Delivery) -> Int {
        max(notedAttempt(of: delivery), returns(of: delivery) + 1)
    }

    /// Which attempt has ended so. What kills its workers is never noted.
    package static func attempt(of delivery: Delivery, endedBy end: JobEnd) -> Int {
        end == .workerKilled ? returns(of: delivery) : notedAttempt(of: delivery)
    }

    /// The queue on which a dead-lettered task failed; nil of any other task.
    package static func home(of delivery: Delivery) -> ShortString? {
        guard case .string(let name)? = delivery.properties.headers?[queueHeader], (1...255).contains(name.count) else {
            return nil
        }
        return ShortString(bytes: name)
    }

    /// Which attempt a delivery is by what workers have noted, without what the broker counts.
    static func notedAttempt(of delivery: Delivery) -> Int {
        max(1, delivery.properties.headers?[attemptHeader]?.integer ?? 1)
    }

    /// How often a task has come back to its quorum queue, also before it was watched.
    static func returns(of delivery: Delivery) -> Int {
        let noted = delivery.properties.headers?[returnsHeader]?.integer ?? 0
        return min(max(0, noted), Int(Int16.max)) + deliveryCount(of: delivery)
    }

    /// Whether what makes the task come back is known to have been a worker's end.
    static func isWatched(_ delivery: Delivery) -> Bool { delivery.properties.headers?[returnsHeader] != nil }

    /// How often a quorum queue has delivered the task before and got it back; 0 on other queues. A count on a task
    /// that wasn't delivered before is another queue's. On a classic queue the header is the publisher's, and may be
    /// any number.
    static func deliveryCount(of delivery: Delivery) -> Int {
        guard delivery.redelivered else { return 0 }
        let count = delivery.properties.headers?[deliveryCountHeader]?.integer ?? 0
        return min(max(0, count), Int(Int32.max))
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
        case .workerKilled: "killed the worker"
        case .unusable(let text), .notStarted(let text), .unfit(let text): text
        }
    }
}

extension FieldValue {
    /// The value of any type of whole number, as far as it fits.
    fileprivate var integer: Int? {
        switch self {
        case .int8(let number): Int(number)
        case .uint8(let number): Int(number)
        case .int16(let number): Int(number)
        case .uint16(let number): Int(number)
        case .int32(let number): Int(number)
        case .uint32(let number): Int(number)
        case .int64(let number): Int(clamping: number)
        case .uint64(let number): Int(clamping: number)
        default: nil
        }
    }
}
