// What a worker's loop waits for, and what it makes of what happened.

import Broker
import Posix

extension WorkerLoop {
    func waitForSomething() {
        pollSet.removeAll()
        pollSet.add(signals.descriptor, events: POLLIN)
        if let link { pollSet.add(link.connection.descriptor, events: POLLIN) }
        if let opening { pollSet.add(opening.descriptor, events: POLLIN) }
        if let descriptor = courier.descriptor { pollSet.add(descriptor, events: POLLIN) }
        relay.add(to: &pollSet, children: children.values)
        for child in children.values where child.input.isPending {
            pollSet.add(child.input.descriptor, events: POLLOUT)
        }
        // A reader that goes away is noticed also while there is nothing to print.
        if settings.state.isPrinting {
            pollSet.add(printer.buffer.descriptor, events: printer.buffer.isPending ? POLLOUT : 0)
        }
        pollSet.wait(timeout: timeout)

        if let link, pollSet.isReady(link.connection.descriptor) { mayHaveFrames = true }
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
            outputFailure = number
            events.prepend(.outputFailed(number))
        }
        releaseEnds()
        if settings.state.isPrinting, pollSet.isReady(printer.buffer.descriptor) { print() }
    }

    /// Milliseconds until something is due by itself. Heartbeats are served by reading, twice an interval at least.
    private var timeout: Int32 {
        guard events.isEmpty, !mayHaveFrames, !courier.mayHoldFrames else { return 0 }
        let now = Instant.now
        let deadline = min(
            state.nextDeadline, nextSettling, nextReceive, courier.heartbeat.map { now + $0 / 2 } ?? .never,
            settings.service?.next ?? .never)
        return deadline == .never ? -1 : deadline.pollTimeout(from: now)
    }

    /// Takes what the broker has sent, without waiting.
    func receive() {
        guard let link else { return }
        mayHaveFrames = true
        nextReceive = link.connection.heartbeat.map { .now + $0 / 2 } ?? .never
        do throws(BrokerError) {
            while events.count < Self.eventsPerTurn {
                guard let event = try link.connection.nextEvent() else {
                    mayHaveFrames = false
                    return
                }
                take(event)
                if self.link == nil { return }
            }
        } catch {
            lose(error)
        }
    }

    func take(_ event: BrokerEvent) {
        switch event {
        case .delivery(let delivery):
            settlements.delivered(delivery.deliveryTag)
            events.append(.delivered(delivery))
        case .consumerCancelled:
            settle()
            lose(
                BrokerError(
                    "consume from queue \"\(settings.queue)\"", .connectionLost, scope: .channel,
                    "the queue was deleted or lost its leader, or a task took longer than the queue allows"))
        case .channelClosed(let error), .connectionClosed(let error):
            lose(error)
        case .acknowledged, .negativelyAcknowledged, .returned, .blocked, .unblocked:
            // Nothing is published on this connection, and an alarm doesn't stop deliveries or acknowledgements.
            break
        }
    }

    /// Drops the connection. Deliveries that are still to be handled belong to it and are void.
    func lose(_ error: BrokerError) {
        link?.connection.close(timeout: .milliseconds(200))
        link = nil
        settlements = Settlements()
        lastWords = [:]
        mayHaveFrames = false
        nextReceive = .never
        events.removeAll { if case .delivered = $0 { true } else { false } }
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
        case SIGCONT: events.append(.resumeRequested)
        case SIGUSR1: events.append(.statusRequested)
        default: events.append(.stopRequested)
        }
    }

    /// Reaps all that have ended: commands, and what they left behind. Such processes are this one's when their parent
    /// ends (`workq_adopt_orphans`), as they are in a container where the worker is the first process.
    private func reap() {
        while true {
            let pid = workq_ended_child()
            guard pid > 0 else { return }
            guard let job = jobsByProcess.removeValue(forKey: pid) else {
                workq_reap(pid)
                continue
            }
            guard let end = children[job]?.reap(), var child = children.removeValue(forKey: job) else { continue }
            child.input.close()
            relay.takeLeftovers(of: &child)
            lastWords[job] = child.errors?.tail
            if let answer = child.output?.kept { events.append(.answered(job, answer)) }
            let isOverfull = child.output?.isOverfull == true && end == .exited(0)
            let limit = Self.longestAnswer >> 20
            let verdict = isOverfull ? .unfit("the answer is longer than \(limit) MiB") : end
            if child.output != nil, relay.isBehind || outputFailure != nil {
                delayedEnds.append((job, verdict, relay.outputEnd))
                events.append(.outputDelayed(job))
            } else {
                events.append(.ended(job, verdict))
            }
        }
    }

    /// Tells of commands whose output has arrived, or never will.
    private func releaseEnds() {
        while let first = delayedEnds.first, outputFailure != nil || first.outputEnd <= relay.output.totalWritten {
            delayedEnds.removeFirst()
            events.append(.ended(first.job, outputFailure == nil ? first.end : .outputLost))
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
