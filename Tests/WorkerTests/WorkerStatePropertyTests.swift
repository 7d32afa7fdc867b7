// Random lives of a worker against a broker that keeps the rules: whatever happens, no task is lost or settled wrongly.

import Broker
import Posix
import TestSupport
import Testing

@testable import Worker

@Suite("Worker: random lives") struct WorkerStatePropertyTests {
    @Test(
        "W16, W17 each delivery is settled at most once, in its own session, and none is left; success alone is acknowledged",
        arguments: seeds(400))
    func randomLives(seed: UInt64) throws {
        var world = SimulatedBroker(seed: seed)
        world.live()
        #expect(world.faults == [])
        #expect(world.hasFinished)
    }

    @Test("the simulation reaches what it is about")
    func reach() {
        var reached: Set<String> = []
        for seed in seeds(400) {
            var world = SimulatedBroker(seed: seed)
            world.live()
            reached.formUnion(world.reached)
        }
        #expect(
            reached.isSuperset(of: [
                "adopted", "copied", "copy failed", "acknowledge", "giveBack", "stale end", "drained",
                "terminate", "kill", "lost",
                "refused",
                "unusable", "output failed", "waiting", "batch",
            ]))
    }
}

/// A broker with one queue, and the system that runs commands, both as simple as can be. It watches the worker.
struct SimulatedBroker {
    private enum Place: Equatable {
        case waiting
        case running(Int)
        case ended
    }

    private struct Unsettled {
        var message: Int
        var place = Place.waiting
    }

    private(set) var faults: [String] = []
    private(set) var hasFinished = false
    /// Which situations came up.
    private(set) var reached: Set<String> = []

    private var generator: SeededGenerator
    private var state: WorkerState
    private var now = Instant(nanoseconds: 1_000_000_000)
    private let jobs: Int
    private let prefetch: Int
    private let drains: Bool
    private let isPrinting: Bool

