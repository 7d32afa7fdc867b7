// Decides everything that a worker does, without doing any of it.

import Broker
import DequeModule

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A worker's decisions as a pure state machine: it takes events and returns actions, and knows no clock, no socket and
/// no process.
///
/// A delivery is waiting (delivered, not started), running, or resting (failed, held back for a while before it is
/// requeued). All three are unacknowledged on the broker, which hands them to another worker when this one dies.
package struct WorkerState {
    /// Numbers the jobs of a worker, from 1.
    package typealias JobID = Int
    /// Numbers the connections of a worker, from 1. A delivery tag is valid only in the session that brought it.
    package typealias Session = Int

    package struct Settings {
        /// Commands at once.
        package var jobs = 1
        /// Leave after starting so many tasks.
        package var count: Int?
        /// Leave once the queue is empty and nothing is running.
        package var leavesWhenEmpty = false
        /// How long to go on trying to reconnect; nil for ever.
        package var retryFor: Duration?
        /// Between TERM and KILL for commands that are ended.
        package var killAfter = Duration.seconds(10)

        package init() {}
    }

    package enum Event {
        case connected
        case connectionLost(BrokerError)
        case delivered(Delivery)
        case ended(JobID, JobEnd)
        /// The answer to `countReady`.
        case readyCount(Int)
        /// The broker refuses what the worker needs; trying again won't help.
        case refused(BrokerError)
        /// The output that tasks are printed on failed, for the system's reason.
        case outputFailed(Int32)
        /// TERM or INT.
        case stopRequested
        /// Time has passed.
        case tick
    }

    package enum Action: Equatable {
        case connect
        case start(JobID, Delivery)
        case acknowledge(deliveryTag: UInt64)
        case requeue(deliveryTag: UInt64)
        case giveBack(deliveryTag: UInt64)
        case cancelConsumer
        /// Ask how many messages are ready on the queue.
        case countReady
        /// To the job's process group.
        case terminate(JobID)
        case kill(JobID)
        case report(Report)
        case finish(Ending)
    }

    /// What is worth telling.
    package enum Report: Equatable {
        case started(JobID, Delivery)
        case ended(JobID, Delivery, JobEnd, Verdict, elapsed: Duration)
        /// The connection is gone; the next attempt comes after the pause.
        case reconnecting(BrokerError, pause: Duration)
        case reconnected
        case leaving(running: Int)
        case interrupting(running: Int)
    }

    /// Why the worker ended.
    package enum Ending: Equatable {
        /// As asked: by a signal, or because the count was reached or the queue empty.
        case done
        /// The connection is lost for good, or the broker refused.
        case brokerFailed(BrokerError)
        /// Tasks can't be printed any more; the error number says why.
        case outputFailed(Int32)
        /// The command can't be run at all.
        case commandUnusable(String)
    }

    private struct Job {
        var delivery: Delivery
        var session: Session?
        var started: Instant
        var wasInterrupted = false
    }

    private enum Link {
        /// To be connected at `retryAt`; `since` is when the connection was lost.
        case down(since: Instant, retryAt: Instant)
        case connecting(since: Instant)
        case consuming
        /// Connected, but no more deliveries are wanted.
        case cancelled
    }

    private enum Phase {
        case working
        /// Take no more; `killAt` is set once commands are being ended.
        case leaving(killAt: Instant?)
        case finished
    }

    private let settings: Settings
    private var link: Link
    private var phase = Phase.working
    /// nil while there is no connection: then nothing can be settled.
    private var session: Session?
    private var lastSession: Session = 0
    private var waiting: Deque<Delivery> = []
    private var running: [JobID: Job] = [:]
    private var resting: [(delivery: Delivery, until: Instant)] = []
    private var lastJob: JobID = 0
    private var pauseAfterFailure = FailurePause()
    private var backoff = ReconnectBackoff()
    private var emptyChecks = EmptyChecks()
    private var generator: any RandomNumberGenerator
    private var ending = Ending.done

    package init(
        settings: Settings, now: Instant, generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.settings = settings
        self.generator = generator
        link = .connecting(since: now)
    }

    /// How many commands are running.
    package var runningCount: Int { running.count }

    /// When `tick` is due, `never` when nothing waits for time to pass.
    package var nextDeadline: Instant {
        var deadline = resting.map(\.until).min() ?? .never
        if case .down(_, let retryAt) = link { deadline = min(deadline, retryAt) }
        if case .leaving(let killAt?) = phase { deadline = min(deadline, killAt) }
        if canCheckWhetherEmpty { deadline = min(deadline, emptyChecks.next) }
        return deadline
    }

    /// Takes an event and returns what is to be done about it, in order.
    package mutating func handle(_ event: Event, now: Instant) -> [Action] {
        if case .finished = phase { return [] }
        var actions: [Action] = []
        switch event {
        case .connected: connected(&actions)
        case .connectionLost(let error): connectionLost(error, now, &actions)
        case .delivered(let delivery): delivered(delivery, now, &actions)
        case .ended(let job, let end): ended(job, end, now, &actions)
        case .readyCount(let count): emptyChecks.answered(ready: count, now)
        case .refused(let error): end(.brokerFailed(error), &actions)
        case .outputFailed(let number): outputFailed(number, &actions)
        case .stopRequested: stopRequested(now, &actions)
        case .tick: tick(now, &actions)
        }
        startWaiting(now, &actions)
        leaveIfDone(&actions)
        return actions
    }
}

