// What happens to the connection of a publish, and to the tasks that are under way on it.

import Broker
import Posix

extension PublishState {
    /// There is a connection, on whose channel the broker gives `nextTag` to the next message.
    package mutating func connected(nextTag: UInt64 = 1) {
        session += 1
        isConnected = true
        inFlight = InFlight(nextTag: nextTag)
        if waiting.isEmpty { outage.isOver() }
    }

    /// What a route needs is there. When the channel was opened again for that, the numbers of tasks start over.
    package mutating func prepared(_ route: Route, hasReopened: Bool) {
        routes.prepared(route, session: session)
        if hasReopened { inFlight = InFlight() }
    }

    /// The broker has worked off everything that was sent, and has said what came back.
    package mutating func synchronized() {
        inFlight.synchronized()
        if !inFlight.isReserved { inFlight.tasks.last.map { routes.prove($0.route) } }
    }

    /// What a route needs can't be made.
    package mutating func preparationFailed(_ route: Route, _ error: BrokerError, _ now: Instant) {
        guard error.isRefusal else { return lost(error, now) }
        // Nothing was in flight, and the channel that it happened on is closed or a new one.
        disconnected()
        close(route, .destination(error))
    }

    /// Sending the task that `nextToSend` gave failed.
    package mutating func sendingFailed(_ task: OutgoingTask, _ error: BrokerError, _ now: Instant) {
        guard error.code == .invalidInput else {
            return lost(error.onPublishing(to: task.route.destination), now)
        }
        // Found before a byte went out: the connection and what is under way have nothing to do with it.
        inFlight.withdraw()
        refuse(task, .task(error.onPublishing(task)))
    }

    /// The channel or the connection is gone, or couldn't be made.
    package mutating func lost(_ error: BrokerError, _ now: Instant) {
        let tasks = inFlight.tasks
        if isConnected, error.isRefusal, !tasks.isEmpty {
            inFlight = InFlight()
            disconnected()
            return attribute(error, tasks)
        }
        var error = error.scope == .channel ? named(error) : error
        let alarm = error.code == .timedOut ? blockedReason : nil
        if let alarm { error.text = "blocked by the broker (\(alarm))" }
        disconnected()
        let verdict = outage.failed(error, now)
        guard trouble == nil else { return }
        switch verdict {
        case .tryAgain(let instant):
            nextAttempt = instant
            if let retryFor = outage.retryFor, outage.isNews(error) {
                notices.append(.tryingAgain(error, for: retryFor))
            }
        case .giveUp where error.code == .nacked:
            for task in waiting.remove(where: \.wasNacked) { refuse(task, .nacked) }
        case .giveUp(let time): trouble = .gaveUp(error, after: time)
        case .fatal:
            if let alarm {
                trouble = .blocked(reason: alarm, settings.confirmTimeout)
            } else {
                trouble = error.code == .timedOut && session > 0 ? .late(error) : .lost(error)
            }
        }
    }

    /// Takes everything back that isn't confirmed, to send it again.
    mutating func disconnected() {
        for var task in inFlight.recall() {
            task.mayBeThere = true
            waiting.add(task)
        }
        waiting.sort()
        isConnected = false
        nextAttempt = Instant(nanoseconds: .min)
        blockedReason = nil
        hasNacked = false
    }

    /// Finds the task over which the broker closed the channel. It has neither that one nor any that came behind it.
    private mutating func attribute(_ error: BrokerError, _ tasks: [OutgoingTask]) {
        let size = error.refusedSize
        let culprit = tasks.count == 1 ? 0 : tasks.firstIndex { $0.size == size }
        for (index, task) in tasks.enumerated() where index != culprit {
            var task = task
            if index < culprit ?? .max { task.mayBeThere = true }
            // Nobody knows which one it was, so now they come one by one.
            task.isSuspect = culprit == nil
            waiting.add(task)
        }
        waiting.sort()
        if let culprit {
            let task = tasks[culprit]
            refuse(task, Refusal(error.onPublishing(task)))
        } else if !settings.goesOnAfterRefusals {
            end(.refused(Refusal(named(error))))
        }
    }

    /// The error in the words of what the user asked for.
    func named(_ error: BrokerError) -> BrokerError {
        guard let task = inFlight.tasks.first ?? waiting.first else { return error }
        return error.onPublishing(to: task.route.destination)
    }
}