    private var ready: [Int]
    private var wasDelivered: Set<Int> = []
    private var hasSucceeded: Set<Int> = []
    private var acknowledged: Set<Int> = []
    /// Messages whose copy the broker has confirmed.
    private var copied: Set<Int> = []
    /// Copies without an answer.
    private var copies: [(job: Int, message: Int)] = []
    /// What the broker waits to hear about in this session, by delivery tag.
    private var unsettled: [UInt64: Unsettled] = [:]
    private var lastTag: UInt64 = 0
    private var isConnected = false
    private var isConnecting = true
    private var isCancelled = false
    private var wasStopped = false
    /// The messages of each running job.
    private var running: [Int: [Int]] = [:]

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var settings = WorkerState.Settings()
        jobs = Int.random(in: 1...4, using: &generator)
        settings.jobs = jobs
        isPrinting = Bool.random(using: &generator)
        settings.isPrinting = isPrinting
        settings.leavesWhenEmpty = Bool.random(using: &generator)
        settings.count = Int.random(in: 0..<4, using: &generator) == 0 ? Int.random(in: 1...10, using: &generator) : nil
        settings.retryFor = Bool.random(using: &generator) ? .seconds(20) : nil
        settings.killAfter = .seconds(1)
        drains = settings.leavesWhenEmpty && settings.count == nil
        let batchSize = isPrinting ? 1 : Int.random(in: 1...3, using: &generator)
        if batchSize > 1 {
            settings.batching = Batching(size: batchSize, wait: .milliseconds(20), separator: UInt8(ascii: "\n"))
        }
        prefetch = jobs * batchSize + Int.random(in: 0...5, using: &generator)
        ready = Array(1...Int.random(in: 1...20, using: &generator))
        state = WorkerState(settings: settings, now: now, generator: SeededGenerator(seed: seed))
        self.generator = generator
    }

    /// A life of any length, and its end.
    mutating func live() {
        for _ in 0..<Int.random(in: 20...300, using: &generator) where !hasFinished { step() }
        windDown()
    }

    /// Lets something happen that can happen.
    private mutating func step() {
        guard !isConnecting else { return answerConnect(succeeds: Int.random(in: 0..<4, using: &generator) > 0) }
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<30: deliver()
        case 30..<60: endSomeJob()
        case 60..<70: answerSomeCopy()
        case 70..<92: tick()
        case 92..<97: lose()
        case 97 where Int.random(in: 0..<4, using: &generator) == 0: stop()
        case 98 where isConnected && Int.random(in: 0..<10, using: &generator) == 0:
            reached.insert("refused")
            take(.refused(WorkerTranscript.error(.accessRefused)))
        case 99 where Int.random(in: 0..<10, using: &generator) == 0:
            reached.insert("output failed")
            take(.outputFailed(5))
        default: break
        }
    }

    /// Stops the worker once or twice and plays everything to its end.
    private mutating func windDown() {
        for round in 0..<200 where !hasFinished {
            if isConnecting { answerConnect(succeeds: true) }
            if round == 0 || round == 2 && Bool.random(using: &generator) { stop() }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: endSomeJob()
            case 1: answerSomeCopy()
            default: tick()
            }
        }
        if isConnected, let left = unsettled.keys.min() { faults.append("delivery \(left) was never settled") }
    }

    // MARK: - Events

    private mutating func deliver() {
        guard isConnected, !ready.isEmpty, unsettled.count < prefetch else { return }
        // What was sent before the broker saw the cancellation still arrives.
        guard !isCancelled || Int.random(in: 0..<4, using: &generator) == 0 else { return }
        let message = ready.removeFirst()
        lastTag += 1
        let isRedelivered = !wasDelivered.insert(message).inserted
        var delivery = Unsettled(message: message)
        if isRedelivered, let job = running.first(where: { $0.value.contains(message) })?.key {
            reached.insert("adopted")
            delivery.place = .running(job)
        } else if running.count >= jobs {
            reached.insert("waiting")
        }
        unsettled[lastTag] = delivery
        take(.delivered(WorkerTranscript.delivery(lastTag, id: "\(message)", redelivered: isRedelivered)))
    }

    private mutating func endSomeJob() {
        guard let job = running.keys.sorted().randomElement(using: &generator), let messages = running[job] else {
            return
        }
        let end: JobEnd =
            switch Int.random(in: 0..<60, using: &generator) {
            case 0: .unusable("gone")
            case 1..<6: .notStarted("no processes")
            case 6..<12: .signalled(15)
            case 12..<20: .exited(1)
            default: .exited(0)
            }
        if end == .unusable("gone") { reached.insert("unusable") }
        if end == .exited(0) { hasSucceeded.formUnion(messages) }
        running[job] = nil
        let tags = unsettled.filter { $0.value.place == .running(job) }.keys
        for tag in tags { unsettled[tag]?.place = .ended }
        if tags.count < messages.count { reached.insert("stale end") }
        take(.ended(job, end))
    }

    private mutating func answerSomeCopy() {
        guard let index = copies.indices.randomElement(using: &generator) else { return }
        let (job, message) = copies.remove(at: index)
        if Int.random(in: 0..<4, using: &generator) == 0 {
            reached.insert("copy failed")
            take(.copyFailed(job))
        } else {
            reached.insert("copied")
            copied.insert(message)
            take(.copyConfirmed(job))
        }
    }

    private mutating func tick() {
        if state.nextDeadline < .never { now = max(now, state.nextDeadline) }
        take(.tick)
    }

    private mutating func lose() {
        guard isConnected else { return }
        reached.insert("lost")
        isConnected = false
        ready = unsettled.values.map(\.message).sorted() + ready
        unsettled = [:]
        take(.connectionLost(WorkerTranscript.error()))
    }

    private mutating func answerConnect(succeeds: Bool) {
        isConnecting = false
        guard succeeds else { return take(.connectionLost(WorkerTranscript.error(.unreachable))) }
        isConnected = true
        isCancelled = false
        lastTag = 0
        take(.connected)
    }

    private mutating func stop() {
        wasStopped = true
        take(.stopRequested)
    }

    // MARK: - Actions

    private mutating func take(_ event: WorkerState.Event) {
        // What is being printed is given back when printing fails, or takes too long at the end.
        let mayEndRunning =
            switch event {
            case .outputFailed, .tick: isPrinting
            default: false
            }
        now = now + .milliseconds(1)
        for action in state.handle(event, now: now) {
            if hasFinished { faults.append("\(action) after the end") }
            perform(action, mayEndRunning: mayEndRunning)
        }
        // Printed tasks have no process that could end later.
        if mayEndRunning, state.runningCount == 0 { running = [:] }
        if running.count != state.runningCount { faults.append("\(state.runningCount) running") }
    }

    private mutating func perform(_ action: WorkerState.Action, mayEndRunning: Bool) {
        switch action {
        case .connect:
            if isConnected { faults.append("connects twice") }
            isConnecting = true
        case .start(let job, let delivery): start(job, [delivery])
        case .startBatch(let job, let deliveries):
            if deliveries.count > 1 { reached.insert("batch") }
            start(job, deliveries)
        case .acknowledge(let tag): acknowledge(tag)
        case .copy(let job, let copy):
            guard let message = copy.delivery.properties.messageID.flatMap({ Int($0.description) }) else {
                return faults.append("copies a message without its id")
            }
            copies.append((job, message))
        case .reject: faults.append("rejects, which nobody asked for")
        case .giveBack(let tag):
            reached.insert("giveBack")
            if let message = settle(tag, mayEndRunning: mayEndRunning) { ready.append(message) }
        case .cancelConsumer: isCancelled = true
        case .countReady: take(.readyCount(ready.count))
        case .terminate(let job), .kill(let job):
            reached.insert(action == .kill(job) ? "kill" : "terminate")
            if running[job] == nil { faults.append("signals job \(job), which isn't running") }
        case .finish(let ending): finish(ending, mayEndRunning: mayEndRunning)
        default: break
        }
    }

    private mutating func start(_ job: Int, _ deliveries: [Delivery]) {
        if running.count >= jobs { faults.append("more than \(jobs) jobs") }
        for delivery in deliveries {
            guard let found = unsettled[delivery.deliveryTag], found.place == .waiting else {
                return faults.append("starts delivery \(delivery.deliveryTag), which isn't waiting")
            }
            if running.values.contains(where: { $0.contains(found.message) }) {
                faults.append("message \(found.message) runs twice")
            }
            running[job, default: []].append(found.message)
            unsettled[delivery.deliveryTag]?.place = .running(job)
        }
    }

    private mutating func acknowledge(_ tag: UInt64) {
        reached.insert("acknowledge")
        guard let message = settle(tag, mayEndRunning: false) else { return }
        if !hasSucceeded.contains(message), !copied.contains(message) {
            faults.append("message \(message) is acknowledged without success")
        }
        acknowledged.insert(message)
    }

    /// The message that a settled delivery held; nil, and a fault, when it can't be settled.
    private mutating func settle(_ tag: UInt64, mayEndRunning: Bool) -> Int? {
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
        guard drains, !wasStopped, ending == .done else { return }
        reached.insert("drained")
        if !ready.isEmpty || !hasSucceeded.union(copied).isSuperset(of: wasDelivered) || acknowledged != wasDelivered {
            faults.append("leaves before the queue is empty")
        }
    }
}
