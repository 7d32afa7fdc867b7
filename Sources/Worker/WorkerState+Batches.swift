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
        while case .working = phase, hasFreePlace, let size = nextBatchSize(batching, now) {
            let tasks = (0..<size).compactMap { _ in waiting.popFirst() }
            batchDue = now + batching.wait
            var jobs = tasks.map { Job(delivery: $0, session: session, started: now) }
            var first = jobs.removeFirst()
            first.followers = jobs
            if let timeout = settings.timeout { first.deadline = now + timeout }
            let id = lastJob + 1
            lastJob += size
            running[id] = first
            actions.append(.report(.batchStarted(id, tasks: size)))
            actions.append(.startBatch(id, tasks))
            if lastJob == settings.count { leave(&actions) }
        }
    }

    /// How many tasks the next batch has; nil while it waits for more.
    private func nextBatchSize(_ batching: Batching, _ now: Instant) -> Int? {
        let limit = min(batching.size, settings.count.map { $0 - lastJob } ?? .max)
        if waiting.count >= limit { return limit }
        return !waiting.isEmpty && batchDue <= now ? waiting.count : nil
    }

    /// When a batch starts although it isn't full.
    var nextBatch: Instant {
        guard settings.batching != nil, case .working = phase, !waiting.isEmpty, hasFreePlace else { return .never }
        return batchDue
    }

    /// Notes a task's place in the next batch; false when it can be in none, and then it is dead-lettered.
    mutating func joinBatch(_ delivery: Delivery, _ now: Instant, _ actions: inout [Action]) -> Bool {
        guard let batching = settings.batching else { return true }
        if batching.canHold(delivery.body) {
            if waiting.isEmpty { batchDue = now + batching.wait }
            return true
        }
        lastJob += 1
        let job = Job(delivery: delivery, session: session, started: now)
        let end = JobEnd.unfit("it holds the byte that separates the tasks of a batch")
        tally.counts[.deadLetter, default: 0] += 1
        actions.append(.report(.ended(lastJob, delivery, end, .deadLetter, elapsed: .zero)))
        settle(lastJob, job, .deadLetter, end, now, &actions)
        if lastJob == settings.count { leave(&actions) }
        return false
    }

    /// All tasks of a batch share the verdict; each has its own count of attempts. Those that came on a connection which
    /// is gone go back to the queue by themselves.
    mutating func batchEnded(
        _ id: JobID, _ job: Job, _ end: JobEnd, _ verdict: Verdict, _ now: Instant, _ actions: inout [Action]
    ) {
        var outcomes: [Verdict: Int] = [:]
        let tasks = job.tasks.map { task in
            (task: task, outcome: isConnected(task) ? outcome(verdict, task.delivery) : .giveBack)
        }
        for (_, outcome) in tasks { outcomes[outcome, default: 0] += 1 }
        tally.counts.merge(outcomes, uniquingKeysWith: +)
        actions.append(.report(.batchEnded(id, outcomes, end, elapsed: now - job.started)))
        for (offset, (task, outcome)) in tasks.enumerated() where isConnected(task) {
            settle(id + offset, task, outcome, end, now, &actions)
        }
    }
}

extension WorkerState.Job {
    /// This job and, of a batch, the others, in their order.
    var tasks: [WorkerState.Job] {
        var first = self
        first.followers = []
        return [first] + followers
    }

    /// Takes over a delivery when it is that of a task in here which was delivered in another session.
    mutating func adopt(_ delivery: Delivery, in session: WorkerState.Session?) -> Bool {
        if self.session != session, self.delivery.properties.messageID == delivery.properties.messageID,
            self.delivery.body == delivery.body
        {
            self.delivery = delivery
            self.session = session
            return true
        }
        for index in followers.indices where followers[index].adopt(delivery, in: session) { return true }
        return false
    }
}
