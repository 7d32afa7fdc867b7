// Takes tasks off a queue into a file, so that each is safe in one place or the other at any moment.

import Broker
import Posix

/// One taking of tasks from one queue.
///
/// Tasks are asked for one by one (`basic.get`), many requests ahead, and not consumed: a queue that is deleted with
/// its last consumer would go with the end of the backup, and all that came meanwhile with it.
///
/// A quorum queue is never deleted so, and gets a consumer a round. It takes each request for a consumer, and what more
/// than 32 consumers of a channel held goes back in an order that is another one after a restart of its node (RabbitMQ
/// 3.10 and 4.0): of the tasks then, some that were acknowledged come again, and others are gone.
struct QueueBackup {
    /// How it ended.
    enum Ending: Equatable {
        /// As many were taken as were asked for, or the queue has no more.
        case done
        case interrupted(signal: Int32)
    }

    /// Why it ended early.
    enum Failure: Error {
        case broker(BrokerError)
        case file(CommandError)
        /// More and more come.
        case endless
        /// Other consumers have what there is, or the queue lets no consumer but another one have tasks.
        case withheld
    }

    /// How many tasks are asked for at a time, at most.
    private static let greatestRound = 500
    /// Bytes of bodies that a round should bring, going by those that have come.
    private static let roundBytes = 4 << 20
    /// The broker answers every request at once; one that doesn't for so long has a trouble of its own.
    private static let patience = Duration.seconds(30)
    private static let settleTime = Duration.seconds(10)
    /// For so long a quorum queue may send nothing before it is asked whether it has more.
    private static let quietTime = Duration.milliseconds(100)
    /// For so long it may send nothing although it has more.
    private static let withheldTime = Duration.seconds(5)
    /// For so long tasks are taken that have come since the queue was looked at.
    private static let extraTime = Duration.seconds(30)

    private let queue: ShortString
    private let file: TaskBackup
    private let signals: SignalPipe
    /// How many to take; nil for all.
    private let limit: Int?
    /// How the queue was when it was looked at.
    private let seen: QueueStatus
    /// When so many had been taken.
    private var caughtUp: Instant?
    /// Tasks that are in the file and acknowledged.
    private(set) var taken = 0
    /// Tasks that may be in the file, and are on the queue still.
    private var held = 0
    /// Whether tasks that are in the file may be on the queue, too: nobody answers an acknowledgement.
    private(set) var isUnsure = false
    /// Requests that have no answer yet, or deliveries that the consumer may still get.
    private var open = 0
    /// Whether tasks come to consumers, as those of a quorum queue do.
    private let usesConsumers: Bool
    private var consumerCount = 0
    /// Whether there is a consumer that the broker has answered for: RabbitMQ 4's channel crashes over one that ends
    /// before.
    private var isConsuming = false
    private var ending: Ending?
    private var isAbandoned = false
    private var receivedBytes = 0
    private var lastTag: UInt64 = 0
    private var lastAnswer = Instant.now
    private var pollSet = PollSet()

    init(
        of queue: ShortString, isQuorum: Bool, limit: Int?, seen: QueueStatus, to file: TaskBackup, signals: SignalPipe
    ) {
        self.queue = queue
        usesConsumers = isQuorum
        self.limit = limit
        self.seen = seen
        self.file = file
        self.signals = signals
    }

    /// Takes the tasks, oldest first. A second signal doesn't wait for what the broker still owes.
    mutating func run(on channel: Channel) throws(Failure) -> Ending {
        do throws(Failure) {
            repeat {
                if ending == nil { try requestRound(on: channel) }
                // The broker works on the next tasks while the disk works on these.
                try save(on: channel)
                try receiveRound(on: channel)
            } while (open > 0 || held > 0) && !isAbandoned
            try save(on: channel)
            if !isAbandoned { try waitUntilSettled(on: channel) }
            return ending ?? .done
        } catch {
            if file.discardRest() { held = 0 }
            if case .broker = error { isUnsure = taken + held > 0 } else { isUnsure = held > 0 }
            throw error
        }
    }

    /// Waits until the broker has worked off the acknowledgements. A quorum queue does that at leisure, and puts back
    /// what is left of them when the channel closes; until then it counts whoever holds a task as a consumer.
    private func waitUntilSettled(on channel: Channel) throws(Failure) {
        let deadline = Instant.now + Self.settleTime
        while taken > 0, .now < deadline {
            let status = try asking { () throws(BrokerError) in try channel.status(ofQueue: queue) }
            if status.consumers <= seen.consumers { return }
            poll(nil, 0, 20)
        }
    }

    private func asking<Reply>(_ request: () throws(BrokerError) -> Reply) throws(Failure) -> Reply {
        do throws(BrokerError) {
            return try request()
        } catch {
            throw .broker(error)
        }
    }

