// What a worker does with tasks: starting, settling, and holding back what can't be settled yet.

import Broker
import Posix

extension WorkerState {
    /// What may wait aside, so that a task that the broker won't take copies of holds up nobody, but not everything
    /// piles up here.
    static let greatestAside = (count: 64, bytes: 32 << 20)

    mutating func delivered(_ delivery: Delivery, _ now: Instant, _ actions: inout [Action]) {
        noteActivity(now)
        guard let session = connectivity.session else { return }
        precedence?.receive(from: delivery.queue)
        if let task = tasks.adopt(delivery, in: session) { return cameBack(task, now, &actions) }
        let hasAll = hasAll
        let id = tasks.receive(delivery, in: session)
        guard isWorking, !hasAll else {
            // Given back at once it would come again as long as the worker waits for others to come back.
            if let task = tasks[id], hasAll || tasks.strandedCount == 0 { giveBack(task, &actions) }
            return
        }
        if isSuspect(delivery) {
            let returns = settings.retries.trustedReturns
            depart(id, .watched(returns: returns), .giveBack, TaskCopy.notedAttempt(of: delivery), &actions)
        } else if let end = unfitness(delivery) ?? poison(delivery) {
            started += 1
            lastJob += 1
            actions.append(.report(.ended(lastJob, delivery, end, .deadLetter, elapsed: .zero)))
            settle(id, TaskTable.Outcome(verdict: .deadLetter, end: end, output: CommandOutput()), now, &actions)
            if started == settings.count { leave(now, &actions) }
        } else if let batching = settings.batching, tasks.waitingCount(of: delivery.queue) == 1 {
            batchDue[delivery.queue] = now + batching.wait
        }
    }

    /// Whether as many tasks as the worker may take have started or wait here.
    private var hasAll: Bool {
        guard let count = settings.count else { return false }
        return claimedCount >= count
    }

    /// How many tasks have started, or will. Of several queues, what waits may never start: tasks of earlier queues may
    /// come and go first.
    var claimedCount: Int { started + (precedence == nil ? tasks.waitingCount : 0) }

    /// Whether a quorum queue has got a task back so often that it may have killed its workers. The broker doesn't say
    /// who gave it back. So it goes to the end of the queue as a copy, whose returns count from there: nobody but a
    /// worker that dies brings that one back.
    private func isSuspect(_ delivery: Delivery) -> Bool {
        settings.mode == .run && !TaskCopy.isWatched(delivery)
            && TaskCopy.deliveryCount(of: delivery) >= settings.retries.trustedReturns
    }

    /// Why a task must not be tried again although no command has failed: it was watched, and each worker that tried it
    /// died.
    private func poison(_ delivery: Delivery) -> JobEnd? {
        let isPoison =
            settings.mode == .run && TaskCopy.isWatched(delivery)
            && TaskCopy.deliveryCount(of: delivery) >= settings.retries.watchedReturns
        return isPoison ? .workerKilled : nil
    }

    /// A task that was here when its connection was lost isn't started again: what has become of it settles the new
    /// delivery.
    private mutating func cameBack(_ task: TaskTable.Task, _ now: Instant, _ actions: inout [Action]) {
        switch task.stage {
        case .running(let job): actions.append(.report(.cameBack(job, task.delivery)))
        case .unheard(.copied(let verdict), _):
            actions.append(.report(.settledLate(task.delivery, verdict)))
            acknowledge(task, as: verdict, &actions)
        case .unheard(.outcome(let outcome), _):
            actions.append(.report(.settledLate(task.delivery, outcome.verdict)))
            settle(task.id, outcome, now, &actions)
        case .unheard(.unsent(let departure), _):
            actions.append(.report(.settledLate(task.delivery, departure.verdict)))
            tasks.move(task.id, to: .leaving(departure))
            actions.append(.copy(task.id, departure.copy))
        case .waiting, .leaving, .resting: break
        }
    }

    // MARK: - Starting

    /// Whether another command may start. A task whose copy is under way keeps its place: otherwise failing tasks would
    /// pile up here.
    var hasFreePlace: Bool {
        commands.count + tasks.leavingCount + tasks.restingCount - tasks.aside.count < settings.jobs && !isFirstMoveOpen
    }

