// What a bench is to do, as its threads are told.

import Broker
import Posix

/// One run of `workq bench`, the same for all its threads.
package struct BenchPlan: Sendable {
    /// How much is measured, after the warm-up.
    package enum Extent: Sendable, Equatable {
        /// Of all producers together.
        case messages(Int)
        case duration(Duration)
    }

    package var connection: ConnectionParameters
    package var queue: String
    package var queueType = QueueType.classic
    /// What the queue is declared with besides.
    package var queueArguments = FieldTable()
    /// How long the broker keeps the queue when nobody is there to delete it.
    package var queueLifetime = Duration.seconds(60)
    package var producers = 1
    package var consumers = 1
    /// Bytes of a message's body.
    package var size = 100
    package var extent = Extent.duration(.seconds(10))
    package var warmUp = Duration.seconds(1)
    /// Messages a second of all producers together; nil for as many as the window lets through.
    package var rate: Int?
    /// Unconfirmed messages of one producer.
    package var window = 1_000
    /// Unacknowledged messages of one consumer; 0 for no limit.
    package var prefetch = 100
    package var isPersistent = true
    /// How long nothing may be confirmed, and how long nothing may arrive at the end, before the run is given up.
    package var patience = Duration.seconds(30)
    /// Marks the messages of this run.
    package var runID: UInt32
    /// Whether the queue stays with its messages for a later run, of consumers only. Nobody consumes in this one.
    package var keepsQueue = false
    /// How many messages an earlier run has left, which this one only takes off the queue; nil where it sends its own.
    package var backlog: Int?

    package init(connection: ConnectionParameters, queue: String, runID: UInt32) {
        self.connection = connection
        self.queue = queue
        self.runID = runID
    }

    /// Marks the messages of all runs that leave theirs on such a queue, or take them: so what a queue holds besides is
    /// known, and left alone.
    package static func keptRunID(of queue: String) -> UInt32 {
        // FNV-1a.
        queue.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    /// How many producers messages may be of.
    var knownProducers: Int { backlog == nil ? producers : Self.mostProducers }

    package static let mostProducers = 1_000

    /// How many measured messages a producer sends; nil when time decides.
    func share(of producer: Int) -> Int? {
        guard case .messages(let count) = extent else { return nil }
        return count / producers + (producer < count % producers ? 1 : 0)
    }

    /// The queue's `x-expires`, which counts from the last use. Only consumers use it all the time (publishing is no
    /// use, and quorum queues don't count declaring as one): without them it must outlast the run.
    package var queueExpiry: Duration {
        guard consumers == 0 else { return queueLifetime }
        let sending: Duration =
            switch extent {
            case .duration(let duration): duration
            case .messages(let count): .seconds(count / min(rate ?? Self.leastRate, Self.leastRate) + 1)
            }
        return min(queueLifetime + warmUp + sending + patience, Self.longestExpiry)
    }

    /// Messages a second that any broker takes, for a guess at how long a run may be.
    private static let leastRate = 200
    /// RabbitMQ takes up to 2^32 - 1 milliseconds.
    private static let longestExpiry = Duration.milliseconds(UInt32.max)

    /// Deliveries after which a consumer acknowledges, at the latest: half of what it may hold, so that the broker
    /// never waits for it.
    package var acknowledgesEvery: Int { prefetch == 0 ? 500 : max(1, min(prefetch / 2, 500)) }
}

/// When a run is measured: between `measureStart` and `end`.
struct BenchTimes: Sendable, Equatable {
    var start: Instant
    var measureStart: Instant
    /// `.never` when a number of messages decides.
    var end: Instant
    /// Until when messages are sent that were due before `end`.
    var latestSend: Instant

    init(_ plan: BenchPlan, start: Instant) {
        self.start = start
        measureStart = start + plan.warmUp
        end =
            switch plan.extent {
            case .messages: .never
            case .duration(let duration): plan.backlog == nil ? measureStart + duration : .never
            }
        latestSend = end + plan.patience
        if case .duration(let duration) = plan.extent, end != .never { latestSend = end + min(plan.patience, duration) }
    }

    /// The send times of a producer, numbered from 0; nil where the window alone decides.
    func schedule(of producer: Int, _ plan: BenchPlan) -> SendSchedule? {
        plan.rate.map { SendSchedule(start: start, rate: $0, producers: plan.producers, producer: producer) }
    }
}
