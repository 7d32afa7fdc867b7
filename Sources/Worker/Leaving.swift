// When a worker leaves and how, and what is due by time alone.

import Broker
import Posix

/// What a worker is about.
enum Phase: Equatable {
    case working(isPaused: Bool)
    case leaving(Haste)
    case finished
}

/// How a worker that leaves treats running commands.
enum Haste: Equatable {
    /// They may finish.
    case gentle
    /// They were told to end, and are killed then.
    case ending(killAt: Instant)
    /// They were killed.
    case killed
}

extension WorkerState {
    mutating func tick(_ now: Instant, _ actions: inout [Action]) {
        if case .down(_, let retryAt) = connectivity.link, retryAt <= now {
            connectivity.connect()
            actions.append(.connect)
        }
        for id in tasks.due(by: now) { due(id, now, &actions) }
        endOverdue(now, &actions)
        if idlenessDue <= now {
            hasToldIdleness = true
            actions.append(.report(.idle(Self.notableIdleness)))
        }
        tellSilence(now, &actions)
        switch phase {
        case .working:
            if min(maximumTimeEnd, idleEnd) <= now { leaveInTime(now, &actions) }
        case .leaving(.gentle):
            if graceEnd <= now { interrupt(now, &actions) }
        case .leaving(.ending(let killAt)):
            if killAt <= now { killAll(&actions) }
        case .leaving(.killed), .finished: break
        }
        if settleBy <= now { abandonAll(&actions) }
        if canCheckWhetherEmpty, drainCheck.next <= now {
            drainCheck.asked(now)
            actions.append(.countReady)
        }
    }

    /// Goes on with a task that rests, or forgets one that doesn't come back.
    private mutating func due(_ id: TaskID, _ now: Instant, _ actions: inout [Action]) {
        switch tasks[id]?.stage {
        case .resting(let departure, _, _)?:
            tasks.move(id, to: .leaving(departure))
            actions.append(.copy(id, departure.copy))
            noteActivity(now)
        case .unheard?: close(id, as: .giveBack)
        default: break
        }
    }

    /// A queue that never answers: a worker that is to leave when it is empty can't know.
    private mutating func tellSilence(_ now: Instant, _ actions: inout [Action]) {
        if silenceDue <= now, let error = reasonForSilence() {
            hasToldSilence = true
            if settings.leavesWhenEmpty { return end(.brokerFailed(error), now, &actions) }
            actions.append(.report(.unanswered(error)))
        }
        if canCheckWhetherEmpty, drainCheck.askedAt + Self.answerTime <= now {
            end(
                .brokerFailed(
                    BrokerError(
                        "ask for \(settings.queuePhrase)", .timedOut, scope: .client,
                        "this queue doesn't answer; has it lost its majority?")), now, &actions)
        }
    }

    /// Leaves because there was nothing to do, or time is over. Where nobody knows whether there was something to do,
    /// that is an error.
    private mutating func leaveInTime(_ now: Instant, _ actions: inout [Action]) {
        if isIdle, let reason = reasonForSilence() {
            end(.brokerFailed(reason), now, &actions)
        } else {
            leave(now, &actions)
        }
    }

    /// Tells commands that take too long to end, and kills them when they don't.
    private mutating func endOverdue(_ now: Instant, _ actions: inout [Action]) {
        guard settings.timeout != nil else { return }
        for (id, command) in commands.sorted(by: { $0.key < $1.key }) where command.deadline <= now {
            if command.hasTimedOut {
                commands[id]?.deadline = .never
                actions.append(.kill(id))
            } else {
                commands[id]?.hasTimedOut = true
                let killAt = now + settings.killAfter
                commands[id]?.deadline = killAt
                if command.others.isEmpty, let task = tasks[command.first] {
                    actions.append(.report(.timedOut(id, task.delivery)))
                } else {
                    let queue = tasks[command.first]?.delivery.queue ?? 0
                    actions.append(.report(.batchTimedOut(id, tasks: command.others.count + 1, queue: queue)))
                }
                actions.append(.terminate(id))
            }
        }
    }

    var canCheckWhetherEmpty: Bool {
        guard settings.leavesWhenEmpty, isWorking, connectivity.isConsuming else { return false }
        return commands.isEmpty && tasks.leavingCount == 0 && tasks.restingCount == 0
            && (tasks.waitingCount == 0 || settings.batching != nil)
    }
}

extension WorkerState {
    /// The first signal lets running commands finish, also when the worker is leaving already for a reason of its own.
    mutating func stopRequested(_ now: Instant, _ actions: inout [Action]) {
        if let last = lastStop, now - last < SignalPipe.oneRequest { return }
        let isFirst = lastStop == nil
        lastStop = now
        switch phase {
        case .working:
            actions.append(.report(.leaving(running: commands.count)))
            leave(now, &actions)
        case .leaving(.gentle) where isFirst:
            actions.append(.report(.leaving(running: commands.count)))
        case .leaving(.gentle):
            actions.append(.report(.interrupting(running: commands.count)))
            interrupt(now, &actions)
        // Not even KILL has helped: the worker doesn't wait for that.
        case .leaving(.killed):
            abandonAll(&actions)
            commands = [:]
        case .leaving(.ending), .finished: break
        }
    }

