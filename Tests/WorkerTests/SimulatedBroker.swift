// A broker with a queue or several, and the system that runs commands, both as simple as can be. It watches the worker.

import Broker
import Posix
import TestSupport

@testable import Worker

/// Quorum queues or classic ones, with whatever may happen to a worker on it.
struct SimulatedBroker {
    /// A message as the broker has it: a copy is another one of the same task.
    private struct Message: Equatable {
        var task: Int
        /// How often it came back, on a quorum queue.
        var count = 0
        var wasDelivered = false
        var attempt = 1
        /// How often it had come back when it was put back to be watched.
        var returns: Int32?
    }

    private enum Place: Equatable {
        case waiting
        case running(Int)
        case ended
    }

    private struct Unsettled {
        var message: Message
        var place = Place.waiting
        var consumer: Int
        /// Whether the worker can't have had it before.
        var isFirst: Bool
    }

    private(set) var faults: [String] = []
    private(set) var hasFinished = false
    /// Which situations came up.
    private(set) var reached: Set<String> = []

    private var generator: SeededGenerator
    private var state: WorkerState
    private var now = Instant(nanoseconds: 1_000_000_000)
    private let settings: WorkerState.Settings
    /// nil for a classic queue.
    private let deliveryLimit: Int?
    private let taskCount: Int
    private let queueCount: Int

