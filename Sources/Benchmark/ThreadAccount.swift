// What a bench's threads tell the one that started them.

import Broker
import Posix
import Synchronization

/// How a thread of a bench ended.
enum BenchEnding: Sendable, Equatable {
    case done
    case failed(BrokerError)
    /// An alarm: the broker stopped reading.
    case blocked(reason: String)
    /// No confirm within the plan's patience.
    case unanswered
}

/// A thread's account. Counts only grow.
struct BenchTally: Sendable {
    /// Whether the thread is connected and waits for the start.
    var isReady = false
    /// Messages sent; 0 for a consumer.
    var sent = 0
    /// Messages confirmed, or received.
    var settled = 0
    /// Of those, the ones that the rate is made of.
    var measured = MeasuredFlow()
    /// Latencies of measured messages since they were last taken.
    var latencies = LatencyHistogram()
    /// Of a received message's body, in bytes.
    var size = 0
    var nacked = 0
    var returned = 0
    /// Numbers of messages that were sent and not confirmed, once the thread has ended.
    var unconfirmed: Set<UInt64> = []
    /// How late those of them are that the broker hasn't answered, in nanoseconds and as far as they are measured.
    var lateness: [UInt64: Int64] = [:]
    var reordered = 0
    /// nil while the thread runs.
    var ending: BenchEnding?
}

/// Where one thread leaves its account, and another reads it.
final class ThreadAccount: Sendable {
    private let tally = Mutex(BenchTally())
    /// What the reader polls.
    private let bell: WakePipe

    init(bell: WakePipe) {
        self.bell = bell
    }

    var isReady: Bool { tally.withLock { $0.isReady } }
    var settled: Int { tally.withLock { $0.settled } }
    var ending: BenchEnding? { tally.withLock { $0.ending } }

    /// Changes the account, without waking the reader.
    func note(_ change: (inout BenchTally) -> Void) {
        tally.withLock { change(&$0) }
    }

    /// Changes the account and wakes the reader: the thread is ready, or has ended.
    func report(_ change: (inout BenchTally) -> Void) {
        note(change)
        bell.wake()
    }

    /// The counts as they are now, and the latencies since the last call.
    func take() -> BenchTally {
        tally.withLock { tally in
            let current = tally
            tally.latencies = LatencyHistogram()
            return current
        }
    }
}
