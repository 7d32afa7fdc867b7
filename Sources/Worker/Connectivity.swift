// The worker's connection as its state knows it, and the consumer on it.

import Broker
import Posix

/// Whether there is a connection, since when there is none, and whether tasks come. Pure.
struct Connectivity {
    enum Link {
        /// To be connected at `retryAt`; `since` is when the trouble began.
        case down(since: Instant, retryAt: Instant)
        case connecting(since: Instant)
        case up(WorkerState.Session, Consumer)
        /// For good.
        case lost
    }

    /// The broker is asked and answers later; what it delivers meanwhile counts as before.
    enum Consumer: Equatable {
        case off
        /// With how many unacknowledged tasks at most, 0 for any number.
        case starting(prefetch: Int, since: Instant)
        case on(prefetch: Int)
        case stopping
    }

    /// What is to be told of a loss.
    enum Loss {
        case retry(pause: Duration, isNews: Bool)
        case final
    }

    /// How long a connection must have lasted for the next pause to be short again.
    private static let provenConnection = Duration.seconds(10)

    private(set) var link: Link
    private(set) var lastSession: WorkerState.Session = 0
    /// Why there is no connection, as it was last told.
    private(set) var toldError: BrokerError?
    private var connectedSince: Instant?
    private var backoff = ReconnectBackoff()
    private var generator: any RandomNumberGenerator

    init(now: Instant, generator: any RandomNumberGenerator) {
        link = .connecting(since: now)
        self.generator = generator
    }

    /// nil while there is no connection: then nothing can be settled.
    var session: WorkerState.Session? {
        if case .up(let session, _) = link { session } else { nil }
    }

    var consumer: Consumer? {
        if case .up(_, let consumer) = link { consumer } else { nil }
    }

    /// Whether tasks come.
    var isConsuming: Bool {
        if case .on? = consumer { true } else { false }
    }

    var retryAt: Instant {
        if case .down(_, let retryAt) = link { retryAt } else { .never }
    }

    mutating func connected(_ now: Instant) {
        lastSession += 1
        connectedSince = now
        toldError = nil
        link = .up(lastSession, .off)
    }

    mutating func set(_ consumer: Consumer) {
        guard case .up(let session, _) = link else { return }
        link = .up(session, consumer)
    }

    mutating func connect() {
        guard case .down(let since, _) = link else { return }
        link = .connecting(since: since)
    }

    mutating func giveUp() { link = .lost }

    /// Decides whether another attempt is made, with the time that `retryFor` gives all attempts together.
    mutating func lose(_ error: BrokerError, _ now: Instant, retryFor: Duration?) -> Loss {
        // A task that breaks every connection it comes on must not make the worker reconnect in a hot loop.
        if let connectedSince, now - connectedSince >= Self.provenConnection { backoff.reset() }
        connectedSince = nil
        let pause = backoff.next(using: &generator)
        guard let since = retryStart(after: error, now, retryFor),
            now + pause <= since + (retryFor ?? .seconds(1 << 32))
        else {
            link = .lost
            return .final
        }
        link = .down(since: since, retryAt: now + pause)
        // What was told once about this outage is no news the next time.
        defer { toldError = error }
        return .retry(pause: pause, isNews: toldError != error)
    }

    /// When the trouble began that reconnecting may end, nil when it can't.
    private func retryStart(after error: BrokerError, _ now: Instant, _ retryFor: Duration?) -> Instant? {
        switch link {
        case .up: return now
        case .down(let since, _): return since
        case .lost: return nil
        case .connecting(let since):
            // A wrong address or password is best told at once, by the first attempt, unless waiting was asked for.
            let isFirst = lastSession == 0 && retryFor == nil
            // A TLS handshake that the network cuts looks like one that fails; trust that held once still does.
            let mayPass = error.isRetriable || lastSession > 0 && error.code == .tlsFailed
            return mayPass && !isFirst ? since : nil
        }
    }
}

extension WorkerState {
    /// How long what is dealt with waits for the broker to deliver it once more.
    static let unheardTime = Duration.seconds(300)
    /// How long it may take from the consumer's start until it comes.
    static let returnTime = Duration.seconds(5)
    /// When a queue that doesn't answer is worth a word.
    static let answerTime = Duration.seconds(10)

    mutating func connected(_ now: Instant, _ actions: inout [Action]) {
        actions.append(.report(connectivity.lastSession > 0 ? .reconnected : .connected))
        connectivity.connected(now)
        lastActivity = now
        drainCheck.reset()
        hasToldSilence = false
    }

