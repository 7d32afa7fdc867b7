// Takes tasks off a queue into a file, so that each is safe in one place or the other at any moment.

import Broker
import Posix
import Worker

/// One taking of tasks from one queue.
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
        /// Tasks are ready and don't come.
        case starved(ready: Int)
        /// More and more come.
        case endless
    }

    /// How many tasks the broker may send ahead.
    private static let prefetchCount = 500
    /// Bytes, after which those that have come are saved and acknowledged even while more keep coming.
    private static let batchBytes = 4 << 20
    /// Without a task for so long, the broker is asked whether there are any.
    private static let quietTime = Duration.milliseconds(100)
    private static let patience = Duration.seconds(10)
    /// For so long tasks are taken that have come since the queue was looked at.
    private static let extraTime = Duration.seconds(30)

    private let queue: ShortString
    private let file: TaskBackup
    private let signals: SignalPipe
    /// How many to take; nil for all.
    private let limit: Int?
    /// How many there were when the queue was looked at.
    private let seen: Int
    /// When so many had been taken.
    private var caughtUp: Instant?
    /// Tasks that are in the file and acknowledged.
    private(set) var taken = 0
    /// Tasks that may be in the file, and are on the queue still.
    private(set) var held = 0
    private var lastTag: UInt64 = 0
    private var pollSet = PollSet()

    init(of queue: ShortString, limit: Int?, seen: Int, to file: TaskBackup, signals: SignalPipe) {
        self.queue = queue
        self.limit = limit
        self.seen = seen
        self.file = file
        self.signals = signals
    }

    /// Takes the tasks, oldest first.
    mutating func run(on channel: Channel) throws(Failure) -> Ending {
        if limit == 0 { return .done }
        let prefetch = min(Self.prefetchCount, limit ?? .max)
        do throws(Failure) {
            let tag = try asking { () throws(BrokerError) in
                try channel.setPrefetchCount(UInt16(prefetch))
                return try channel.consume(queue)
            }
            let ending = try take(on: channel, prefetch: prefetch)
            // What was under way has come when the consumer has ended, and acknowledgements are worked off before what
            // was asked after them is answered.
            try asking { () throws(BrokerError) in try channel.cancel(tag) }
            while try receive(from: channel.connection) {}
            try save(on: channel, prefetch: 0)
            try asking { () throws(BrokerError) in try channel.synchronize() }
            return ending
        } catch {
            file.discardRest()
            throw error
        }
    }

    private func asking<Reply>(_ request: () throws(BrokerError) -> Reply) throws(Failure) -> Reply {
        do throws(BrokerError) {
            return try request()
        } catch {
            throw .broker(error)
        }
    }

    private mutating func take(on channel: Channel, prefetch: Int) throws(Failure) -> Ending {
        var lastArrival = Instant.now
        while true {
            if try receive(from: channel.connection) { lastArrival = .now }
            // The last ones are acknowledged once the consumer has ended: else the broker would send more.
            if taken + held == limit { return .done }
            try save(on: channel, prefetch: prefetch)
            if limit == nil, taken >= seen {
                let since = caughtUp ?? .now
                caughtUp = since
                guard since + Self.extraTime > .now else { throw .endless }
            }
            if let signal = waitForMore(on: channel.connection) { return .interrupted(signal: signal) }
            guard lastArrival + Self.quietTime < .now else { continue }
            // What the answer brings along are the next events. Tasks that come later count for the time after.
            let status = try asking { () throws(BrokerError) in try channel.status(ofQueue: queue) }
            guard status.ready > 0 else {
                if try receive(from: channel.connection) { continue }
                return .done
            }
            guard lastArrival + Self.patience > .now else { throw .starved(ready: status.ready) }
        }
    }

    /// Writes what has come into the file; whether anything has.
    private mutating func receive(from connection: Connection) throws(Failure) -> Bool {
        var bytes = 0
        while bytes < Self.batchBytes, taken + held != limit {
            guard let event = try asking({ () throws(BrokerError) in try connection.nextEvent() }) else { break }
            switch event {
            case .delivery(let delivery):
                do throws(CommandError) {
                    try file.append(TaskRecord(body: delivery.body, properties: delivery.properties))
                } catch {
                    throw .file(error)
                }
                held += 1
                lastTag = delivery.deliveryTag
                bytes += delivery.body.count + 256
            case .channelClosed(let error), .connectionClosed(let error):
                throw .broker(error)
            case .consumerCancelled:
                throw .broker(
                    BrokerError(
                        "consume from queue \"\(queue)\"", .notFound, scope: .client,
                        "the broker ended the consumer: was the queue deleted?"))
            default: continue
            }
        }
        return bytes > 0
    }

    /// Makes what was written durable, and only then acknowledges it.
    ///
    /// An acknowledgement makes the broker send as many tasks again. Unless `prefetch` is 0, only so many are
    /// acknowledged that it never sends more than the limit: those would go back to the queue marked as redelivered.
    private mutating func save(on channel: Channel, prefetch: Int) throws(Failure) {
        guard held > 0 else { return }
        do throws(CommandError) {
            try file.makeDurable()
        } catch {
            throw .file(error)
        }
        let room = prefetch == 0 ? .max : (limit ?? .max) - prefetch - taken
        let count = min(held, room)
        guard count > 0 else { return }
        let tag = lastTag - UInt64(held - count)
        try asking { () throws(BrokerError) in try channel.acknowledge(tag, multiple: true) }
        taken += count
        held -= count
    }

    /// Waits a moment for something to happen, and returns the signal that did.
    private mutating func waitForMore(on connection: Connection) -> Int32? {
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        pollSet.add(signals.descriptor, events: POLLIN)
        pollSet.wait(timeout: Int32(Self.quietTime.milliseconds) + 1)
        return pollSet.isReady(signals.descriptor) ? signals.read().first : nil
    }
}