    /// Whether the outcome of the first task moved isn't known. Its queue may have to be created, and tasks that are
    /// sent meanwhile would overtake it.
    private var isFirstMoveOpen: Bool {
        guard case .move = settings.mode else { return false }
        return tasks.leavingCount + tasks.restingCount > 0 && tally[.acknowledge] == 0
    }

    /// The task that is to start next.
    private var firstStartable: TaskTable.Task? {
        guard let precedence else { return tasks.firstWaiting() }
        return tasks.firstWaiting(upTo: precedence.last)
    }

    mutating func startWaiting(_ now: Instant, _ actions: inout [Action]) {
        if let batching = settings.batching { return startBatches(of: batching, now, &actions) }
        while mayStart(now), hasFreePlace, let task = firstStartable {
            noteStart(of: 1, now)
            if case .move(let destination) = settings.mode {
                depart(task.id, .moved(to: destination), .acknowledge, TaskCopy.attempt(of: task.delivery), &actions)
            } else {
                var command = Command(first: task.id, started: now)
                if let timeout = settings.timeout { command.deadline = now + timeout }
                commands[lastJob] = command
                tasks.move(task.id, to: .running(lastJob))
                actions.append(.report(.started(lastJob, task.delivery)))
                actions.append(.start(lastJob, task.delivery))
            }
            if started == settings.count { leave(now, &actions) }
        }
    }

    // MARK: - Ends of commands

    mutating func ended(_ job: JobID, _ end: JobEnd, _ output: CommandOutput, _ now: Instant, _ actions: inout [Action])
    {
        guard let command = commands[job] else { return }
        let report = report(ofEnd: end, of: job, errors: output.errors, now: now)
        commands[job] = nil
        noteActivity(now)
        switch end {
        case .unusable(let reason):
            for task in command.ids.compactMap({ tasks[$0] }) { giveBack(task, &actions) }
            return self.end(.commandUnusable(reason), now, &actions)
        case .notStarted(let reason) where isWorking: return notStarted(command, reason, now, &actions)
        case .notStarted: break
        default: startsAfter = Instant(nanoseconds: 0)
        }
        if let report { actions.append(.report(report)) }
        let (end, verdict) = judge(command, end)
        for id in command.ids {
            guard let task = tasks[id] else { continue }
            let outcome = TaskTable.Outcome(
                verdict: outcome(verdict, task.delivery), end: end, output: output)
            settle(id, outcome, now, &actions)
        }
    }

    /// What is told of a command that has ended so; nil where that is no news of a task.
    func report(ofEnd end: JobEnd, of job: JobID, errors: [UInt8] = [], now: Instant) -> Report? {
        guard let command = commands[job] else { return nil }
        let (end, verdict) = judge(command, end)
        let elapsed = now - command.started
        let ended = command.ids.compactMap { tasks[$0] }
        guard let first = ended.first else { return nil }
        guard !command.others.isEmpty else {
            return isConnected(first)
                ? .ended(job, first.delivery, end, outcome(verdict, first.delivery), elapsed: elapsed, errors: errors)
                : .endedUnheard(job, first.delivery, end, elapsed: elapsed)
        }
        var outcomes: [Verdict: Int] = [:]
        for task in ended {
            outcomes[isConnected(task) ? outcome(verdict, task.delivery) : .giveBack, default: 0] += 1
        }
        return .batchEnded(job, outcomes, end, elapsed: elapsed, queue: first.delivery.queue)
    }

    /// How a command has ended, as far as the worker had a hand in it, and what that means for its tasks.
    private func judge(_ command: Command, _ end: JobEnd) -> (JobEnd, Verdict) {
        let end = command.hasTimedOut && end != .exited(0) ? .timedOut : end
        // A command that somebody told to end while the worker leaves was interrupted; shells say so by a status.
        let isTold = !isWorking && (end == .signalled(SIGTERM) || end == .exited(128 + SIGTERM))
        return (end, settings.verdicts.verdict(on: end, wasInterrupted: command.wasInterrupted || isTold))
    }