// MARK: - Connection

extension WorkerState {
    private mutating func connected(_ actions: inout [Action]) {
        if lastSession > 0 { actions.append(.report(.reconnected)) }
        lastSession += 1
        session = lastSession
        backoff.reset()
        emptyChecks.reset()
        link = .consuming
        if case .leaving = phase { cancelConsumer(&actions) }
    }

    /// Deliveries that haven't started are void, the broker gives them to somebody. Running commands go on, their
    /// outcome can't be told to the broker unless the task comes back (see `adopt`).
    private mutating func connectionLost(_ error: BrokerError, _ now: Instant, _ actions: inout [Action]) {
        waiting = []
        resting = []
        session = nil
        let pause = backoff.next(using: &generator)
        guard let since = retryStart(after: error, now), now + pause <= since + (settings.retryFor ?? .seconds(1 << 32))
        else {
            // Running commands may finish, but nothing can be settled any more.
            link = .cancelled
            return end(.brokerFailed(error), &actions)
        }
        link = .down(since: since, retryAt: now + pause)
        actions.append(.report(.reconnecting(error, pause: pause)))
    }

    /// When the trouble began that reconnecting may end, nil when it can't or shouldn't.
    private func retryStart(after error: BrokerError, _ now: Instant) -> Instant? {
        guard case .working = phase else { return nil }
        switch link {
        case .consuming, .cancelled: return now
        case .down(let since, _): return since
        case .connecting(let since):
            // A wrong address or password is best told at once, by the first attempt, unless waiting was asked for.
            let isFirst = lastSession == 0 && settings.retryFor == nil
            return error.isRetriable && !isFirst ? since : nil
        }
    }

    private mutating func cancelConsumer(_ actions: inout [Action]) {
        guard case .consuming = link else { return }
        link = .cancelled
        actions.append(.cancelConsumer)
    }
}

// MARK: - Tasks

extension WorkerState {
    private mutating func delivered(_ delivery: Delivery, _ now: Instant, _ actions: inout [Action]) {
        emptyChecks.postpone(now)
        if adopt(delivery) { return }
        guard case .working = phase else {
            actions.append(.giveBack(deliveryTag: delivery.deliveryTag))
            return
        }
        waiting.append(delivery)
    }

    /// A task that comes back after a lost connection while its command still runs here isn't started again: the
    /// command's outcome settles the new delivery.
    private mutating func adopt(_ delivery: Delivery) -> Bool {
        guard let messageID = delivery.properties.messageID, delivery.redelivered else { return false }
        let match = running.first { _, job in
            job.session != session && job.delivery.properties.messageID == messageID
                && job.delivery.body == delivery.body
        }
        guard let match else { return false }
        running[match.key]?.delivery = delivery
        running[match.key]?.session = session
        return true
    }

    private mutating func startWaiting(_ now: Instant, _ actions: inout [Action]) {
        // A resting task keeps its place: otherwise failing tasks would pile up here, all of them held back.
        while case .working = phase, running.count + resting.count < settings.jobs,
            let delivery = waiting.popFirst()
        {
            lastJob += 1
            running[lastJob] = Job(delivery: delivery, session: session, started: now)
            actions.append(.report(.started(lastJob, delivery)))
            actions.append(.start(lastJob, delivery))
            if lastJob == settings.count { leave(&actions) }
        }
    }

