// When a worker leaves and how, and what is due by time alone.

import Broker
import Posix

extension WorkerState {
    mutating func tick(_ now: Instant, _ actions: inout [Action]) {
        if case .down(let since, let retryAt) = link, retryAt <= now {
            link = .connecting(since: since)
            actions.append(.connect)
        }
        for rested in resting where rested.until <= now {
            actions.append(rested.settlement)
            noteActivity(now)
        }
        resting.removeAll { $0.until <= now }
        endOverdue(now, &actions)
        if idlenessDue <= now {
            hasToldIdleness = true
            actions.append(.report(.idle(Self.notableIdleness)))
        }
        switch phase {
        case .working:
            if min(maximumTimeEnd, idleEnd) <= now { leave(&actions) }
        case .leaving(killAt: nil):
            if graceEnd <= now { interrupt(now, &actions) }
        case .leaving(let killAt?):
            if killAt <= now { killAll(&actions) }
        case .finished: break
        }
        if canCheckWhetherEmpty, emptyChecks.next <= now {
            emptyChecks.asked()
            actions.append(.countReady)
        }
    }

    /// Tells commands that take too long to end, and kills them when they don't.
    mutating func endOverdue(_ now: Instant, _ actions: inout [Action]) {
        guard settings.timeout != nil else { return }
        for (id, job) in running.sorted(by: { $0.key < $1.key }) where job.deadline <= now {
            if job.hasTimedOut {
                running[id]?.deadline = .never
                actions.append(.kill(id))
            } else {
                var job = job
                job.hasTimedOut = true
                job.deadline = now + settings.killAfter
                running[id] = job
                let tasks = job.followers.count + 1
                actions.append(
                    .report(tasks > 1 ? .batchTimedOut(id, tasks: tasks) : .timedOut(id, job.delivery)))
                actions.append(.terminate(id))
            }
        }
    }

    var canCheckWhetherEmpty: Bool {
        guard settings.leavesWhenEmpty, case .working = phase, case .consuming = link else { return false }
        return isIdle
    }
}

extension WorkerState {
    /// The first signal lets running commands finish, also when the worker is leaving already for a reason of its own.
    mutating func stopRequested(_ now: Instant, _ actions: inout [Action]) {
        let isFirst = !wasStopped
        wasStopped = true
        switch phase {
        case .working:
            actions.append(.report(.leaving(running: running.count)))
            leave(&actions)
        case .leaving(killAt: nil) where isFirst:
            actions.append(.report(.leaving(running: running.count)))
        case .leaving(killAt: nil):
            actions.append(.report(.interrupting(running: running.count)))
            interrupt(now, &actions)
        case .leaving, .finished: break
        }
    }

    /// Takes no more tasks and gives back those that haven't started.
    mutating func leave(_ actions: inout [Action]) {
        guard case .working = phase else { return }
        phase = .leaving(killAt: nil)
        cancelConsumer(&actions)
        giveBackWaiting(&actions)
        actions += resting.map(\.settlement)
        resting = []
    }

    mutating func giveBackWaiting(_ actions: inout [Action]) {
        actions += waiting.map { .giveBack(deliveryTag: $0.deliveryTag) }
        waiting = []
    }

    /// Tasks that wait here would only keep others from them, so they go back too.
    mutating func pause(_ actions: inout [Action]) {
        guard case .working = phase, !isPaused else { return }
        isPaused = true
        actions.append(.report(.paused))
        cancelConsumer(&actions)
        giveBackWaiting(&actions)
    }

    mutating func resume(_ now: Instant, _ actions: inout [Action]) {
        guard case .working = phase, isPaused else { return }
        isPaused = false
        noteActivity(now)
        actions.append(.report(.resumed))
        guard case .cancelled = link else { return }
        link = .consuming
        actions.append(.startConsumer)
    }

    /// Ends what is running: TERM now, KILL later. Such tasks are given back, they haven't failed.
    mutating func interrupt(_ now: Instant, _ actions: inout [Action]) {
        phase = .leaving(killAt: now + settings.killAfter)
        for (id, job) in running.sorted(by: { $0.key < $1.key }) {
            var job = job
            job.wasInterrupted = true
            running[id] = job
            actions.append(.terminate(id))
        }
    }

    /// Kills what didn't end by itself, and waits no longer for copies to be confirmed.
    mutating func killAll(_ actions: inout [Action]) {
        phase = .leaving(killAt: .never)
        if settings.isPrinting {
            giveBackRunning(&actions)
        } else {
            actions += running.keys.sorted().map { .kill($0) }
        }
        for (_, departure) in departing.sorted(by: { $0.key < $1.key }) {
            giveBack(departure.job, departure.copy, &actions)
        }
        departing = [:]
    }

    /// What wasn't printed goes back to the queue. Commands are ended: their output is lost.
    mutating func outputFailed(_ number: Int32, _ now: Instant, _ actions: inout [Action]) {
        end(.outputFailed(number), &actions)
        guard settings.isPrinting else {
            if case .leaving(killAt: nil) = phase { interrupt(now, &actions) }
            return
        }
        giveBackRunning(&actions)
    }

    /// Gives back what waits to be printed.
    private mutating func giveBackRunning(_ actions: inout [Action]) {
        for (_, job) in running.sorted(by: { $0.key < $1.key }) where isConnected(job) {
            actions.append(.giveBack(deliveryTag: job.delivery.deliveryTag))
        }
        running = [:]
    }

    mutating func end(_ reason: Ending, _ actions: inout [Action]) {
        if ending == .done { ending = reason }
        leave(&actions)
    }

    mutating func leaveIfDone(_ actions: inout [Action]) {
        if canCheckWhetherEmpty, emptyChecks.provedEmpty { leave(&actions) }
        guard case .leaving = phase, running.isEmpty, departing.isEmpty else { return }
        phase = .finished
        actions.append(.finish(ending))
    }
}
