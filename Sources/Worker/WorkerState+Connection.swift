// What a worker does when it gains or loses its connection.

import Broker
import Posix

extension WorkerState {
    /// How long a connection must have lasted for the next pause to be short again.
    private static let provenConnection = Duration.seconds(10)

    mutating func connected(_ now: Instant, _ actions: inout [Action]) {
        actions.append(.report(lastSession > 0 ? .reconnected : .connected))
        lastSession += 1
        session = lastSession
        connectedSince = now
        lastActivity = now
        toldError = nil
        emptyChecks.reset()
        link = .consuming
        if isLeaving || isPaused { cancelConsumer(&actions) }
    }

    /// Deliveries that haven't started are void, the broker gives them to somebody. Running commands go on, their
    /// outcome can't be told to the broker unless the task comes back (see `adopt`).
    mutating func connectionLost(_ error: BrokerError, _ now: Instant, _ actions: inout [Action]) {
        waiting = []
        resting = []
        departing = [:]
        stranded = Set(running.keys)
        session = nil
        // A task that breaks every connection it comes on must not make the worker reconnect in a hot loop.
        if let connectedSince, now - connectedSince >= Self.provenConnection { backoff.reset() }
        connectedSince = nil
        let pause = backoff.next(using: &generator)
        guard let since = retryStart(after: error, now), now + pause <= since + (settings.retryFor ?? .seconds(1 << 32))
        else {
            // Running commands may finish, but nothing can be settled any more.
            link = .cancelled
            return end(.brokerFailed(error), &actions)
        }
        link = .down(since: since, retryAt: now + pause)
        // What was told once about this outage is no news the next time.
        actions.append(
            .report(toldError == error ? .stillDown(error, pause: pause) : .reconnecting(error, pause: pause)))
        toldError = error
    }

    /// When the trouble began that reconnecting may end, nil when it can't or shouldn't.
    func retryStart(after error: BrokerError, _ now: Instant) -> Instant? {
        guard case .working = phase else { return nil }
        switch link {
        case .consuming, .cancelled: return now
        case .down(let since, _): return since
        case .connecting(let since):
            // A wrong address or password is best told at once, by the first attempt, unless waiting was asked for.
            let isFirst = lastSession == 0 && settings.retryFor == nil
            // A TLS handshake that the network cuts looks like one that fails; trust that held once still does.
            let mayPass = error.isRetriable || lastSession > 0 && error.code == .tlsFailed
            return mayPass && !isFirst ? since : nil
        }
    }

    mutating func cancelConsumer(_ actions: inout [Action]) {
        guard case .consuming = link else { return }
        link = .cancelled
        actions.append(.cancelConsumer)
    }
}
