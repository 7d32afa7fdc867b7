// Decides everything that a worker does, without doing any of it.

import Broker
import Posix

/// A worker's decisions as a pure state machine: it takes events and returns actions, and knows no clock, no socket and
/// no process.
///
/// It is put together from the table of tasks, the commands that work on them, the connection, and the phase. Counts,
/// idleness, deadlines and the consumer that is wanted are derived from these.
package struct WorkerState {
    /// Numbers the tasks of a worker in the order in which they came, from 1.
    package typealias TaskID = Int
    /// Numbers the commands of a worker by the tasks that have started, from 1; a batch has the number of its first
    /// task.
    package typealias JobID = Int
    /// Numbers the connections of a worker, from 1. A delivery tag is valid only in the session that brought it.
    package typealias Session = Int

    /// A running command.
    struct Command {
        var first: TaskID
        /// The other tasks of a batch: they share the command, and are settled each by itself.
        var others: [TaskID] = []
        var started: Instant
        var wasInterrupted = false
        /// When the command is told to end, and later killed.
        var deadline = Instant.never
        var hasTimedOut = false

        init(first: TaskID, started: Instant) {
            self.first = first
            self.started = started
        }

        /// Its tasks, in their order.
        var ids: [TaskID] { [first] + others }
    }

    /// How long an idle worker waits before it says so.
    static let notableIdleness = Duration.seconds(10)

    let settings: Settings
    var tasks: TaskTable
    /// Who goes first; nil for a single queue.
    var precedence: Precedence?
    var commands: [JobID: Command] = [:]
    var connectivity: Connectivity
    var phase = Phase.working(isPaused: false)
    var ending = Ending.done
    /// How many tasks have started, of those that `Settings.count` counts.
    var started = 0
    var lastJob: JobID = 0
    /// No command starts before: the system was short of something.
    var startsAfter = Instant(nanoseconds: 0)
    private var pace: Pace?
    /// When what is waiting of each queue starts although the batch isn't full.
    var batchDue: [Instant]
    var pauseAfterFailure = FailurePause()
    var drainCheck = DrainCheck()
    var hasToldIdleness = false
    var hasToldSilence = false
    /// When a signal last told the worker to leave.
    var lastStop: Instant?
    let maximumTimeEnd: Instant
    var lastActivity: Instant
    /// When commands are ended that still run although the worker leaves.
    var graceEnd = Instant.never
    /// When a worker that leaves waits no longer for the broker.
    var settleBy = Instant.never
    /// How many tasks of each queue ended how.
    var tallies: [Tally]

    package init(
        settings: Settings, now: Instant, generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.settings = settings
        tasks = TaskTable(queueCount: settings.queues.count)
        precedence = settings.queues.count > 1 ? Precedence(queueCount: settings.queues.count) : nil
        batchDue = Array(repeating: .never, count: settings.queues.count)
        tallies = Array(repeating: Tally(), count: settings.queues.count)
        connectivity = Connectivity(now: now, generator: generator)
        pace = settings.pace
        lastActivity = now
        maximumTimeEnd = settings.maximumTime.map { now + $0 } ?? .never
    }

    /// How many commands are running.
    package var runningCount: Int { commands.count }
    /// How many tasks are here that only wait for a place.
    var waitingCount: Int {
        guard let last = precedence?.last else { return tasks.waitingCount }
        return (0...last).reduce(0) { $0 + tasks.waitingCount(of: $1) }
    }
    /// How many tasks ended how.
    package var tally: Tally { tallies.count == 1 ? tallies[0] : tallies.reduce(Tally(), +) }
    /// What all tasks here weigh, in bytes.
    var bytes: Int { tasks.bytes }
    /// Whether a signal told the worker to leave.
    package var wasStopped: Bool { lastStop != nil }

    var isWorking: Bool {
        if case .working = phase { true } else { false }
    }

    var isIdle: Bool { commands.isEmpty && tasks.isQuiet }

    /// When `tick` is due, `never` when nothing waits for time to pass.
    package var nextDeadline: Instant {
        var deadline = min(tasks.nextDue, connectivity.retryAt, idlenessDue, silenceDue)
        if canCheckWhetherEmpty { deadline = min(deadline, drainCheck.next, drainCheck.askedAt + Self.answerTime) }
        // Without a time limit no command has a deadline, and those that print tasks may be many.
        if settings.timeout != nil { for command in commands.values { deadline = min(deadline, command.deadline) } }
        switch phase {
        case .working(let isPaused):
            if !isPaused, tasks.waitingCount > 0, hasFreePlace {
                deadline = min(deadline, max(nextStart, nextChoice))
            }
            return min(deadline, maximumTimeEnd, idleEnd)
        case .leaving(.gentle): return min(deadline, graceEnd, settleBy)
        case .leaving(.ending(let killAt)): return min(deadline, killAt, settleBy)
        case .leaving(.killed), .finished: return min(deadline, settleBy)
        }
    }

    /// Before this no task or batch starts.
    private var nextStart: Instant {
        guard let pace else { return startsAfter }
        return max(startsAfter, pace.next)
    }

    /// When the first of the tasks that are here may start, as far as their queues are concerned.
    private var nextChoice: Instant {
        var (first, free) = (Instant.never, Instant(nanoseconds: 0))
        for queue in settings.queues.indices {
            if tasks.waitingCount(of: queue) > 0 {
                first = min(first, settings.batching == nil ? free : max(free, batchDue[queue]))
            }
            free = max(free, precedence?.freeFrom(queue) ?? free)
        }
        return first
    }

    /// Whether tasks that are here may start.
    func mayStart(_ now: Instant) -> Bool {
        phase == .working(isPaused: false) && nextStart <= now
    }

    /// So many tasks start together.
    mutating func noteStart(of count: Int, _ now: Instant) {
        started += count
        lastJob += count
        pace?.went(now)
    }

    /// When the worker leaves for lack of work.
    var idleEnd: Instant {
        guard let idleTimeout = settings.idleTimeout, isIdle, phase == .working(isPaused: false) else { return .never }
        return lastActivity + idleTimeout
    }

    /// When it is worth telling that no task comes.
    var idlenessDue: Instant {
        guard settings.tellsIdleness, !hasToldIdleness, isIdle, connectivity.isConsuming else { return .never }
        return lastActivity + Self.notableIdleness
    }

    /// Takes an event and returns what is to be done about it, in order.
    package mutating func handle(_ event: Event, now: Instant) -> [Action] {
        if phase == .finished { return [] }
        precedence?.now = now
        var actions: [Action] = []
        switch event {
        case .connected: connected(now, &actions)
        case .connectionLost(let error): connectionLost(error, now, &actions)
        case .consuming: consuming(now)
        case .consumerStopped: consumerStopped()
        case .queueCreated(let queue): actions.append(.report(.queueCreated(queue)))
        case .delivered(let delivery): delivered(delivery, now, &actions)
        case .ended(let job, let end, let output): ended(job, end, output, now, &actions)
        case .outputDelayed(let job): commands[job]?.deadline = .never
        case .readyCount(let count): drainCheck.answered(ready: count, now)
        case .copyConfirmed(let id): copyConfirmed(id, now, &actions)
        case .copyFailed(let id, let isRefused): copyFailed(id, isRefused: isRefused, now, &actions)
        case .copyUnfit(let id): copyUnfit(id, now, &actions)
        case .answerReturned(let id): answerReturned(id, now, &actions)
        case .refused(let error): end(.brokerFailed(error), now, &actions)
        case .outputFailed(let number): outputFailed(number, now, &actions)
        case .stopRequested: stopRequested(now, &actions)
        case .pauseRequested: pause(&actions)
        case .resumeRequested: resume(now, &actions)
        case .statusRequested: actions.append(.report(.status(status)))
        case .tick: tick(now, &actions)
        }
        startWaiting(now, &actions)
        goOnLeaving(now, &actions)
        adjustConsumer(now, &actions)
        return actions
    }

    var status: Status {
        Status(
            isConnected: connectivity.session != nil, isPaused: phase == .working(isPaused: true),
            waiting: tasks.waitingCount, running: commands.count, held: tasks.leavingCount + tasks.restingCount,
            tally: tally)
    }

    /// The same of one of several queues.
    package func status(ofQueue queue: Int) -> Status {
        func count(_ matches: (TaskTable.Stage) -> Bool) -> Int {
            tasks.ids(where: matches).count(where: { tasks[$0]?.delivery.queue == queue })
        }
        var status = status
        status.waiting = tasks.waitingCount(of: queue)
        status.running = commands.values.count(where: { tasks[$0.first]?.delivery.queue == queue })
        status.held = count { stage in
            switch stage {
            case .leaving, .resting: true
            case .waiting, .running, .unheard: false
            }
        }
        status.tally = tallies[queue]
        return status
    }
}