    /// The system is short of something, of which this task is innocent: no command starts for a while.
    private mutating func notStarted(
        _ command: Command, _ reason: String, _ now: Instant, _ actions: inout [Action]
    ) {
        for id in command.ids.reversed() {
            guard let task = tasks[id] else { continue }
            // What came on a connection that is gone comes again.
            if isConnected(task) { tasks.move(id, to: .waiting) } else { close(id, as: .giveBack) }
        }
        started -= command.others.count + 1
        guard startsAfter <= now else { return }
        startsAfter = pauseAfterFailure.end(after: now)
        actions.append(.report(.startFailed(reason: reason, pause: startsAfter - now)))
    }

    /// What a verdict means for a task: the last attempt that fails is dead-lettered.
    private func outcome(_ verdict: Verdict, _ delivery: Delivery) -> Verdict {
        guard verdict == .retry else { return verdict }
        return settings.retries.fate(afterAttempt: TaskCopy.notedAttempt(of: delivery)) == .deadLetter
            ? .deadLetter : .retry
    }

    // MARK: - Settling

    /// Tells the broker what became of a task, or keeps that until the broker delivers the task once more.
    private mutating func settle(
        _ id: TaskID, _ outcome: TaskTable.Outcome, _ now: Instant, _ actions: inout [Action]
    ) {
        guard let task = tasks[id] else { return }
        guard isConnected(task) else { return keep(task, .outcome(outcome), now) }
        let attempt = TaskCopy.attempt(of: task.delivery, endedBy: outcome.end)
        switch outcome.verdict {
        case .acknowledge:
            if let answer = outcome.output.answer {
                return depart(id, .answered(answer), .acknowledge, attempt, &actions)
            }
            pauseAfterFailure.reset()
            acknowledge(task, as: .acknowledge, &actions)
        case .giveBack: giveBack(task, &actions)
        case .reject:
            actions.append(.reject(deliveryTag: task.delivery.deliveryTag))
            close(id, as: .reject)
        case .retry:
            let delay = settings.retries.delay(afterAttempt: attempt)
            depart(id, .later(delay), .retry, attempt + 1, after: outcome, &actions)
        case .requeue:
            let delay = settings.retries.delay(afterAttempt: 1)
            depart(id, .later(delay), .requeue, attempt, after: outcome, &actions)
        case .deadLetter:
            depart(id, .deadLetter, .deadLetter, attempt, after: outcome, &actions)
        }
    }

    mutating func acknowledge(_ task: TaskTable.Task, as verdict: Verdict, _ actions: inout [Action]) {
        actions.append(.acknowledge(deliveryTag: task.delivery.deliveryTag))
        close(task.id, as: verdict)
    }

    /// The task is settled: this is the only place that counts it.
    mutating func close(_ id: TaskID, as verdict: Verdict) {
        guard let task = tasks.remove(id) else { return }
        tallies[task.delivery.queue].counts[verdict, default: 0] += 1
        if isConnected(task) { precedence?.settle(of: task.delivery.queue) }
    }

    /// A task without a message id couldn't be known again.
    mutating func keep(_ task: TaskTable.Task, _ unheard: TaskTable.Unheard, _ now: Instant) {
        guard task.delivery.properties.messageID != nil else { return close(task.id, as: .giveBack) }
        let time = connectivity.isConsuming ? Self.returnTime : Self.unheardTime
        tasks.move(task.id, to: .unheard(unheard, until: now + time))
    }

    /// Gives back a task that hasn't failed. The broker counts that as a delivery on a quorum queue, and drops a task
    /// that reaches its limit, which may be any; so only the first time goes without a copy, and none of a task that is
    /// watched.
    mutating func giveBack(_ task: TaskTable.Task, _ actions: inout [Action]) {
        guard isConnected(task) else { return close(task.id, as: .giveBack) }
        guard TaskCopy.deliveryCount(of: task.delivery) == 0, !TaskCopy.isWatched(task.delivery) else {
            return depart(task.id, .back, .giveBack, TaskCopy.notedAttempt(of: task.delivery), &actions)
        }
        actions.append(.giveBack(deliveryTag: task.delivery.deliveryTag))
        close(task.id, as: .giveBack)
    }

    mutating func noteActivity(_ now: Instant) {
        drainCheck.postpone(now)
        lastActivity = now
        hasToldIdleness = false
    }
}
