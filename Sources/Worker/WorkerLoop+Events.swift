// What a worker's loop waits for, and what it makes of what happened.

import Broker
import Posix

extension WorkerLoop {
    func waitForSomething() {
        pollSet.removeAll()
        pollSet.add(signals.descriptor, events: POLLIN)
        if let session, !isFull { pollSet.add(session.connection.descriptor, events: POLLIN) }
        if let opening { pollSet.add(opening.descriptor, events: POLLIN) }
        pollSet.add(copies.descriptor, events: POLLIN)
        relay.add(to: &pollSet, children: children.values)
        for child in children.values where child.input.isPending {
            pollSet.add(child.input.descriptor, events: POLLOUT)
        }
        // A reader that goes away is noticed also while there is nothing to print.
        if settings.state.mode == .print {
            pollSet.add(printer.buffer.descriptor, events: printer.buffer.isPending ? POLLOUT : 0)
        }
        pollSet.wait(timeout: timeout)

        if let session, pollSet.isReady(session.connection.descriptor) { mayHaveFrames = true }
        if pollSet.isReady(copies.descriptor) { takeCopyNews() }
        if pollSet.isReady(signals.descriptor) {
            // A service manager may tell worker and commands to end at once; then a command that ended hasn't failed.
            let arrived = signals.read()
            let (stops, others) = (arrived.filter(Self.stopsWorker), arrived.filter { !Self.stopsWorker($0) })
            (stops + others).forEach(take)
        }
        for (job, child) in children where child.input.isPending && pollSet.isReady(child.input.descriptor) {
            children[job]?.input.write()
        }
        if let opening, pollSet.isReady(opening.descriptor) { takeConnection() }
        // Before the ends of commands, which may be what the worker leaves for.
        if let number = relay.pass(pollSet, children: &children) {
            failOutput(number)
        }
        releaseEnds()
        if settings.state.mode == .print, pollSet.isReady(printer.buffer.descriptor) { print() }
    }

    /// Milliseconds until something is due by itself. Heartbeats are served by reading, twice an interval at least.
    private var timeout: Int32 {
        guard events.isEmpty, !mayHaveFrames || isFull else { return 0 }
        let nextReport = min(settings.service?.next ?? .never, settings.statusReader?.next ?? .never)
        let deadline = min(state.nextDeadline, nextSettling, nextReceive, nextReport)
        return deadline == .never ? -1 : deadline.pollTimeout(from: .now)
    }

    /// Whether so much is here that more should stay where it is. Commands get as many tasks as there are jobs,
    /// whatever they weigh; tasks that are printed or moved only have to flow.
    var isFull: Bool { settings.state.mode != .run && state.bytes >= Self.greatestWeight }

    /// Takes what the broker has sent, without waiting. While there is too much here already, only as much as
    /// heartbeats need.
    func receive() {
        guard session != nil else { return }
        var weight = isFull ? Self.greatestWeight : state.bytes
        mayHaveFrames = true
        nextReceive = session?.connection.heartbeat.map { .now + $0 / 2 } ?? .never
        do throws(BrokerError) {
            while events.count < Self.eventsPerTurn {
                guard let event = try session?.connection.nextEvent() else {
                    mayHaveFrames = false
                    return
                }
                try take(event)
                if session == nil { return }
                if case .delivery(let delivery) = event, settings.state.mode != .run {
                    weight += delivery.body.count
                    if weight >= Self.greatestWeight { return }
                }
            }
        } catch {
            lose(error)
        }
    }

    private func take(_ event: BrokerEvent) throws(BrokerError) {
        switch try session?.news(of: event) {
        case .event(let event)?:
            events.append(event)
            for delivery in session?.takeEarly() ?? [] { take(delivery) }
        case .delivery(let delivery)?: take(delivery)
        case .lost(let error)?:
            // Where only the consumer is gone, settlements still count.
            if case .consumerCancelled = event { settle() }
            lose(error)
        case .refused(let error)?:
            if case .channelClosed = event {
                lose(error)
                events.prepend(.refused(error))
            } else {
                events.append(.refused(error))
            }
        case nil: break
        }
    }

    private func take(_ delivery: Delivery) {
        settlements.delivered(delivery.deliveryTag)
        events.append(.delivered(delivery))
    }

    /// Drops the connection. What is still to be handled of it is void.
    func lose(_ error: BrokerError) {
        session?.connection.close(timeout: .milliseconds(50))
        session = nil
        settlements = Settlements()
        mayHaveFrames = false
        nextReceive = .never
        events.removeAll(where: \.isOfSession)
        // Commands that have ended meanwhile can't be settled any more, so the state must hear of the loss before.
        let connected = events.lastIndex { if case .connected = $0 { true } else { false } }
        events.insert(.connectionLost(error), at: connected.map { $0 + 1 } ?? 0)
    }

