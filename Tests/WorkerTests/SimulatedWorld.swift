// A worker's life: whatever may happen to it.

import Broker
import Posix
import TestSupport

@testable import Worker

/// A broker and the system that runs commands, both as simple as can be, around a worker that is watched.
struct SimulatedWorld {
    var faults: [String] = []
    var hasFinished = false
    /// Which situations came up.
    var reached: Set<String> = []

    private var generator: SeededGenerator
    var state: WorkerState
    var now = Instant(nanoseconds: 1_000_000_000)
    let settings: WorkerState.Settings
    private let taskCount: Int

    var broker: SimulatedBroker
    private var dead: Set<Int> = []
    var hasSucceeded: Set<Int> = []
    /// Copies without an answer, by the worker's number of the task; they don't go with the consumer's connection.
    var copies: [(id: Int, copy: TaskCopy)] = []
    var copied: Set<Int> = []
    var isConnecting = true
    var wasStopped = false
    var hasKilled = false
    var isAskedForCount = false
    /// The tasks of each running job.
    var running: [Int: [Int]] = [:]

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var settings = WorkerState.Settings()
        let queueCount = max(1, Int.random(in: -2...3, using: &generator))
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
        let deliveryLimit = Bool.random(using: &generator) ? Int.random(in: 1...8, using: &generator) : nil
        taskCount = Int.random(in: 1...20, using: &generator)
        broker = SimulatedBroker(queues: queueCount, deliveryLimit: deliveryLimit, tasks: 1...taskCount)
        state = WorkerState(settings: settings, now: now, generator: SeededGenerator(seed: seed))
        self.settings = settings
        self.generator = generator
    }

    /// A life of any length, and its end.
    mutating func live() {
        for _ in 0..<Int.random(in: 20...300, using: &generator) where !hasFinished { step() }
        windDown()
        let here = broker.ready.map(\.task) + broker.unsettled.values.map(\.message.task)
        // Nothing can be done for what is dropped because connections were lost.
        let lost = Set(1...taskCount).subtracting(here).subtracting(dead).subtracting(hasSucceeded)
            .subtracting(broker.dropped)
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
        case 107 where broker.isConnected && Int.random(in: 0..<10, using: &generator) == 0:
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

    private mutating func deliver() {
        guard let delivery = broker.deliver(&generator) else { return }
        if running.count >= settings.jobs { reached.insert("waiting") }
        take(.delivered(delivery))
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
        let tags = broker.unsettled.filter { $0.value.place == .running(job) }.keys
        if case .notStarted = end {
            for tag in tags { broker.unsettled[tag]?.place = .waiting }
        } else {
            for tag in tags { broker.unsettled[tag]?.place = .ended }
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
                broker.unsettled[task.delivery.deliveryTag]?.place = .waiting
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
            broker.ready.append(SimulatedBroker.Message(task: task, attempt: copy.attempt, returns: Int32(returns)))
        case .back:
            let returns = TaskCopy.isWatched(copy.delivery) ? Int32(settings.retries.trustedReturns) : nil
            broker.ready.append(SimulatedBroker.Message(task: task, attempt: copy.attempt, returns: returns))
        default: broker.ready.append(SimulatedBroker.Message(task: task, attempt: copy.attempt))
        }
        take(.copyConfirmed(id))
    }

    private mutating func answer() {
        if let answer = broker.nextAnswer() { take(answer) }
    }

    private mutating func tick() {
        if state.nextDeadline < .never { now = max(now, state.nextDeadline) }
        take(.tick)
    }

    private mutating func lose() {
        guard broker.isConnected else { return }
        reached.insert("lost")
        if !copies.isEmpty { reached.insert("lost with copies under way") }
        broker.lose()
        take(.connectionLost(WorkerTranscript.error()))
    }

    private mutating func answerConnect(succeeds: Bool) {
        isConnecting = false
        guard succeeds else { return take(.connectionLost(WorkerTranscript.error(.unreachable))) }
        broker.connect()
        take(.connected)
    }

    private mutating func stop() {
        wasStopped = true
        take(.stopRequested)
        now = now + .seconds(1)
    }

    static func task(_ delivery: Delivery) -> Int {
        delivery.properties.messageID.flatMap { Int($0.description) } ?? 0
    }
}