    private var ready: [Message]
    private var dead: Set<Int> = []
    /// Dropped over the delivery limit because connections were lost, for which the worker can do nothing.
    private var dropped: Set<Int> = []
    private var hasSucceeded: Set<Int> = []
    /// Copies without an answer, by the worker's number of the task; they don't go with the consumer's connection.
    private var copies: [(id: Int, copy: TaskCopy)] = []
    private var copied: Set<Int> = []
    /// What the broker waits to hear about in this session, by delivery tag.
    private var unsettled: [UInt64: Unsettled] = [:]
    private var lastTag: UInt64 = 0
    private var isConnected = false
    private var isConnecting = true
    private var consumer = 0
    /// nil while nothing is delivered.
    private var prefetch: Int?
    /// Whether the worker has ended the consumer, though the broker may not know yet, and what that may still get: what
    /// is acknowledged after the consumer's end is no room for it.
    private var isEnding = false
    private var endingCredit = 0
    /// What the broker hasn't said yet of the consumer.
    private var answers: [WorkerState.Event] = []
    private var wasStopped = false
    private var hasKilled = false
    private var isAskedForCount = false
    /// The tasks of each running job.
    private var running: [Int: [Int]] = [:]

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var settings = WorkerState.Settings()
        queueCount = max(1, Int.random(in: -2...3, using: &generator))
        settings.queues = (0..<queueCount).map(String.init)
        settings.jobs = Int.random(in: 1...4, using: &generator)
        settings.mode = Bool.random(using: &generator) ? .print : .run
        settings.leavesWhenEmpty = Bool.random(using: &generator)
        settings.count = Int.random(in: 0..<4, using: &generator) == 0 ? Int.random(in: 1...10, using: &generator) : nil
        settings.retryFor = Bool.random(using: &generator) ? .seconds(20) : nil
        settings.killAfter = .seconds(1)
        settings.retries.maximumAttempts = 3
        let batchSize = settings.mode == .print ? 1 : Int.random(in: 1...3, using: &generator)
        if batchSize > 1 {
            settings.batching = Batching(size: batchSize, wait: .milliseconds(20), separator: UInt8(ascii: "\n"))
        }
        settings.prefetch = settings.jobs * batchSize + Int.random(in: 0...5, using: &generator)
        deliveryLimit = Bool.random(using: &generator) ? Int.random(in: 1...8, using: &generator) : nil
        taskCount = Int.random(in: 1...20, using: &generator)
        ready = (1...taskCount).map { Message(task: $0) }
        state = WorkerState(settings: settings, now: now, generator: SeededGenerator(seed: seed))
        self.settings = settings
        self.generator = generator
    }

    /// A life of any length, and its end.
    mutating func live() {
        for _ in 0..<Int.random(in: 20...300, using: &generator) where !hasFinished { step() }
        windDown()
        let here = ready.map(\.task) + unsettled.values.map(\.message.task)
        let lost = Set(1...taskCount).subtracting(here).subtracting(dead).subtracting(hasSucceeded).subtracting(dropped)
        if !lost.isEmpty { faults.append("lost \(lost.sorted())") }
    }

    /// Lets something happen that can happen.
    private mutating func step() {
        guard !isConnecting else { return answerConnect(succeeds: Int.random(in: 0..<4, using: &generator) > 0) }
        switch Int.random(in: 0..<110, using: &generator) {
        case 0..<30: deliver()
        case 30..<55: endSomeJob()
        case 55..<65: answerSomeCopy()
        case 65..<80: answer()
        case 80..<99: tick()
        case 99..<104: lose()
        case 104: take(Bool.random(using: &generator) ? .pauseRequested : .resumeRequested)
        case 105: take(.resumeRequested)
        case 106 where Int.random(in: 0..<4, using: &generator) == 0: stop()
        case 107 where isConnected && Int.random(in: 0..<10, using: &generator) == 0:
            reached.insert("refused")
            take(.refused(WorkerTranscript.error(.accessRefused)))
        case 108 where Int.random(in: 0..<10, using: &generator) == 0:
            reached.insert("output failed")
            take(.outputFailed(5))
        default: break
        }
    }

    /// Stops the worker once or twice and plays everything to its end.
    private mutating func windDown() {
        for round in 0..<600 where !hasFinished {
            if isConnecting { answerConnect(succeeds: true) }
            if round == 0 || round == 2 && Bool.random(using: &generator) { stop() }
            answer()
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: endSomeJob()
            case 1: answerSomeCopy()
            case 2: deliver()
            default: tick()
            }
        }
    }

    // MARK: - Events

    private mutating func deliver() {
        let queues = Set(ready.map { queue(of: $0.task) }).sorted()
        guard isConnected, let prefetch, let queue = queues.randomElement(using: &generator),
            let next = ready.firstIndex(where: { self.queue(of: $0.task) == queue })
        else { return }
        if isEnding {
            guard endingCredit > 0, Bool.random(using: &generator) else { return }
            endingCredit -= 1
        }
        guard prefetch == 0 || credit(of: queue) > 0 else { return }
        var message = ready.remove(at: next)
        lastTag += 1
        let isRedelivered = message.wasDelivered
        message.wasDelivered = true
        if running.count >= settings.jobs { reached.insert("waiting") }
        unsettled[lastTag] = Unsettled(message: message, consumer: consumer, isFirst: !isRedelivered)
        let count = deliveryLimit != nil && message.count > 0 ? Int64(message.count) : nil
        var delivery = WorkerTranscript.delivery(
            lastTag, id: "\(message.task)", redelivered: isRedelivered,
            attempt: message.attempt > 1 ? Int32(message.attempt) : nil, count: count, returns: message.returns)
        delivery.queue = queue
        take(.delivered(delivery))
    }

    /// The queue that a task is on, as all of its copies.
    private func queue(of task: Int) -> Int { task % queueCount }

    /// How many more deliveries the consumer of a queue may hold.
    private func credit(of queue: Int) -> Int {
        (prefetch ?? 0)
            - unsettled.values.count(where: { $0.consumer == consumer && self.queue(of: $0.message.task) == queue })
    }

    private mutating func endSomeJob() {
        guard let job = running.keys.sorted().randomElement(using: &generator), let tasks = running[job] else {
            return
        }
        let end: JobEnd =
            switch Int.random(in: 0..<60, using: &generator) {
            case 0: .unusable("gone")
            case 1..<6: .notStarted("no processes")
            case 6..<12: .signalled(15)
            case 12..<25: .exited(1)
            default: .exited(0)
            }
        if end == .unusable("gone") { reached.insert("unusable") }
        if end == .exited(0) { hasSucceeded.formUnion(tasks) }
        running[job] = nil
        let tags = unsettled.filter { $0.value.place == .running(job) }.keys
        if case .notStarted = end {
            for tag in tags { unsettled[tag]?.place = .waiting }
        } else {
            for tag in tags { unsettled[tag]?.place = .ended }
        }
        if tags.count < tasks.count { reached.insert("stale end") }
        take(.ended(job, end))
    }

    private mutating func answerSomeCopy() {
        guard let index = copies.indices.randomElement(using: &generator) else { return }
        let (id, copy) = copies.remove(at: index)
        guard Int.random(in: 0..<4, using: &generator) > 0 else {
            reached.insert("copy failed")
            let isRefused = Bool.random(using: &generator)
            // Such a task is tried all the same, unless its connection is gone.
            if isRefused, case .watched = copy.fate, let task = state.tasks[id], state.isConnected(task) {
                unsettled[task.delivery.deliveryTag]?.place = .waiting
            }
            return take(.copyFailed(id, isRefused: isRefused))
        }
        reached.insert("copied")
        let task = Self.task(copy.delivery)
        copied.insert(task)
        switch copy.fate {
        case .deadLetter: dead.insert(task)
        case .watched(let returns):
            reached.insert("watched")
            ready.append(Message(task: task, attempt: copy.attempt, returns: Int32(returns)))
        case .back:
            let returns = TaskCopy.isWatched(copy.delivery) ? Int32(settings.retries.trustedReturns) : nil
            ready.append(Message(task: task, attempt: copy.attempt, returns: returns))
        default: ready.append(Message(task: task, attempt: copy.attempt))
        }
        take(.copyConfirmed(id))
    }

    private mutating func answer() {
        guard isConnected, !answers.isEmpty else { return }
        let answer = answers.removeFirst()
        if case .consumerStopped = answer { (prefetch, isEnding) = (nil, false) }
        take(answer)
    }

    private mutating func tick() {
        if state.nextDeadline < .never { now = max(now, state.nextDeadline) }
        take(.tick)
    }

    private mutating func lose() {
        guard isConnected else { return }
        reached.insert("lost")
        if !copies.isEmpty { reached.insert("lost with copies under way") }
        isConnected = false
        (prefetch, isEnding) = (nil, false)
        answers = []
        let back = unsettled.sorted { $0.key < $1.key }.map(\.value.message)
        unsettled = [:]
        for message in back.reversed() { putBack(message, byWorker: false) }
        take(.connectionLost(WorkerTranscript.error()))
    }

    /// A message comes back; a quorum queue drops one that has come back too often.
    private mutating func putBack(_ message: Message, byWorker: Bool) {
        var message = message
        message.count += 1
        if let deliveryLimit, message.count > deliveryLimit {
            dropped.insert(message.task)
            if byWorker { faults.append("task \(message.task) is given back until it is dropped") }
        } else {
            ready.insert(message, at: 0)
        }
    }

    private mutating func answerConnect(succeeds: Bool) {
        isConnecting = false
        guard succeeds else { return take(.connectionLost(WorkerTranscript.error(.unreachable))) }
        isConnected = true
        lastTag = 0
        take(.connected)
    }

    private mutating func stop() {
        wasStopped = true
        take(.stopRequested)
        now = now + .seconds(1)
    }

    // MARK: - Actions

    private mutating func take(_ event: WorkerState.Event) {
        // What is being printed is given back when printing fails, or takes too long at the end.
        let mayEndRunning: Bool
        let mayAbandon: Bool
        switch event {
        case .outputFailed: (mayEndRunning, mayAbandon) = (settings.mode == .print, false)
        case .tick: (mayEndRunning, mayAbandon) = (settings.mode == .print, true)
        // A worker that has killed its commands doesn't wait for them when it is told to leave once more.
        case .stopRequested: (mayEndRunning, mayAbandon) = (settings.mode == .print || hasKilled, true)
        case .copyFailed: (mayEndRunning, mayAbandon) = (false, true)
        default: (mayEndRunning, mayAbandon) = (false, false)
        }
        now = now + .milliseconds(1)
        let wasWorking = state.isWorking
        for action in state.handle(event, now: now) {
            if hasFinished { faults.append("\(action) after the end") }
            if case .delivered = event, wasWorking, state.isWorking {
                switch action {
                case .giveBack: faults.append("takes more than it may")
                default: break
                }
            }
            perform(action, mayEndRunning: mayEndRunning, mayAbandon: mayAbandon)
        }
        // Printed tasks have no process that could end later, and may be given back later: by copies that fail.
        if mayEndRunning, state.runningCount == 0 {
            running = [:]
            for (tag, delivery) in unsettled where delivery.place != .waiting { unsettled[tag]?.place = .ended }
        }
        if running.count != state.runningCount { faults.append("\(state.runningCount) running") }
        if isAskedForCount {
            isAskedForCount = false
            take(.readyCount(ready.count))
        }
    }

    private mutating func perform(_ action: WorkerState.Action, mayEndRunning: Bool, mayAbandon: Bool) {
        switch action {
        case .connect:
            if isConnected { faults.append("connects twice") }
            isConnecting = true
        case .start(let job, let delivery): start(job, [delivery])
        case .startBatch(let job, let deliveries):
            if deliveries.count > 1 { reached.insert("batch") }
            start(job, deliveries)
        case .acknowledge(let tag): acknowledge(tag)
        case .copy(let id, let copy):
            if copies.contains(where: { $0.id == id }) { faults.append("copies task \(id) twice at once") }
            if copy.fate == .back { reached.insert("given back by a copy") }
            copies.append((id, copy))
            let tag = copy.delivery.deliveryTag
            // The tag may be of an earlier session.
            if unsettled[tag]?.place == .waiting, unsettled[tag]?.message.task == Self.task(copy.delivery) {
                unsettled[tag]?.place = .ended
            }
        case .reject: faults.append("rejects, which nobody asked for")
        case .giveBack(let tag):
            reached.insert("giveBack")
            if let message = settle(tag, mayEndRunning: mayEndRunning) { putBack(message, byWorker: !mayAbandon) }
        case .startConsumer(let count):
            if prefetch != nil { faults.append("consumes twice") }
            consumer += 1
            prefetch = count
            answers.append(.consuming)
        case .cancelConsumer:
            if prefetch == nil || isEnding { faults.append("ends a consumer twice") }
            // Until the broker has heard of it, and so before its answer, deliveries still come.
            (isEnding, endingCredit) = (true, prefetch == 0 ? 3 : (0..<queueCount).reduce(0) { $0 + credit(of: $1) })
            answers.append(.consumerStopped)
        case .countReady: isAskedForCount = true
        case .terminate(let job), .kill(let job):
            reached.insert(action == .kill(job) ? "kill" : "terminate")
            if action == .kill(job) { hasKilled = true }
            if running[job] == nil { faults.append("signals job \(job), which isn't running") }
        case .report(.cameBack(let job, let delivery)):
            reached.insert("adopted")
            unsettled[delivery.deliveryTag]?.place = .running(job)
        case .report(.settledLate(let delivery, _)):
            reached.insert("settled late")
            unsettled[delivery.deliveryTag]?.place = .ended
        case .finish(let ending): finish(ending, mayEndRunning: mayEndRunning)
        case .report: break
        }
    }

    private mutating func start(_ job: Int, _ deliveries: [Delivery]) {
        if running.count >= settings.jobs { faults.append("more than \(settings.jobs) jobs") }
        if Set(deliveries.map(\.queue)).count > 1 { faults.append("a batch of several queues") }
        let queue = deliveries.first?.queue ?? 0
        if unsettled.values.contains(where: { self.queue(of: $0.message.task) > queue && $0.place == .waiting }) {
            reached.insert("first of an earlier queue")
        }
        let isOvertaking = unsettled.values.contains {
            $0.isFirst && $0.place == .waiting && self.queue(of: $0.message.task) < queue
        }
        if isOvertaking, settings.batching == nil {
            faults.append("starts a task of queue \(queue) before one of an earlier queue")
        }
        for delivery in deliveries {
            guard let found = unsettled[delivery.deliveryTag], found.place == .waiting else {
                return faults.append("starts delivery \(delivery.deliveryTag), which isn't waiting")
            }
            running[job, default: []].append(found.message.task)
            unsettled[delivery.deliveryTag]?.place = .running(job)
        }
    }

    private mutating func acknowledge(_ tag: UInt64) {
        reached.insert("acknowledge")
        guard let message = settle(tag, mayEndRunning: false) else { return }
        if !hasSucceeded.contains(message.task), !copied.contains(message.task) {
            faults.append("task \(message.task) is acknowledged without success")
        }
    }

    /// The message that a settled delivery held; nil, and a fault, when it can't be settled.
    private mutating func settle(_ tag: UInt64, mayEndRunning: Bool) -> Message? {
        guard isConnected, let found = unsettled.removeValue(forKey: tag) else {
            faults.append("settles \(tag), which isn't outstanding")
            return nil
        }
        if case .running = found.place, !mayEndRunning { faults.append("settles \(tag), which is running") }
        return found.message
    }

    private mutating func finish(_ ending: WorkerState.Ending, mayEndRunning: Bool) {
        hasFinished = true
        if !running.isEmpty, !mayEndRunning { faults.append("ends while jobs run") }
        if isConnected, !unsettled.isEmpty { faults.append("ends with \(unsettled.count) deliveries unsettled") }
        guard settings.leavesWhenEmpty, settings.count == nil, !wasStopped, ending == .done else { return }
        reached.insert("drained")
        if !ready.isEmpty { faults.append("leaves before the queue is empty") }
    }

    private static func task(_ delivery: Delivery) -> Int {
        delivery.properties.messageID.flatMap { Int($0.description) } ?? 0
    }
}
