// Several tasks to one command: when a batch starts, and what becomes of its tasks.

import Broker
import Posix

/// How tasks are put together for one command.
package struct Batching: Equatable {
    /// The most tasks a batch may hold; at least 1.
    package var size: Int
    /// How long a batch that isn't full waits for more tasks.
    package var wait: Duration
    /// The byte behind each task.
    package var separator: UInt8

    package init(size: Int, wait: Duration, separator: UInt8) {
        self.size = size
        self.wait = wait
        self.separator = separator
    }

    /// Whether a command could tell a task with this body from two tasks. One separator at the end is the task's own.
    func canHold(_ body: [UInt8]) -> Bool {
        !body.dropLast().contains(separator)
    }

    /// What a command reads: each task and a separator, unless the task ends in one.
    func input(_ tasks: [Delivery]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tasks.reduce(0) { $0 + $1.body.count + 1 })
        for task in tasks {
            bytes += task.body
            if task.body.last != separator { bytes.append(separator) }
        }
        return bytes
    }
}

extension WorkerState {
    /// Starts batches that are full, or whose first task has waited long enough for others.
    mutating func startBatches(of batching: Batching, _ now: Instant, _ actions: inout [Action]) {
        while mayStart(now), hasFreePlace, let (queue, size) = nextBatch(batching, now) {
            startBatch(batching, size, of: queue, now, &actions)
        }
    }

    private mutating func startBatch(
        _ batching: Batching, _ size: Int, of queue: Int, _ now: Instant, _ actions: inout [Action]
    ) {
        let batch = tasks.firstWaiting(size, of: queue)
        guard let first = batch.first else { return }
        batchDue[queue] = now + batching.wait
        let job = lastJob + 1
        noteStart(of: batch.count, now)
        var command = Command(first: first.id, started: now)
        command.others = batch.dropFirst().map(\.id)
        if let timeout = settings.timeout { command.deadline = now + timeout }
        commands[job] = command
        for task in batch { tasks.move(task.id, to: .running(job)) }
        actions.append(.report(.batchStarted(job, tasks: batch.count, queue: queue)))
        actions.append(.startBatch(job, batch.map(\.delivery)))
        if started == settings.count { leave(now, &actions) }
    }

    /// The queues are empty, so that a batch has nothing to wait for.
    mutating func startBatchesAtOnce(_ now: Instant, _ actions: inout [Action]) {
        guard let batching = settings.batching else { return }
        for queue in settings.queues.indices where tasks.waitingCount(of: queue) > 0 && mayStart(now) && hasFreePlace {
            startBatch(batching, min(greatestBatch(batching), tasks.waitingCount(of: queue)), of: queue, now, &actions)
        }
    }

    /// Which queue's tasks the next batch has, all of one, and how many; nil while it waits for more.
    private func nextBatch(_ batching: Batching, _ now: Instant) -> (queue: Int, size: Int)? {
        let limit = greatestBatch(batching)
        for queue in 0...(precedence?.last ?? 0) {
            let count = tasks.waitingCount(of: queue)
            if count >= limit { return (queue, limit) }
            if count > 0, batchDue[queue] <= now { return (queue, count) }
        }
        return nil
    }

    /// How many tasks may start together.
    private func greatestBatch(_ batching: Batching) -> Int {
        min(batching.size, settings.count.map { $0 - started } ?? .max)
    }

    /// Why a task can be in no batch; nil when it can.
    func unfitness(_ delivery: Delivery) -> JobEnd? {
        guard let batching = settings.batching, !batching.canHold(delivery.body) else { return nil }
        return .unfit("it holds the byte that separates the tasks of a batch")
    }
}
