// What a worker does with tasks: starting, settling, and holding back what failed.

import Broker
import Posix

extension WorkerState {
    mutating func delivered(_ delivery: Delivery, _ now: Instant, _ actions: inout [Action]) {
        noteActivity(now)
        if let job = adopt(delivery) { return actions.append(.report(.cameBack(job, delivery))) }
        guard case .working = phase, !isPaused else {
            actions.append(.giveBack(deliveryTag: delivery.deliveryTag))
            return
        }
        if joinBatch(delivery, now, &actions) { waiting.append(delivery) }
    }

    /// A task that comes back after a lost connection while its command still runs here isn't started again: the
    /// command's outcome settles the new delivery. Returns the job that has it.
    private mutating func adopt(_ delivery: Delivery) -> JobID? {
        guard delivery.properties.messageID != nil, delivery.redelivered else { return nil }
        for id in stranded {
            guard running[id]?.adopt(delivery, in: session) == true else { continue }
            if running[id]?.tasks.allSatisfy(isConnected) == true { stranded.remove(id) }
            return id
        }
        return nil
    }

    mutating func startWaiting(_ now: Instant, _ actions: inout [Action]) {
        if let batching = settings.batching { return startBatches(of: batching, now, &actions) }
        while case .working = phase, hasFreePlace, let delivery = waiting.popFirst() {
            lastJob += 1
            if let destination = settings.destination {
                move(delivery, to: destination, now, &actions)
                continue
            }
            var job = Job(delivery: delivery, session: session, started: now)
            if let timeout = settings.timeout { job.deadline = now + timeout }
            running[lastJob] = job
            actions.append(.report(.started(lastJob, delivery)))
            actions.append(.start(lastJob, delivery))
            if lastJob == settings.count { leave(&actions) }
        }
    }

    mutating func ended(_ id: JobID, _ end: JobEnd, _ now: Instant, _ actions: inout [Action]) {
        guard let job = running.removeValue(forKey: id) else { return }
        stranded.remove(id)
        noteActivity(now)
        if case .unusable(let reason) = end {
            actions += job.tasks.filter(isConnected).map { .giveBack(deliveryTag: $0.delivery.deliveryTag) }
            self.end(.commandUnusable(reason), &actions)
            return
        }
        let end = job.hasTimedOut && end != .exited(0) ? .timedOut : end
        let verdict = settings.verdicts.verdict(
            on: end, wasInterrupted: job.wasInterrupted || isLeaving && end == .signalled(SIGTERM))
        guard job.followers.isEmpty else { return batchEnded(id, job, end, verdict, now, &actions) }
        let elapsed = now - job.started
        guard isConnected(job) else {
            tally.counts[.giveBack, default: 0] += 1
            return actions.append(.report(.endedUnheard(id, job.delivery, end, elapsed: elapsed)))
        }
        let outcome = outcome(verdict, job.delivery)
        tally.counts[outcome, default: 0] += 1
        actions.append(.report(.ended(id, job.delivery, end, outcome, elapsed: elapsed)))
        settle(id, job, outcome, end, now, &actions)
    }

    /// What a verdict means for a task: the last attempt that fails is dead-lettered.
    func outcome(_ verdict: Verdict, _ delivery: Delivery) -> Verdict {
        guard verdict == .retry else { return verdict }
        return settings.retries.fate(afterAttempt: TaskCopy.attempt(of: delivery)) == .deadLetter ? .deadLetter : .retry
    }

    /// Tells the broker what became of a task.
    mutating func settle(
        _ id: JobID, _ job: Job, _ outcome: Verdict, _ end: JobEnd, _ now: Instant, _ actions: inout [Action]
    ) {
        let tag = job.delivery.deliveryTag
        let attempt = TaskCopy.attempt(of: job.delivery)
        switch outcome {
        case .acknowledge:
            if let answer = job.answer { return self.answer(id, job, answer, &actions) }
            pauseAfterFailure.reset()
            actions.append(.acknowledge(deliveryTag: tag))
        case .giveBack:
            if case .notStarted = end { return rest(.giveBack(deliveryTag: tag), now, &actions) }
            actions.append(.giveBack(deliveryTag: tag))
        case .reject:
            actions.append(.reject(deliveryTag: tag))
        case .retry:
            depart(id, job, .later(settings.retries.delay(afterAttempt: attempt)), attempt + 1, end, &actions)
        case .requeue:
            depart(id, job, .later(settings.retries.delay(afterAttempt: 1)), attempt, end, &actions)
        case .deadLetter:
            depart(id, job, .deadLetter, attempt, end, &actions)
        }
    }

    /// The original is acknowledged only once the broker has confirmed the copy.
    mutating func depart(
        _ id: JobID, _ job: Job, _ fate: RetryPolicy.Fate, _ attempt: Int, _ end: JobEnd, _ actions: inout [Action]
    ) {
        let copy = TaskCopy(delivery: job.delivery, fate: fate, attempt: attempt, end: end)
        departing[id] = (job, copy)
        actions.append(.copy(id, copy))
    }

    mutating func copyConfirmed(_ id: JobID, _ now: Instant, _ actions: inout [Action]) {
        guard let (job, copy) = departing.removeValue(forKey: id) else { return }
        noteActivity(now)
        if case .moved = copy.fate { tally.counts[.acknowledge, default: 0] += 1 }
        pauseAfterFailure.reset()
        actions.append(.acknowledge(deliveryTag: job.delivery.deliveryTag))
    }

    /// The copy is sent again after a pause. The original isn't requeued for that: each time would count towards the
    /// delivery limit of a quorum queue, which drops a task that exceeds it.
    mutating func copyFailed(_ id: JobID, _ now: Instant, _ actions: inout [Action]) {
        guard let (job, copy) = departing[id] else { return }
        noteActivity(now)
        actions.append(.report(.copyFailed(job.delivery)))
        if isLeaving {
            departing[id] = nil
            giveBack(job, copy, &actions)
        } else {
            rest(.copy(id, copy), now, &actions)
        }
    }

    /// Gives a task back whose copy isn't sent, and counts it as that instead of what was meant for it.
    mutating func giveBack(_ job: Job, _ copy: TaskCopy, _ actions: inout [Action]) {
        actions.append(.giveBack(deliveryTag: job.delivery.deliveryTag))
        let meant: Verdict
        switch copy.fate {
        case .moved: return
        case .answered: meant = .acknowledge
        case .deadLetter: meant = .deadLetter
        case .later: meant = copy.attempt > TaskCopy.attempt(of: job.delivery) ? .retry : .requeue
        }
        tally.counts[meant, default: 0] -= 1
        tally.counts[.giveBack, default: 0] += 1
    }

    /// Holds a task back before it is settled; at once when the worker is leaving.
    mutating func rest(_ settlement: Action, _ now: Instant, _ actions: inout [Action]) {
        if isLeaving {
            actions.append(settlement)
        } else {
            resting.append((settlement, until: pauseAfterFailure.end(after: now)))
        }
    }

    mutating func noteActivity(_ now: Instant) {
        emptyChecks.postpone(now)
        lastActivity = now
        hasToldIdleness = false
    }

    /// Whether the job's delivery can still be settled: on the connection that brought it.
    func isConnected(_ job: Job) -> Bool {
        session != nil && job.session == session
    }

    var isLeaving: Bool {
        if case .working = phase { false } else { true }
    }
}
