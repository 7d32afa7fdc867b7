// A broker with a queue or several, as simple as can be.

import Broker
import TestSupport

@testable import Worker

/// Quorum queues or classic ones, and a worker's connection to them.
struct SimulatedBroker {
    /// A message as the broker has it: a copy is another one of the same task.
    struct Message: Equatable {
        var task: Int
        /// How often it came back, on a quorum queue.
        var count = 0
        var wasDelivered = false
        var attempt = 1
        /// How often it had come back when it was put back to be watched.
        var returns: Int32?
    }

    /// Where the worker has a task.
    enum Place: Equatable {
        case waiting
        case running(Int)
        case ended
    }

    struct Unsettled {
        var message: Message
        var place = Place.waiting
        var consumer: Int
        /// Whether the worker can't have had it before.
        var isFirst: Bool
    }

    /// nil for a classic queue.
    let deliveryLimit: Int?
    let queueCount: Int
    var ready: [Message]
    /// Dropped over the delivery limit.
    private(set) var dropped: Set<Int> = []
    /// What it waits to hear about in this session, by delivery tag.
    var unsettled: [UInt64: Unsettled] = [:]
    private var lastTag: UInt64 = 0
    private(set) var isConnected = false
    private var consumer = 0
    /// nil while nothing is delivered.
    private var prefetch: Int?
    /// Whether the worker has ended the consumer, though the broker may not know yet, and what that may still get: what
    /// is acknowledged after the consumer's end is no room for it.
    private var isEnding = false
    private var endingCredit = 0
    /// What the broker hasn't said yet of the consumer.
    private var answers: [WorkerState.Event] = []

    init(queues: Int, deliveryLimit: Int?, tasks: ClosedRange<Int>) {
        queueCount = queues
        self.deliveryLimit = deliveryLimit
        ready = tasks.map { Message(task: $0) }
    }

    /// The queue that a task is on, as all of its copies.
    func queue(of task: Int) -> Int { task % queueCount }

    // MARK: - The connection

    mutating func connect() {
        isConnected = true
        lastTag = 0
    }

    /// Everything that isn't settled comes back.
    mutating func lose() {
        isConnected = false
        (prefetch, isEnding) = (nil, false)
        answers = []
        let back = unsettled.sorted { $0.key < $1.key }.map(\.value.message)
        unsettled = [:]
        for message in back.reversed() { putBack(message) }
    }

    // MARK: - The consumer

    /// Whether there was none.
    mutating func startConsumer(_ count: Int) -> Bool {
        defer { prefetch = count }
        consumer += 1
        answers.append(.consuming)
        return prefetch == nil
    }

    /// Whether there was one that wasn't ended before.
    mutating func endConsumer() -> Bool {
        let isConsuming = prefetch != nil && !isEnding
        // Until the broker has heard of it, and so before its answer, deliveries still come.
        (isEnding, endingCredit) = (true, prefetch == 0 ? 3 : (0..<queueCount).reduce(0) { $0 + credit(of: $1) })
        answers.append(.consumerStopped)
        return isConsuming
    }

    mutating func nextAnswer() -> WorkerState.Event? {
        guard isConnected, !answers.isEmpty else { return nil }
        let answer = answers.removeFirst()
        if case .consumerStopped = answer { (prefetch, isEnding) = (nil, false) }
        return answer
    }

    /// How many more deliveries the consumer of a queue may hold.
    private func credit(of queue: Int) -> Int {
        (prefetch ?? 0)
            - unsettled.values.count(where: { $0.consumer == consumer && self.queue(of: $0.message.task) == queue })
    }

    // MARK: - Messages

    /// Delivers the first message of some queue, if the consumer may get it.
    mutating func deliver(_ generator: inout SeededGenerator) -> Delivery? {
        let queues = Set(ready.map { queue(of: $0.task) }).sorted()
        guard isConnected, let prefetch, let queue = queues.randomElement(using: &generator),
            let next = ready.firstIndex(where: { self.queue(of: $0.task) == queue })
        else { return nil }
        if isEnding {
            guard endingCredit > 0, Bool.random(using: &generator) else { return nil }
            endingCredit -= 1
        }
        guard prefetch == 0 || credit(of: queue) > 0 else { return nil }
        var message = ready.remove(at: next)
        lastTag += 1
        let isRedelivered = message.wasDelivered
        message.wasDelivered = true
        unsettled[lastTag] = Unsettled(message: message, consumer: consumer, isFirst: !isRedelivered)
        let count = deliveryLimit != nil && message.count > 0 ? Int64(message.count) : nil
        var delivery = WorkerTranscript.delivery(
            lastTag, id: "\(message.task)", redelivered: isRedelivered,
            attempt: message.attempt > 1 ? Int32(message.attempt) : nil, count: count, returns: message.returns)
        delivery.queue = queue
        return delivery
    }

    /// What a settled delivery held; nil when it can't be settled.
    mutating func settle(_ tag: UInt64) -> Unsettled? {
        isConnected ? unsettled.removeValue(forKey: tag) : nil
    }

    /// A message comes back; a quorum queue drops one that has come back too often. Returns whether it did.
    @discardableResult mutating func putBack(_ message: Message) -> Bool {
        var message = message
        message.count += 1
        if let deliveryLimit, message.count > deliveryLimit {
            dropped.insert(message.task)
            return true
        }
        ready.insert(message, at: 0)
        return false
    }
}