    /// Deliveries that haven't started are void, the broker gives them to somebody. Running commands and copies go on;
    /// what comes of them is told when their tasks come back.
    mutating func connectionLost(_ error: BrokerError, _ now: Instant, _ actions: inout [Action]) {
        tasks.strand()
        precedence?.lose()
        tasks.rouse(until: now + Self.unheardTime)
        guard isWorking || !tasks.isEmpty else {
            connectivity.giveUp()
            return end(.brokerFailed(error), now, &actions)
        }
        switch connectivity.lose(error, now, retryFor: settings.retryFor) {
        case .retry(let pause, let isNews):
            actions.append(.report(isNews ? .reconnecting(error, pause: pause) : .stillDown(error, pause: pause)))
        case .final:
            // Running commands may finish, but nothing can be settled any more.
            end(.brokerFailed(error), now, &actions)
        }
    }

    /// Whether the task's delivery can still be settled: on the connection that brought it.
    func isConnected(_ task: TaskTable.Task) -> Bool {
        connectivity.session == task.session
    }

    /// How many unacknowledged tasks the broker may give this worker now, 0 for any number; nil for no consumer.
    private var wantedPrefetch: Int? {
        switch phase {
        case .working(isPaused: false):
            guard let count = settings.count else {
                return settings.prefetch == 0 ? 0 : settings.prefetch + tasks.aside.count
            }
            let rest = count - claimedCount
            guard rest > 0 else { return nil }
            return settings.prefetch == 0 ? rest : min(settings.prefetch + tasks.aside.count, rest)
        case .working(isPaused: true), .finished: return nil
        // Only to hear of what came before the connection was lost.
        case .leaving: return tasks.strandedCount > 0 ? tasks.strandedCount : nil
        }
    }

    /// Starts or ends the consumer when it isn't what is wanted. A consumer that may get more tasks than the worker may
    /// take ends before any of its tasks is acknowledged, since each of those would be replaced by another.
    mutating func adjustConsumer(_ now: Instant, _ actions: inout [Action]) {
        guard let consumer = connectivity.consumer else { return }
        switch (consumer, wantedPrefetch) {
        case (.off, let wanted?):
            connectivity.set(.starting(prefetch: wanted, since: now))
            actions.insert(.startConsumer(prefetch: wanted), at: 0)
        case (.starting(let prefetch, _), let wanted), (.on(let prefetch), let wanted):
            guard mustStop(prefetch, wanted, actions) else { return }
            connectivity.set(.stopping)
            actions.insert(.cancelConsumer, at: 0)
        case (.off, nil), (.stopping, _): break
        }
    }

    private func mustStop(_ prefetch: Int, _ wanted: Int?, _ actions: [Action]) -> Bool {
        guard let wanted else { return true }
        guard case .working = phase else { return false }
        if prefetch != 0, wanted > prefetch || wanted == 0 { return true }
        return settings.count != nil && wanted < prefetch && actions.contains(where: \.isSettlement)
    }

    mutating func consuming(_ now: Instant) {
        guard case .starting(let prefetch, _)? = connectivity.consumer else { return }
        connectivity.set(.on(prefetch: prefetch))
        precedence?.begin(prefetch: prefetch)
        lastActivity = now
        // What doesn't come soon has gone to another worker.
        tasks.hasten(by: now + Self.returnTime)
    }

    mutating func consumerStopped() {
        guard connectivity.consumer == .stopping else { return }
        connectivity.set(.off)
    }

    /// Why no task comes although there may be some; nil when the queue has answered and is silent.
    func reasonForSilence() -> BrokerError? {
        switch connectivity.link {
        case .up(_, .starting):
            BrokerError(
                "consume from \(settings.queuePhrase)", .timedOut, scope: .client,
                "this queue doesn't answer; has it lost its majority?")
        case .up, .lost: nil
        case .down, .connecting:
            connectivity.toldError
                ?? BrokerError("connect", .timedOut, scope: .connection, "there is no connection yet")
        }
    }

    /// When it is worth telling that the queue doesn't answer.
    var silenceDue: Instant {
        guard !hasToldSilence, case .starting(_, let since)? = connectivity.consumer else { return .never }
        return since + Self.answerTime
    }
}

extension WorkerState.Action {
    /// Whether it makes room for another delivery.
    fileprivate var isSettlement: Bool {
        switch self {
        case .acknowledge, .reject, .giveBack: true
        default: false
        }
    }
}
