// One look at the tasks of a queue, oldest first, of which most may stay.

import Broker
import Posix

/// A pass over the tasks that a queue holds. Each is taken or left. What is left is in its place again when the pass is
/// over, and also when it ends in any other way.
///
/// A classic queue is asked for one task after the other, since an auto-delete queue would end with a consumer. A
/// quorum queue gets a consumer: it keeps the order of what one consumer has held, but not of what was asked for, which
/// it may even mistake for other tasks after a restart (`QueueBackup`).
package struct QueueScan {
    /// What AMQP allows one consumer to hold.
    package static let greatestHolding = 65_535

    private let settings: Settings
    private let queue: ShortString
    private let signals: SignalPipe
    private let copies: CopyPublisher?
    private let isQuorum: Bool
    private let channel: Channel
    /// How the queue was at the start.
    private let start: QueueStatus
    private let limit: Int

    package private(set) var seen = 0
    /// Tasks that weren't just left.
    package private(set) var found = 0
    package private(set) var taken = 0
    /// How often the task has come back to a quorum queue that did so most often, this look not counted.
    package private(set) var greatestReturns = 0
    /// Why a copy was refused, the last time that one was. Its task was left.
    package private(set) var refusal: BrokerError?
    /// Taken tasks that aren't acknowledged yet.
    private var chosen: [UInt64] = []
    /// Tasks whose copies are under way, by their delivery tags, with the bytes of their bodies.
    private var moving: [UInt64: Int] = [:]
    private var movingBytes = 0
    /// Tasks of which nobody knows yet whether they were moved.
    package var unsureCount: Int { moving.count }
    /// Deliveries of a quorum queue, and whether the last one had been delivered before. What came back to such a queue
    /// stands in front, and what comes back stands behind it: only all of it together keeps its order.
    private var held = 0
    private var lastIsReturned = false
    private var isWidened = false
    /// Consumers that the broker hasn't answered for.
    private var unheard = 0
    /// Requests for a task that have no answer.
    private var open = 0
    private var lastAnswer = Instant.now
    /// When to read from the broker although there is too much here already.
    private var nextReceive = Instant.now
    private var ending: Ending?
    /// When a pass that was interrupted waits no longer.
    private var patienceEnd = Instant.never
    private var pollSet = PollSet()

    /// Looks what there is. A stream and a missing queue are refused.
    package init(_ settings: Settings, on channel: Channel, signals: SignalPipe) throws(Failure) {
        self.settings = settings
        let queue = ShortString(settings.queue)
        self.queue = queue
        self.signals = signals
        self.channel = channel
        (isQuorum, start) = try Self.asking { () throws(BrokerError) in
            let status = try channel.status(ofQueue: queue)
            let type = try channel.type(ofQueue: queue)
            if type == "stream" { throw .stream(settings.queue) }
            return (type == "quorum", status)
        }
        limit = min(settings.limit ?? start.ready, start.ready, isQuorum ? Self.greatestHolding : .max)
        do throws(SystemError) {
            copies = try settings.moving.map { moving throws(SystemError) in
                try CopyPublisher(moving.copySettings(settings.queue), parameters: moving.parameters)
            }
        } catch {
            throw .output(error)
        }
    }

    /// Shows each task to `choose`. `flush` makes what was chosen safe before it is acknowledged. After a signal what
    /// is under way has a second. The connection is to be closed then.
    package mutating func run(
        choose: (Delivery) -> Choice, flush: () throws(SystemError) -> Void
    ) throws(Failure) -> Ending {
        defer { copies?.close() }
        if isQuorum, limit > 0 { try consume(limit, as: Self.consumerTag) }
        while !isOver {
            let mayHaveMore = try receive(choose)
            do throws(SystemError) { try flush() } catch { throw .output(error) }
            try acknowledge()
            guard !isOver else { break }
            try request()
            if let signal = wait(mayHaveMore), patienceEnd == .never {
                patienceEnd = .now + .seconds(1)
                ending = .interrupted(signal: signal)
            }
            if let ending, patienceEnd <= .now { return ending }
            try askForMore()
        }
        try stop()
        return ending ?? .done
    }

    // MARK: - Asking

    private var hasEnough: Bool {
        ending != nil || seen >= limit || found >= settings.greatestCount ?? .max
    }

    /// Whether so much is under way that more should stay where it is.
    private var isFull: Bool { movingBytes >= WorkerLoop.greatestWeight }

    private var isOver: Bool { hasEnough && !mustGoOn && open == 0 && moving.isEmpty && chosen.isEmpty }

    /// Whether there are more tasks that came back before.
    private var mustGoOn: Bool {
        isQuorum && ending == nil && lastIsReturned && held < min(start.ready, Self.greatestHolding)
    }

    private mutating func consume(_ count: Int, as tag: ShortString) throws(Failure) {
        unheard += 1
        try sending { channel throws(BrokerError) in
            try channel.sendPrefetchCount(UInt16(clamping: count))
            try channel.sendConsume(queue, consumerTag: tag)
        }
    }

    private mutating func request() throws(Failure) {
        guard !isQuorum else {
            guard mustGoOn, held >= limit, !isWidened else { return }
            isWidened = true
            return try consume(Self.greatestHolding - held, as: Self.secondTag)
        }
        let count = min(Self.round - open, limit - seen - open)
        guard !hasEnough, !isFull, count > 0 else { return }
        try sending { channel throws(BrokerError) in try channel.sendGets(count, from: queue) }
        open += count
        lastAnswer = .now
    }

    /// A quorum queue that sends nothing is asked whether it still has what was there.
    private mutating func askForMore() throws(Failure) {
        guard isQuorum, !hasEnough || mustGoOn, moving.isEmpty, lastAnswer + Self.quietTime <= .now else { return }
        // What isn't ready any more others have, or is on its way.
        let status = try Self.asking { () throws(BrokerError) in try channel.status(ofQueue: queue) }
        ending = status.ready == 0 || hasEnough ? .done : .withheld
    }

    private func sending(_ send: (Channel) throws(BrokerError) -> Void) throws(Failure) {
        try Self.asking { () throws(BrokerError) in try send(channel) }
    }

    private static func asking<Reply>(_ request: () throws(BrokerError) -> Reply) throws(Failure) -> Reply {
        do throws(BrokerError) { return try request() } catch { throw .broker(error) }
    }

    // MARK: - What comes

    /// Takes what has come, without waiting, as far as it isn't too heavy, but as much as heartbeats need: they are
    /// served by reading. Whether there may be more.
    private mutating func receive(_ choose: (Delivery) -> Choice) throws(Failure) -> Bool {
        for news in copies?.takeNews() ?? [] { try take(news) }
        var weight = movingBytes
        var isDue = nextReceive <= .now
        while weight < WorkerLoop.greatestWeight || isDue {
            isDue = false
            nextReceive = channel.connection.heartbeat.map { .now + $0 / 2 } ?? .never
            guard let event = try Self.asking({ () throws(BrokerError) in try channel.connection.nextEvent() }) else {
                try checkPatience()
                return false
            }
            switch event {
            case .delivery(let delivery):
                weight += delivery.body.count
                take(delivery, choose)
            case .consuming: unheard -= 1
            case .queueEmpty:
                open -= 1
                lastAnswer = .now
                if ending == nil { ending = .done }
            case .channelClosed(let error), .connectionClosed(let error): throw .broker(error)
            case .consumerCancelled:
                throw .broker(.consumerCancelled("look at queue \"\(settings.queue)\""))
            default: break
            }
        }
        return true
    }

    private func checkPatience() throws(Failure) {
        guard open > 0, lastAnswer + Self.patience <= .now else { return }
        throw .broker(
            BrokerError(
                "look at queue \"\(settings.queue)\"", .timedOut, scope: .connection, "the broker doesn't answer"))
    }

    /// More than is needed may be on its way: that is left.
    private mutating func take(_ delivery: Delivery, _ choose: (Delivery) -> Choice) {
        if isQuorum { held += 1 } else { open -= 1 }
        lastIsReturned = delivery.redelivered
        lastAnswer = .now
        if isQuorum { greatestReturns = max(greatestReturns, TaskCopy.deliveryCount(of: delivery)) }
        guard !hasEnough else { return }
        seen += 1
        switch choose(delivery) {
        case .leave: return
        case .show: break
        case .take: chosen.append(delivery.deliveryTag)
        case .move(let queue):
            moving[delivery.deliveryTag] = delivery.body.count
            movingBytes += delivery.body.count
            let copy = TaskCopy(
                delivery: delivery, fate: .moved(to: queue), attempt: TaskCopy.attempt(of: delivery), end: .exited(0))
            copies?.send(CopyPublisher.Letter(task: WorkerState.TaskID(delivery.deliveryTag), copy: copy))
        }
        found += 1
    }

    private mutating func take(_ news: CopyPublisher.News) throws(Failure) {
        if case .unconfirmed = news {
            throw .broker(BrokerError("move tasks", .timedOut, scope: .connection, "no confirm came in time"))
        }
        if case .blocked(let reason) = news { settings.moving?.blocked(reason) }
        guard case .outcome(let task, let outcome) = news else { return }
        let tag = UInt64(task)
        guard let size = moving.removeValue(forKey: tag) else { return }
        movingBytes -= size
        switch outcome {
        case .confirmed: chosen.append(tag)
        case .failed(let error, let isRefused):
            guard isRefused else { throw .broker(error) }
            refusal = error
        case .unfit, .unwanted: break
        }
    }

    private mutating func acknowledge() throws(Failure) {
        guard !chosen.isEmpty else { return }
        let tags = chosen
        try sending { channel throws(BrokerError) in for tag in tags { try channel.acknowledge(tag) } }
        taken += tags.count
        chosen = []
    }

    /// Waits for something to happen, for as long as a heartbeat allows, and returns the signal that did. Where more
    /// has come already, it only looks for one.
    private mutating func wait(_ mayHaveMore: Bool) -> Int32? {
        pollSet.removeAll()
        if !isFull { pollSet.add(channel.connection.descriptor, events: POLLIN) }
        pollSet.add(signals.descriptor, events: POLLIN)
        if let copies { pollSet.add(copies.descriptor, events: POLLIN) }
        let pause = isQuorum ? .now + Self.quietTime : lastAnswer + Self.patience
        pollSet.wait(until: mayHaveMore && !isFull ? .now : min(nextReceive, pause, patienceEnd))
        return pollSet.isReady(signals.descriptor) ? signals.read().first : nil
    }

    // MARK: - The end

    /// What was left goes back when the channel closes. Given back it would be at the end of a quorum queue that has
    /// no delivery limit, and keep a classic one busy for seconds, which puts back one after the other what was asked
    /// for so.
    private mutating func stop() throws(Failure) {
        guard isQuorum, limit > 0 else { return }
        // RabbitMQ 4's channel crashes over a consumer that ends before it is answered for.
        for _ in 0..<unheard where try !awaitAnswer() { return }
        for tag in isWidened ? [Self.consumerTag, Self.secondTag] : [Self.consumerTag] {
            try sending { channel throws(BrokerError) in try channel.sendStop(tag) }
            _ = try awaitAnswer()
        }
        if taken > 0 { usleep(Self.settleTime) }
        try sending { channel throws(BrokerError) in try channel.renew() }
        // Whoever comes next is to find everything; until then whoever held a task counts as a consumer.
        let deadline = Instant.now + Self.quietTime
        while .now < deadline {
            let status = try Self.asking { () throws(BrokerError) in try channel.status(ofQueue: queue) }
            if status.consumers <= start.consumers { return }
            usleep(20_000)
        }
    }

    /// Whether the broker answers in time.
    private func awaitAnswer() throws(Failure) -> Bool {
        let deadline = Instant.now + Self.patience
        while .now < deadline {
            let event = try Self.asking { () throws(BrokerError) in
                try channel.connection.nextEvent(until: deadline)
            }
            switch event {
            case .consuming, .consumerStopped: return true
            case .channelClosed(let error), .connectionClosed(let error): throw .broker(error)
            default: break
            }
        }
        return false
    }
}