    private mutating func ended(_ id: JobID, _ end: JobEnd, _ now: Instant, _ actions: inout [Action]) {
        guard let job = running.removeValue(forKey: id) else { return }
        emptyChecks.postpone(now)
        if case .unusable(let reason) = end {
            if isConnected(job) { actions.append(.giveBack(deliveryTag: job.delivery.deliveryTag)) }
            self.end(.commandUnusable(reason), &actions)
            return
        }
        let verdict = Verdict(of: end, wasInterrupted: job.wasInterrupted || isLeaving && end == .signalled(SIGTERM))
        actions.append(.report(.ended(id, job.delivery, end, verdict, elapsed: now - job.started)))
        switch verdict {
        case .acknowledge: pauseAfterFailure.reset()
        case .requeue, .giveBack: break
        }
        guard isConnected(job) else { return }
        switch verdict {
        case .acknowledge:
            actions.append(.acknowledge(deliveryTag: job.delivery.deliveryTag))
        case .giveBack:
            actions.append(.giveBack(deliveryTag: job.delivery.deliveryTag))
        case .requeue where isLeaving:
            actions.append(.requeue(deliveryTag: job.delivery.deliveryTag))
        case .requeue:
            resting.append((job.delivery, until: now + pauseAfterFailure.next()))
        }
    }

    /// Whether the job's delivery can still be settled: on the connection that brought it.
    private func isConnected(_ job: Job) -> Bool {
        session != nil && job.session == session
    }

    private var isLeaving: Bool {
        if case .working = phase { false } else { true }
    }
}

// MARK: - Time

extension WorkerState {
    private mutating func tick(_ now: Instant, _ actions: inout [Action]) {
        if case .down(let since, let retryAt) = link, retryAt <= now {
            link = .connecting(since: since)
            actions.append(.connect)
        }
        for rested in resting where rested.until <= now {
            actions.append(.requeue(deliveryTag: rested.delivery.deliveryTag))
            emptyChecks.postpone(now)
        }
        resting.removeAll { $0.until <= now }
        if case .leaving(let killAt?) = phase, killAt <= now {
            phase = .leaving(killAt: .never)
            actions += running.keys.sorted().map { .kill($0) }
        }
        if canCheckWhetherEmpty, emptyChecks.next <= now {
            emptyChecks.asked()
            actions.append(.countReady)
        }
    }

    private var canCheckWhetherEmpty: Bool {
        guard settings.leavesWhenEmpty, case .working = phase, case .consuming = link else { return false }
        return waiting.isEmpty && running.isEmpty && resting.isEmpty
    }
}

// MARK: - Leaving

extension WorkerState {
    private mutating func stopRequested(_ now: Instant, _ actions: inout [Action]) {
        switch phase {
        case .working:
            actions.append(.report(.leaving(running: running.count)))
            leave(&actions)
        case .leaving(killAt: nil):
            actions.append(.report(.interrupting(running: running.count)))
            interrupt(now, &actions)
        case .leaving, .finished: break
        }
    }

    /// Takes no more tasks and gives back those that haven't started.
    private mutating func leave(_ actions: inout [Action]) {
        guard case .working = phase else { return }
        phase = .leaving(killAt: nil)
        cancelConsumer(&actions)
        actions += waiting.map { .giveBack(deliveryTag: $0.deliveryTag) }
        actions += resting.map { .requeue(deliveryTag: $0.delivery.deliveryTag) }
        waiting = []
        resting = []
    }

    /// Ends what is running: TERM now, KILL later. Such tasks are given back, they haven't failed.
    private mutating func interrupt(_ now: Instant, _ actions: inout [Action]) {
        phase = .leaving(killAt: now + settings.killAfter)
        for id in running.keys.sorted() {
            running[id]?.wasInterrupted = true
            actions.append(.terminate(id))
        }
    }

    /// What wasn't printed goes back to the queue.
    private mutating func outputFailed(_ number: Int32, _ actions: inout [Action]) {
        end(.outputFailed(number), &actions)
        for (_, job) in running.sorted(by: { $0.key < $1.key }) where isConnected(job) {
            actions.append(.giveBack(deliveryTag: job.delivery.deliveryTag))
        }
        running = [:]
    }

    private mutating func end(_ reason: Ending, _ actions: inout [Action]) {
        if ending == .done { ending = reason }
        leave(&actions)
    }

    private mutating func leaveIfDone(_ actions: inout [Action]) {
        if canCheckWhetherEmpty, emptyChecks.provedEmpty { leave(&actions) }
        guard case .leaving = phase, running.isEmpty else { return }
        phase = .finished
        actions.append(.finish(ending))
    }
}
