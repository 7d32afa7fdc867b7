// One run of a bench: starts the threads, watches them, and ends them.

import Broker
import Posix

/// The thread that the others report to.
package final class BenchRun {
    /// Why a run ended before its time.
    package enum Interruption: Equatable {
        case signal(Int32)
        case failed(BrokerError)
        case blocked(reason: String)
        /// No confirm for so long.
        case unanswered(Duration)
        /// Nothing arrived for so long, though the queue has messages.
        case stalled(Duration)
        case noThread
    }

    enum Phase {
        case startingConsumers, startingProducers, sending, draining, over
    }

    /// What one second's line tells.
    package struct Second {
        package var elapsed: Duration
        package var isWarmUp: Bool
        package var isDraining: Bool
        package var seconds: Double
        package var confirmed: Int
        package var received: Int
        package var waiting: Int
        package var confirmLatency: LatencyHistogram
        package var arrivalLatency: LatencyHistogram

        package init(
            elapsed: Duration, isWarmUp: Bool, isDraining: Bool, seconds: Double, confirmed: Int,
            received: Int, waiting: Int, confirmLatency: LatencyHistogram, arrivalLatency: LatencyHistogram
        ) {
            self.elapsed = elapsed
            self.isWarmUp = isWarmUp
            self.isDraining = isDraining
            self.seconds = seconds
            self.confirmed = confirmed
            self.received = received
            self.waiting = waiting
            self.confirmLatency = confirmLatency
            self.arrivalLatency = arrivalLatency
        }
    }

    private static let tick = Duration.milliseconds(100)
    /// How long nothing may arrive at the end before the queue is asked whether anything is left.
    private static let quiet = Duration.seconds(3)
    /// How long threads may take to end once they are told to.
    private static let farewell = Duration.seconds(5)

    let plan: BenchPlan
    let queue: TestQueue
    private let signals: SignalPipe
    let note: (Second) -> Void
    /// A pipe that threads ring; never closed, since one that was given up may still ring it.
    private let bell: WakePipe
    private let startGate: Latch
    private let stopProducers: Latch
    private let stopConsumers: Latch
    let arrivals: SharedArrivals
    var producers: [ThreadAccount] = []
    var consumers: [ThreadAccount] = []
    var phase = Phase.startingConsumers
    var times: BenchTimes
    var interruption: Interruption?
    var interruptedAt: Instant?
    /// When the producers had done all that they would do.
    var sentAt: Instant?
    var results: BenchResults
    private var lastArrival: (count: Int, at: Instant)
    var lastSecond: (at: Instant, confirmed: Int, received: Int)
    var lastSample = (at: Instant(nanoseconds: 0), confirmed: 0, received: 0)

    /// Throws when the system refuses a pipe.
    package init(
        _ plan: BenchPlan, on queue: TestQueue, signals: SignalPipe, note: @escaping (Second) -> Void
    ) throws(SystemError) {
        self.plan = plan
        self.queue = queue
        self.signals = signals
        self.note = note
        bell = try WakePipe()
        startGate = try Latch()
        stopProducers = try Latch()
        stopConsumers = try Latch()
        arrivals = SharedArrivals(producers: plan.knownProducers)
        times = BenchTimes(plan, start: .never)
        results = BenchResults()
        results.backlog = plan.backlog
        lastArrival = (0, .now)
        lastSecond = (.now, 0, 0)
    }

    /// Runs to the end, whatever end that is.
    package func run() -> BenchResults {
        startConsumers()
        while phase != .over {
            wait()
            for signal in signals.read() { interrupt(.signal(signal)) }
            watch()
            advance()
        }
        finish()
        return results
    }

    // MARK: - Threads

    private func startConsumers() {
        consumers = threads(plan.consumers) { [plan, startGate, stopConsumers, arrivals] _, post in
            BenchConsumer.Task(plan: plan, post: post, start: startGate, stop: stopConsumers, arrivals: arrivals).run()
        }
    }

    private func startProducers() {
        producers = threads(plan.backlog == nil ? plan.producers : 0) {
            [plan, startGate, stopProducers] number, post in
            BenchProducer.Task(plan: plan, number: number, post: post, start: startGate, stop: stopProducers).run()
        }
    }

    /// Starts so many threads, each with an account of its own; fewer where the system has no more.
    private func threads(
        _ count: Int, _ run: @escaping @Sendable (_ number: Int, _ post: ThreadAccount) -> Void
    ) -> [ThreadAccount] {
        var posts: [ThreadAccount] = []
        for number in 0..<count {
            let post = ThreadAccount(bell: bell)
            guard DetachedThread.start({ run(number, post) }) else {
                interrupt(.noThread)
                break
            }
            posts.append(post)
        }
        return posts
    }

    private func wait() {
        var pollSet = PollSet()
        pollSet.add(signals.descriptor, events: POLLIN)
        pollSet.add(bell.descriptor, events: POLLIN)
        pollSet.wait(until: .now + Self.tick)
        bell.clear()
    }

    // MARK: - Phases

    private func advance() {
        let now = Instant.now
        switch phase {
        case .startingConsumers where consumers.allSatisfy(\.isReady):
            startProducers()
            phase = .startingProducers
        case .startingProducers where producers.allSatisfy(\.isReady):
            times = BenchTimes(plan, start: now)
            lastSecond.at = now
            startGate.open(at: now)
            phase = .sending
        case .sending where producers.allSatisfy({ $0.ending != nil }):
            stopProducers.open()
            lastArrival = (arrivals.arrived, now)
            sentAt = now
            phase = .draining
        case .draining:
            if hasDrained(now) { phase = .over }
        default: break
        }
        if interruption != nil { phase = .over }
        if phase == .sending || phase == .draining { sample(now) }
    }

    private func hasDrained(_ now: Instant) -> Bool {
        guard plan.consumers > 0 else { return true }
        let arrived = arrivals.arrived
        if hasTimeEnded(now) { return true }
        let confirmed = plan.backlog ?? producers.reduce(0) { $0 + $1.settled }
        if arrived >= confirmed { return true }
        if arrived > lastArrival.count { lastArrival = (arrived, now) }
        guard now > lastArrival.at + Self.quiet else { return false }
        do throws(BrokerError) {
            if try queue.ready() == 0 { return true }
        } catch {
            interrupt(.failed(error))
        }
        if now > lastArrival.at + plan.patience { interrupt(.stalled(plan.patience)) }
        return false
    }

    /// Whether a run of consumers only has had its time.
    func hasTimeEnded(_ now: Instant) -> Bool {
        guard plan.backlog != nil, case .duration(let duration) = plan.extent else { return false }
        return now >= times.start + duration
    }

    private func interrupt(_ reason: Interruption) {
        guard interruption == nil else { return }
        interruption = reason
        interruptedAt = .now
    }

    /// Looks whether a thread failed, and keeps the queue.
    private func watch() {
        for post in producers + consumers {
            switch post.ending {
            case .failed(let error)?: interrupt(.failed(error))
            case .blocked(let reason)?: interrupt(.blocked(reason: reason))
            case .unanswered?: interrupt(.unanswered(plan.patience))
            case .done?, nil: break
            }
        }
        do throws(BrokerError) {
            try queue.keep()
        } catch {
            interrupt(.failed(error))
        }
    }

    /// Tells all threads to end, and waits for them, but not for ever.
    private func finish() {
        let deadline = Instant.now + Self.farewell
        stopProducers.open()
        waitForEnd(of: producers, until: deadline)
        stopConsumers.open()
        waitForEnd(of: consumers, until: deadline)
        collect()
        if startGate.isOpen { addLateness() }
        results.hasStarted = startGate.isOpen
        results.interruption = interruption
        results.ranFor = (interruptedAt ?? .now) - min(times.start, interruptedAt ?? .now)
        if interruption == nil { judge() }
    }

    /// A signal ends the waiting: it is the user's second one, or came when all was over.
    private func waitForEnd(of posts: [ThreadAccount], until deadline: Instant) {
        while !posts.allSatisfy({ $0.ending != nil }), .now < deadline {
            wait()
            guard signals.read().isEmpty else { return }
        }
    }
}
