// Where each task is: the one place that knows.

import Broker
import DequeModule
import Posix

/// The tasks that are here, each in exactly one stage. All are unacknowledged on the broker, which hands them to
/// another worker when this one dies. What is settled is no longer in the table. Pure.
struct TaskTable {
    /// Numbers the tasks of a worker in the order in which they came, from 1.
    typealias ID = Int

    struct Task {
        let id: ID
        fileprivate(set) var delivery: Delivery
        /// The connection that brought the delivery: only there it can be settled.
        fileprivate(set) var session: WorkerState.Session
        fileprivate(set) var stage: Stage
    }

    enum Stage {
        /// Not started.
        case waiting
        /// What a command works on, alone or with others in a batch.
        case running(WorkerState.JobID)
        /// A copy is on its way to another queue; once the broker has it, this task is acknowledged.
        case leaving(Departure)
        /// The copy couldn't be sent and is sent again later. Aside are those that others needn't wait for.
        case resting(Departure, until: Instant, isAside: Bool)
        /// Dealt with, but the connection that brought it is gone: the broker is told when it delivers the task once
        /// more.
        case unheard(Unheard, until: Instant)
    }

    /// A task on its way to another queue.
    struct Departure: Equatable {
        var copy: TaskCopy
        /// What has become of the task when the copy is there.
        var verdict: Verdict
    }

    enum Unheard {
        case outcome(Outcome)
        /// Its copy is still to be sent.
        case unsent(Departure)
        /// Its copy is where it should be.
        case copied(Verdict)
    }

    /// How a command has left a task.
    struct Outcome {
        var verdict: Verdict
        var end: JobEnd
        var output: CommandOutput
    }

    private var tasks: [ID: Task] = [:]
    private var lastID: ID = 0
    /// Those that wait, of each queue in the order in which they start.
    private var waiting: [Deque<ID>]
    private(set) var waitingCount = 0
    /// Those that came on a connection that is gone. They may come back.
    private var stranded: Set<ID> = []
    /// When those are due that rest or are unheard.
    private var dueTimes: [ID: Instant] = [:]
    /// How many copies are on their way.
    private(set) var leavingCount = 0
    /// How many tasks rest.
    private(set) var restingCount = 0
    /// How many tasks rest that others needn't wait for, and their bytes.
    private(set) var aside = (count: 0, bytes: 0)
    /// What all tasks here weigh.
    private(set) var bytes = 0

    init(queueCount: Int) {
        waiting = Array(repeating: [], count: queueCount)
    }

    var isEmpty: Bool { tasks.isEmpty }
    var strandedCount: Int { stranded.count }
    /// Whether all that is here is dealt with, though the broker hasn't heard of it.
    var isQuiet: Bool { waitingCount == 0 && leavingCount == 0 && restingCount == 0 }
    /// When the first is due that rests or is unheard.
    var nextDue: Instant { dueTimes.values.min() ?? .never }

    subscript(id: ID) -> Task? { tasks[id] }

    /// All tasks whose stage is of that kind, in their order.
    func ids(where matches: (Stage) -> Bool) -> [ID] {
        tasks.values.filter { matches($0.stage) }.map(\.id).sorted()
    }

    /// Those that are due by then, in their order.
    func due(by now: Instant) -> [ID] {
        dueTimes.filter { $0.value <= now }.keys.sorted()
    }

    /// Takes in what the broker has delivered; it waits.
    @discardableResult
    mutating func receive(_ delivery: Delivery, in session: WorkerState.Session) -> ID {
        lastID += 1
        tasks[lastID] = Task(id: lastID, delivery: delivery, session: session, stage: .waiting)
        waiting[delivery.queue].append(lastID)
        waitingCount += 1
        bytes += delivery.body.count
        return lastID
    }

    /// The task that is the first to start, of queues up to `last`: the earliest queue's.
    func firstWaiting(upTo last: Int = .max) -> Task? {
        for queue in waiting.indices.prefix(while: { $0 <= last }) {
            if let id = waiting[queue].first { return tasks[id] }
        }
        return nil
    }

    /// The tasks of a queue that are the first to start.
    func firstWaiting(_ count: Int, of queue: Int) -> [Task] { waiting[queue].prefix(count).compactMap { tasks[$0] } }

    func waitingCount(of queue: Int) -> Int { waiting[queue].count }

    mutating func move(_ id: ID, to stage: Stage) {
        guard let task = tasks[id] else { return }
        leave(task)
        tasks[id]?.stage = stage
        switch stage {
        case .waiting:
            let queue = task.delivery.queue
            waiting[queue].insert(id, at: waiting[queue].firstIndex { $0 > id } ?? waiting[queue].endIndex)
            waitingCount += 1
        case .running: break
        case .leaving: leavingCount += 1
        case .resting(_, let until, let isAside):
            restingCount += 1
            dueTimes[id] = until
            if isAside { aside = (aside.count + 1, aside.bytes + task.delivery.body.count) }
        case .unheard(_, let until): dueTimes[id] = until
        }
    }

    /// Forgets a task that is settled.
    @discardableResult
    mutating func remove(_ id: ID) -> Task? {
        guard let task = tasks.removeValue(forKey: id) else { return nil }
        leave(task)
        stranded.remove(id)
        bytes -= task.delivery.body.count
        return task
    }

    private mutating func leave(_ task: Task) {
        switch task.stage {
        case .waiting:
            // As a rule the first.
            if let index = waiting[task.delivery.queue].firstIndex(of: task.id) {
                waiting[task.delivery.queue].remove(at: index)
                waitingCount -= 1
            }
        case .running: break
        case .leaving: leavingCount -= 1
        case .resting(_, _, let isAside):
            restingCount -= 1
            dueTimes[task.id] = nil
            if isAside { aside = (aside.count - 1, aside.bytes - task.delivery.body.count) }
        case .unheard: dueTimes[task.id] = nil
        }
    }

    /// The connection is gone that brought what is here. What hasn't started the broker gives to somebody; the others
    /// it delivers once more, here or elsewhere.
    mutating func strand() {
        for queue in waiting.indices {
            for id in waiting[queue] { bytes -= tasks.removeValue(forKey: id)?.delivery.body.count ?? 0 }
            waiting[queue] = []
        }
        waitingCount = 0
        stranded = Set(tasks.keys)
    }

    /// Waits no longer than that for tasks to return that are dealt with.
    mutating func hasten(by limit: Instant) {
        for (id, due) in dueTimes where due > limit {
            if case .unheard(let unheard, _)? = tasks[id]?.stage { move(id, to: .unheard(unheard, until: limit)) }
        }
    }

    /// Lets tasks that rest wait for their return: whoever gets them meanwhile tries them.
    mutating func rouse(until: Instant) {
        for (id, task) in tasks {
            if case .resting(let departure, _, _) = task.stage {
                move(id, to: .unheard(.unsent(departure), until: until))
            }
        }
    }

    /// The task that a delivery brings back: it was here when its connection was lost. From now on the new delivery is
    /// to be settled.
    mutating func adopt(_ delivery: Delivery, in session: WorkerState.Session) -> Task? {
        guard !stranded.isEmpty, delivery.redelivered, let messageID = delivery.properties.messageID else { return nil }
        let found = stranded.first {
            guard let known = tasks[$0]?.delivery else { return false }
            return known.properties.messageID == messageID && known.queue == delivery.queue
                && known.body == delivery.body
        }
        guard let id = found else { return nil }
        stranded.remove(id)
        tasks[id]?.delivery = delivery
        tasks[id]?.session = session
        return tasks[id]
    }
}