    private mutating func requestRound(on channel: Channel) throws(Failure) {
        let count = min(roundSize, (limit ?? .max) - taken - held)
        guard count > 0 else { return }
        if usesConsumers {
            try consume(count, on: channel)
        } else {
            try asking { () throws(BrokerError) in try channel.sendGets(count, from: queue) }
        }
        open += count
        lastAnswer = .now
    }

    private var consumerTag: ShortString { ShortString("workq-backup-\(consumerCount)") }

    /// Starts a consumer for as many as are to be taken. It is ended before the first is acknowledged, so that it never
    /// gets more.
    private mutating func consume(_ count: Int, on channel: Channel) throws(Failure) {
        consumerCount += 1
        try asking { () throws(BrokerError) in
            try channel.sendPrefetchCount(UInt16(count))
            try channel.sendConsume(queue, consumerTag: consumerTag)
        }
    }

    /// Large bodies are asked for a few at a time: the broker keeps in memory what it has sent and nobody has read.
    private var roundSize: Int {
        let received = taken + held
        guard received > 0 else { return 8 }
        return max(1, min(Self.greatestRound, Self.roundBytes / (receivedBytes / received + 256), 2 * received))
    }

    // MARK: - What comes

    private mutating func receiveRound(on channel: Channel) throws(Failure) {
        while true {
            try receiveEvents(from: channel.connection)
            if usesConsumers, isConsuming, open > 0 { try endConsumerIfDone(on: channel) }
            guard open > 0 else { break }
            guard lastAnswer + Self.patience > .now else {
                throw .broker(
                    BrokerError(
                        "take from queue \"\(queue)\"", .timedOut, scope: .connection, "the broker doesn't answer"))
            }
            if let signal = waitForMore(on: channel.connection) {
                isAbandoned = ending.map { $0 != .done } ?? false
                ending = .interrupted(signal: signal)
                if isAbandoned { return }
            }
        }
        if isConsuming { try asking { () throws(BrokerError) in try channel.sendStop(consumerTag) } }
        isConsuming = false
        guard limit == nil, ending == nil, taken + held >= seen.ready else { return }
        let since = caughtUp ?? .now
        caughtUp = since
        guard since + Self.extraTime > .now else { throw .endless }
    }

    /// Ends a consumer that needs no more, or for which the queue has no more.
    private mutating func endConsumerIfDone(on channel: Channel) throws(Failure) {
        if ending == nil {
            let asked = Instant.now
            guard lastAnswer + Self.quietTime <= asked else { return }
            let status = try asking { () throws(BrokerError) in try channel.status(ofQueue: queue) }
            guard status.ready == 0 else {
                guard lastAnswer + Self.withheldTime > asked else { throw .withheld }
                return
            }
        }
        // The second answer comes behind everything that the queue had sent to the consumer when it was ended.
        let status = try asking { () throws(BrokerError) in
            try channel.cancel(consumerTag)
            return try channel.status(ofQueue: queue)
        }
        isConsuming = false
        try receiveEvents(from: channel.connection)
        open = 0
        if ending == nil, status.ready == 0 { ending = .done }
    }

    private mutating func receiveEvents(from connection: Connection) throws(Failure) {
        while let event = try asking({ () throws(BrokerError) in try connection.nextEvent() }) { try receive(event) }
    }

    private mutating func receive(_ event: BrokerEvent) throws(Failure) {
        switch event {
        case .delivery(let delivery):
            do throws(CommandError) {
                try file.append(TaskRecord(saving: delivery))
            } catch {
                throw .file(error)
            }
            open -= 1
            held += 1
            lastTag = delivery.deliveryTag
            lastAnswer = .now
            receivedBytes += delivery.body.count
        case .queueEmpty:
            open -= 1
            lastAnswer = .now
            if ending == nil { ending = .done }
        case .consuming: isConsuming = true
        case .consumerCancelled: throw .broker(.consumerCancelled("take from queue \"\(queue)\""))
        case .channelClosed(let error), .connectionClosed(let error):
            throw .broker(error)
        default: break
        }
    }

    /// Makes what was written durable, and only then acknowledges it.
    private mutating func save(on channel: Channel) throws(Failure) {
        guard held > 0 else { return }
        do throws(CommandError) {
            try file.makeDurable()
        } catch {
            throw .file(error)
        }
        try asking { () throws(BrokerError) in try channel.acknowledge(lastTag, multiple: true) }
        taken += held
        held = 0
    }

    /// Waits for something to happen, for as long as a heartbeat allows, and returns the signal that did.
    private mutating func waitForMore(on connection: Connection) -> Int32? {
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        pollSet.add(signals.descriptor, events: POLLIN)
        let heartbeat = connection.heartbeat.map { .now + $0 / 2 } ?? Instant.never
        let pause = usesConsumers ? .now + Self.quietTime : lastAnswer + Self.patience
        pollSet.wait(until: min(pause, heartbeat))
        return pollSet.isReady(signals.descriptor) ? signals.read().first : nil
    }
}