    private static func stopsWorker(_ signal: Int32) -> Bool {
        [SIGTERM, SIGINT, SIGHUP].contains(signal)
    }

    private func take(_ signal: Int32) {
        switch signal {
        case SIGCHLD: reap()
        case SIGTSTP: events.append(.pauseRequested)
        case SignalPipe.typedStop: stopWithCommands()
        case SIGCONT: events.append(.resumeRequested)
        case SIGUSR1: events.append(.statusRequested)
        default: events.append(.stopRequested)
        }
    }

    /// Ctrl-Z stops all that was started with the worker, as it would in a pipeline, though commands are out of the
    /// terminal's reach. Without heartbeats the broker takes the worker for dead after a while.
    private func stopWithCommands() {
        perform(.report(.suspended(silence: session?.connection.heartbeat.map { $0 * 2 })))
        for child in children.values { child.signalGroup(SIGSTOP) }
        SignalPipe.stopProcess()
        for child in children.values { child.signalGroup(SIGCONT) }
        perform(.report(.resumed))
    }

    /// Tells of commands that the terminal has stopped, since they read from it without being its foreground.
    private func tellStopped() {
        guard settings.output == .inherited else { return }
        var signal: Int32 = 0
        while case let pid = workq_stopped_child(&signal), pid > 0 {
            guard let job = jobsByProcess[pid] else { continue }
            perform(.report(.stopped(job, signal)))
        }
    }

    /// Reaps all that have ended: commands, and what they left behind. Such processes are this one's when their parent
    /// ends (`workq_adopt_orphans`), as they are in a container where the worker is the first process.
    private func reap() {
        tellStopped()
        while true {
            let pid = workq_ended_child()
            guard pid > 0 else { return }
            guard let job = jobsByProcess.removeValue(forKey: pid) else {
                workq_reap(pid)
                continue
            }
            children[job]?.endRest()
            guard let end = children[job]?.reap(), var child = children.removeValue(forKey: job) else { continue }
            child.input.close()
            relay.takeLeftovers(of: &child)
            let output = CommandOutput(answer: child.output?.kept, errors: child.errors?.tail ?? [])
            let isOverfull = child.output?.isOverfull == true && end == .exited(0)
            let limit = Self.longestAnswer >> 20
            let verdict = isOverfull ? .unfit("the answer is longer than \(limit) MiB") : end
            if child.output != nil, relay.isBehind || outputFailure != nil {
                delayedEnds.append((job, verdict, output, relay.outputEnd))
                events.append(.outputDelayed(job))
            } else {
                events.append(.ended(job, verdict, output))
            }
        }
    }

    /// Tells of commands whose output has arrived, or never will.
    private func releaseEnds() {
        while let first = delayedEnds.first, outputFailure != nil || first.outputEnd <= relay.output.totalWritten {
            delayedEnds.removeFirst()
            events.append(.ended(first.job, outputFailure == nil ? first.end : .outputLost, first.output))
        }
    }

    func giveUpOutput(of job: WorkerState.JobID) {
        guard let index = delayedEnds.firstIndex(where: { $0.job == job }) else { return }
        delayedEnds.remove(at: index)
        events.append(.ended(job, .outputLost))
    }

    private func print() {
        guard printer.buffer.isPending else { return events.append(.outputFailed(EPIPE)) }
        switch printer.write() {
        case .done(let jobs): events.append(contentsOf: jobs.map { .ended($0, .exited(0)) })
        case .failed(let number): events.append(.outputFailed(number))
        }
    }
}

extension WorkerLoop {
    /// What has become of copies.
    private func takeCopyNews() {
        for news in copies.takeNews() {
            switch news {
            case .outcome(let task, let outcome): take(outcome, of: task)
            case .blocked(let reason): perform(.report(.blocked(reason: reason)))
            case .unblocked: perform(.report(.unblocked))
            case .unconfirmed(let count, let time): perform(.report(.unconfirmed(count, time)))
            }
        }
    }

    private func take(_ outcome: CopyPublisher.Outcome, of task: WorkerState.TaskID) {
        switch outcome {
        case .confirmed: events.append(.copyConfirmed(task))
        case .unwanted: events.append(.answerReturned(task))
        case .unfit: events.append(.copyUnfit(task))
        case .failed(let error, let isRefused):
            lastCopyError = error
            // A destination that will never take a task is told, not tried again and again. A missing right neither.
            let isMoving = if case .move = settings.state.mode { true } else { false }
            if !error.isRetriable, isMoving || error.code == .accessRefused { events.append(.refused(error)) }
            events.append(.copyFailed(task, isRefused: isRefused))
        }
    }
}

extension WorkerState.Event {
    /// Whether this means nothing once the connection is gone.
    fileprivate var isOfSession: Bool {
        switch self {
        case .delivered, .consuming, .consumerStopped, .readyCount: true
        default: false
        }
    }
}