    /// Takes no more tasks and gives back those that haven't started.
    mutating func leave(_ now: Instant, _ actions: inout [Action]) {
        guard case .working = phase else { return }
        phase = .leaving(.gentle)
        graceEnd = settings.grace.map { now + $0 } ?? .never
        giveBackWaiting(&actions)
        // What rests gets one more chance, at once.
        for id in tasks.ids(where: { if case .resting = $0 { true } else { false } }) { due(id, now, &actions) }
    }

    private mutating func giveBackWaiting(_ actions: inout [Action]) {
        while let task = tasks.firstWaiting() { giveBack(task, &actions) }
    }

    /// Tasks that wait here stay: on a quorum queue giving them back counts, and at its limit the broker drops a task.
    mutating func pause(_ actions: inout [Action]) {
        guard phase == .working(isPaused: false) else { return }
        phase = .working(isPaused: true)
        actions.append(.report(.paused))
    }

    mutating func resume(_ now: Instant, _ actions: inout [Action]) {
        guard phase == .working(isPaused: true) else { return }
        phase = .working(isPaused: false)
        noteActivity(now)
        actions.append(.report(.resumed))
    }

    /// Ends what is running: TERM now, KILL later. Such tasks are given back, they haven't failed.
    private mutating func interrupt(_ now: Instant, _ actions: inout [Action]) {
        phase = .leaving(.ending(killAt: now + settings.killAfter))
        for id in commands.keys.sorted() {
            commands[id]?.wasInterrupted = true
            actions.append(.terminate(id))
        }
    }

    /// Kills what didn't end by itself.
    private mutating func killAll(_ actions: inout [Action]) {
        phase = .leaving(.killed)
        if settings.mode == .print {
            giveBackRunning(&actions)
        } else {
            actions += commands.keys.sorted().map { .kill($0) }
        }
    }

    /// Waits no longer for copies to be confirmed, or for the broker to hear of what is done.
    private mutating func abandonAll(_ actions: inout [Action]) {
        for id in tasks.ids(where: { _ in true }) {
            guard let task = tasks[id] else { continue }
            if isConnected(task) {
                actions.append(.giveBack(deliveryTag: task.delivery.deliveryTag))
            } else if ending == .done, connectivity.session == nil {
                ending = .brokerFailed(
                    reasonForSilence()
                        ?? BrokerError(
                            "tell the broker that tasks are done", .connectionLost, scope: .connection,
                            "there is no connection"))
            }
            close(id, as: .giveBack)
        }
    }

    /// What wasn't printed goes back to the queue. Commands are ended: their output is lost.
    mutating func outputFailed(_ number: Int32, _ now: Instant, _ actions: inout [Action]) {
        end(.outputFailed(number), now, &actions)
        if settings.mode == .print {
            giveBackRunning(&actions)
        } else if phase == .leaving(.gentle) {
            interrupt(now, &actions)
        }
    }

    /// Gives back what waits to be printed.
    private mutating func giveBackRunning(_ actions: inout [Action]) {
        for (_, command) in commands.sorted(by: { $0.key < $1.key }) {
            for task in command.ids.compactMap({ tasks[$0] }) { giveBack(task, &actions) }
        }
        commands = [:]
    }

    mutating func end(_ reason: Ending, _ now: Instant, _ actions: inout [Action]) {
        if ending == .done { ending = reason }
        leave(now, &actions)
    }

    /// Sees to it that leaving ends: once commands have ended, copies that nobody confirms, as under an alarm, and
    /// tasks that don't come back are waited for as long as commands that are told to end.
    mutating func goOnLeaving(_ now: Instant, _ actions: inout [Action]) {
        if canCheckWhetherEmpty, drainCheck.provedEmpty {
            if tasks.waitingCount == 0 { leave(now, &actions) } else { startBatchesAtOnce(now, &actions) }
        }
        guard case .leaving = phase else { return }
        if case .lost = connectivity.link { forgetStranded() }
        if tasks.strandedCount == 0 { giveBackWaiting(&actions) }
        guard commands.isEmpty else {
            settleBy = .never
            return
        }
        if tasks.isEmpty {
            phase = .finished
            actions.append(.finish(ending))
        } else if settleBy == .never {
            settleBy = now + settings.killAfter
        }
    }

    /// What came on a connection that was the last.
    private mutating func forgetStranded() {
        for id in tasks.ids(where: { if case .running = $0 { false } else { true } }) { close(id, as: .giveBack) }
    }
}
