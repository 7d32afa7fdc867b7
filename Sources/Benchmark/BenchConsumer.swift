// One consumer of a bench.

import Broker
import Posix

/// Takes messages on a connection of its own, notes their numbers and their age, and acknowledges them.
final class BenchConsumer {
    /// What threads share of a consumer.
    struct Task: Sendable {
        let plan: BenchPlan
        let post: ThreadAccount
        let start: Latch
        /// Opens when all has arrived, or nothing more is waited for.
        let stop: Latch
        let arrivals: SharedArrivals

        func run() {
            workq_wait_exactly()
            let ending = BenchConsumer(self).run()
            post.report { $0.ending = ending }
        }
    }

    private let task: Task
    private let plan: BenchPlan
    private var times: BenchTimes?
    private var order: OrderWatch
    private var pollSet = PollSet()
    private var lastTag: UInt64 = 0
    // What happened since the account was last brought up to date.
    private var unacknowledged = 0
    private var messages: [(producer: Int, sequence: UInt64)] = []
    /// In nanoseconds.
    private var latencies: [Int64] = []
    private var measured = MeasuredFlow()
    /// Of a message's body, in bytes.
    private var size = 0

    private init(_ task: Task) {
        self.task = task
        plan = task.plan
        order = OrderWatch(producers: plan.knownProducers)
        messages.reserveCapacity(plan.acknowledgesEvery)
        latencies.reserveCapacity(plan.acknowledgesEvery)
    }

    private func run() -> BenchEnding {
        do throws(BrokerError) {
            let connection = try Connection.open(plan.connection)
            let channel = try Channel(on: connection)
            try channel.setPrefetchCount(UInt16(clamping: plan.prefetch))
            if plan.backlog == nil { _ = try channel.consume(ShortString(plan.queue)) }
            task.post.report { $0.isReady = true }
            if plan.backlog != nil {
                waitForStart()
                _ = try channel.consume(ShortString(plan.queue))
            }
            while !task.stop.isOpen {
                try receive(from: connection, on: channel)
                wait(on: connection)
            }
            connection.close()
            return .done
        } catch {
            bringUpToDate()
            return .failed(error)
        }
    }

    private func receive(from connection: Connection, on channel: Channel) throws(BrokerError) {
        while let event = try connection.nextEvent() {
            switch event {
            case .delivery(let delivery):
                try note(delivery)
                if unacknowledged == plan.acknowledgesEvery { try acknowledge(on: channel) }
            case .channelClosed(let error), .connectionClosed(let error): throw error
            case .consumerCancelled:
                throw BrokerError(
                    "consume from queue \"\(plan.queue)\"", .notFound, scope: .client,
                    "somebody deleted the queue")
            default: break
            }
        }
        if unacknowledged > 0 { try acknowledge(on: channel) }
    }

    private func note(_ delivery: Delivery) throws(BrokerError) {
        guard let message = BenchMessage(delivery.body, runID: plan.runID) else {
            guard plan.backlog == nil else {
                throw BrokerError(
                    "measure consumers of queue \"\(plan.queue)\"", .preconditionFailed, scope: .client,
                    "it holds what bench hasn't sent, which stays there")
            }
            lastTag = delivery.deliveryTag
            unacknowledged += 1
            return
        }
        lastTag = delivery.deliveryTag
        unacknowledged += 1
        size = delivery.body.count
        messages.append((Int(message.producer), message.sequence))
        order.note(producer: Int(message.producer), sequence: message.sequence)
        let times = times ?? BenchTimes(plan, start: task.start.openedAt)
        self.times = times
        let now = Instant.now
        // When an earlier run sent it is nothing that its latency could count from.
        guard plan.backlog == nil else { return measured.record(intended: now, settled: now, times) }
        measured.record(intended: message.intended, settled: now, times)
        guard message.intended >= times.measureStart else { return }
        latencies.append(now.nanoseconds - message.intended.nanoseconds)
    }

    private func acknowledge(on channel: Channel) throws(BrokerError) {
        try channel.acknowledge(lastTag, multiple: true)
        bringUpToDate()
    }

    private func bringUpToDate() {
        unacknowledged = 0
        task.arrivals.note(messages)
        task.post.note { tally in
            tally.settled += messages.count
            tally.measured = measured
            tally.size = size
            tally.reordered = order.reordered
            for latency in latencies { tally.latencies.record(nanoseconds: latency) }
        }
        messages.removeAll(keepingCapacity: true)
        latencies.removeAll(keepingCapacity: true)
    }

    private func waitForStart() {
        pollSet.removeAll()
        pollSet.add(task.start.descriptor, events: POLLIN)
        pollSet.add(task.stop.descriptor, events: POLLIN)
        pollSet.wait(until: .never)
    }

    private func wait(on connection: Connection) {
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        pollSet.add(task.stop.descriptor, events: POLLIN)
        pollSet.wait(until: connection.heartbeat.map { .now + $0 / 2 } ?? .never)
    }
}
