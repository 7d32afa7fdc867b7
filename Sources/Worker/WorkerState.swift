// Decides everything that a worker does, without doing any of it.

import Broker
import DequeModule
import Posix

/// A worker's decisions as a pure state machine: it takes events and returns actions, and knows no clock, no socket and
/// no process.
///
/// A delivery is waiting (delivered, not started), running, departing (a copy is on its way to another queue), or resting
/// (held back for a while before it goes back). All are unacknowledged on the broker, which hands them to another worker
/// when this one dies.
package struct WorkerState {
    /// Numbers the jobs of a worker, from 1.
    package typealias JobID = Int
    /// Numbers the connections of a worker, from 1. A delivery tag is valid only in the session that brought it.
    package typealias Session = Int

    struct Job {
        var delivery: Delivery
        var session: Session?
        var started: Instant
        var wasInterrupted = false
        /// When the command is told to end, and later killed.
        var deadline = Instant.never
        var hasTimedOut = false
        /// The other tasks of a batch: they share the command, and are settled each by itself. Their ids follow this one's.
        var followers: [Job] = []
        /// What the command has written for whoever waits for an answer.
        var answer: [UInt8]?
    }

    enum Link {
        /// To be connected at `retryAt`; `since` is when the connection was lost.
        case down(since: Instant, retryAt: Instant)
        case connecting(since: Instant)
        case consuming
        /// Connected, but no more deliveries are wanted.
        case cancelled
    }

    enum Phase {
        case working
        /// Take no more; `killAt` is set once commands are being ended.
        case leaving(killAt: Instant?)
        case finished
    }

    /// How long an idle worker waits before it says so.
    static let notableIdleness = Duration.seconds(10)

    let settings: Settings
    var link: Link
    var phase = Phase.working
    /// nil while there is no connection: then nothing can be settled.
    var session: Session?
    var lastSession: Session = 0
    var connectedSince: Instant?
    /// Why there is no connection, as it was last told.
    var toldError: BrokerError?
    var hasToldIdleness = false
    var waiting: Deque<Delivery> = []
    /// When what is waiting starts although the batch isn't full.
    var batchDue = Instant.never
    var running: [JobID: Job] = [:]
    /// Those among them whose task was delivered on a connection that is gone, so that it may come back.
    var stranded: Set<JobID> = []
    /// With the copy that is on its way, or is to be sent again.
    var departing: [JobID: (job: Job, copy: TaskCopy)] = [:]
    /// What is to be done later, for tasks that keep their place until then.
    var resting: [(settlement: Action, until: Instant)] = []
    var lastJob: JobID = 0
    var pauseAfterFailure = FailurePause()
    var backoff = ReconnectBackoff()
    var emptyChecks = EmptyChecks()
    var generator: any RandomNumberGenerator
    var ending = Ending.done
    var isPaused = false
    let maximumTimeEnd: Instant
    var lastActivity: Instant
    var graceEnd = Instant.never
    package internal(set) var tally = Tally()
    /// Whether a signal told the worker to leave.
    package internal(set) var wasStopped = false

    package init(
        settings: Settings, now: Instant, generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.settings = settings
        self.generator = generator
        link = .connecting(since: now)
        lastActivity = now
        maximumTimeEnd = settings.maximumTime.map { now + $0 } ?? .never
    }

    /// How many commands are running.
    package var runningCount: Int { running.count }
    /// How many tasks are here unstarted.
    var waitingCount: Int { waiting.count }

    /// When `tick` is due, `never` when nothing waits for time to pass.
    package var nextDeadline: Instant {
        var deadline = resting.map(\.until).min() ?? .never
        if case .down(_, let retryAt) = link { deadline = min(deadline, retryAt) }
        if case .leaving(let killAt?) = phase { deadline = min(deadline, killAt) }
        if canCheckWhetherEmpty { deadline = min(deadline, emptyChecks.next) }
        deadline = min(deadline, nextBatch, idlenessDue)
        // Without a time limit no command has a deadline, and those that print tasks may be many.
        if settings.timeout != nil { for job in running.values { deadline = min(deadline, job.deadline) } }
        switch phase {
        case .working: return min(deadline, maximumTimeEnd, idleEnd)
        case .leaving(killAt: nil): return min(deadline, graceEnd)
        case .leaving, .finished: return deadline
        }
    }

    /// When the worker leaves for lack of work.
    var idleEnd: Instant {
        guard let idleTimeout = settings.idleTimeout, isIdle, case .consuming = link else { return .never }
        return lastActivity + idleTimeout
    }

    /// When it is worth telling that no task comes.
    var idlenessDue: Instant {
        guard settings.tellsIdleness, !hasToldIdleness, isIdle, case .consuming = link else { return .never }
        return lastActivity + Self.notableIdleness
    }

    /// Tasks that are held back; a copy that rests is among those departing.
    var heldCount: Int {
        departing.count + resting.count { if case .copy = $0.settlement { false } else { true } }
    }

    /// Whether another command may start. A task that is held back keeps its place: otherwise failing tasks would pile up
    /// here.
    var hasFreePlace: Bool { running.count + heldCount < settings.jobs && !isFirstMoveOpen }

    var isIdle: Bool {
        waiting.isEmpty && running.isEmpty && departing.isEmpty && resting.isEmpty
    }

    /// Takes an event and returns what is to be done about it, in order.
    package mutating func handle(_ event: Event, now: Instant) -> [Action] {
        if case .finished = phase { return [] }
        var actions: [Action] = []
        switch event {
        case .connected: connected(now, &actions)
        case .connectionLost(let error): connectionLost(error, now, &actions)
        case .delivered(let delivery): delivered(delivery, now, &actions)
        case .ended(let job, let end): ended(job, end, now, &actions)
        case .outputDelayed(let job): running[job]?.deadline = .never
        case .answered(let job, let answer): running[job]?.answer = answer
        case .readyCount(let count): emptyChecks.answered(ready: count, now)
        case .copyConfirmed(let job): copyConfirmed(job, now, &actions)
        case .copyFailed(let job): copyFailed(job, now, &actions)
        case .answerReturned(let job): answerReturned(job, now, &actions)
        case .refused(let error): end(.brokerFailed(error), &actions)
        case .outputFailed(let number): outputFailed(number, now, &actions)
        case .stopRequested: stopRequested(now, &actions)
        case .pauseRequested: pause(&actions)
        case .resumeRequested: resume(now, &actions)
        case .statusRequested: actions.append(.report(.status(status)))
        case .tick: tick(now, &actions)
        }
        startWaiting(now, &actions)
        leaveIfDone(&actions)
        boundLeaving(now)
        return actions
    }

    /// Sees to it that leaving ends: commands have their grace, and copies that nobody confirms, as under an alarm, are
    /// waited for as long as commands that are told to end.
    private mutating func boundLeaving(_ now: Instant) {
        guard case .leaving(killAt: nil) = phase else { return }
        if graceEnd == .never, let grace = settings.grace { graceEnd = now + grace }
        if running.isEmpty, !departing.isEmpty { phase = .leaving(killAt: now + settings.killAfter) }
    }

    var status: Status {
        Status(
            isConnected: session != nil, isPaused: isPaused, waiting: waiting.count, running: running.count,
            held: heldCount, tally: tally)
    }
}
