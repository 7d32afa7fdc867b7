// What a pass over a queue is told, and what it answers.

import Broker
import Posix

extension QueueScan {
    /// What becomes of a task.
    package enum Choice {
        case leave
        /// It stays, too, and counts as one of those that were looked for.
        case show
        /// It is acknowledged once `flush` has returned.
        case take
        /// It is acknowledged once the broker has confirmed its copy on another queue.
        case move(to: ShortString)
    }

    package struct Settings {
        package var queue: String
        /// How many tasks to look at; nil for as many as the queue holds at the start.
        package var limit: Int?
        /// How many tasks to look for, those that are just left not counted; nil for all.
        package var greatestCount: Int?
        /// How tasks are moved; nil where none is.
        package var moving: Moving?

        package init(queue: String) {
            self.queue = queue
        }
    }

    /// How tasks are moved.
    package struct Moving {
        /// With what to connect for it.
        package var parameters: ConnectionParameters
        /// The queue that is created where it is missing, and with what; nil to create none.
        package var creates: (name: String, queue: NewQueue)?
        /// How long the broker may take to confirm a copy.
        package var confirmTimeout: Duration
        /// Is told why the broker takes no copies for a time: an alarm.
        package var blocked: (_ reason: String) -> Void

        package init(
            _ parameters: ConnectionParameters, creates: (name: String, queue: NewQueue)?, confirmTimeout: Duration,
            blocked: @escaping (_ reason: String) -> Void
        ) {
            self.parameters = parameters
            self.creates = creates
            self.confirmTimeout = confirmTimeout
            self.blocked = blocked
        }

        /// Nothing is tried again or dead-lettered: what is created where it is missing is the target.
        func copySettings(_ queue: String) -> CopyPublisher.Settings {
            CopyPublisher.Settings(
                queues: [WorkQueue(queue, deadLetterQueue: creates?.name ?? "")], newDeadLetterQueue: creates?.queue,
                host: "", confirmTimeout: confirmTimeout)
        }
    }

    package enum Ending: Equatable {
        case done
        case interrupted(signal: Int32)
        /// Other consumers have what there is, or the queue lets no consumer but another one have tasks.
        case withheld
    }

    package enum Failure: Error {
        case broker(BrokerError)
        /// What `flush` said.
        case output(SystemError)
    }
}

/// Names, how much at once, and how long.
extension QueueScan {
    static let consumerTag: ShortString = "workq-scan-1"
    /// What consumers of one channel held comes back in the order of their tags.
    static let secondTag: ShortString = "workq-scan-2"
    /// How many tasks are asked for ahead.
    static let round = 200
    /// The broker answers every request at once; one that doesn't for so long has a trouble of its own.
    static let patience = Duration.seconds(30)
    /// For so long a quorum queue may send nothing before it is asked whether it has more, which is for others then.
    static let quietTime = Duration.seconds(3)
    /// Microseconds in which a quorum queue works off acknowledgements; those that it hasn't it forgets when the
    /// channel closes, and such tasks are there again.
    static let settleTime: UInt32 = 300_000
}
