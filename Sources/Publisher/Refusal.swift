// Why tasks aren't on their queue: one of them, or all that are left.

import Broker
import Posix

/// Why the broker certainly doesn't have a task.
package enum Refusal: Equatable {
    /// No queue takes the task: the broker sent it back with this text.
    case returned(text: String)
    /// The broker could not take the task now (nack).
    case nacked
    /// The broker will never take this task for what it is, as one that is too large.
    case task(BrokerError)
    /// The broker takes nothing for the task's destination, as without the right to write to it.
    case destination(BrokerError)

    /// Whether other tasks for the same destination would fare alike.
    package var concernsDestination: Bool {
        if case .task = self { false } else { true }
    }
}

/// Why a publish ends before everything is confirmed.
package enum Trouble: Equatable {
    case refused(Refusal)
    /// No confirm came for so long.
    case silent(Duration)
    /// The broker has been blocked by an alarm for so long; the reason is the broker's.
    case blocked(reason: String, Duration)
    /// The connection is lost or can't be made, and another attempt would be useless or isn't asked for.
    case lost(BrokerError)
    /// The broker was reached and didn't answer in time, or took nothing in.
    case late(BrokerError)
    /// The broker stayed away, or took nothing, for as long as it was to be waited for.
    case gaveUp(BrokerError, after: Duration)
    case input(TaskSourceFailure)
    /// The message ids can't be printed.
    case output(SystemError)
    /// A signal asked for the end.
    case interrupted(Int32)

    /// Whether the broker was away or silent, so that what isn't confirmed may be kept for later.
    package var isOutage: Bool {
        switch self {
        case .silent, .blocked, .late, .gaveUp: true
        case .lost(let error): error.isRetriable
        default: false
        }
    }
}

/// What became of the tasks of a source, each counted once.
package struct Tally: Equatable {
    package var confirmed = 0
    /// Tasks that were sent without waiting for their confirms, and that didn't come back.
    package var sent = 0
    package var returned = 0
    package var nacked = 0
    /// Tasks that the broker may have.
    package var unknown = 0
    /// The number, from 1, of the first task that wasn't confirmed; nil when there is none.
    package var firstFailed: Int?

    package init(
        confirmed: Int = 0, sent: Int = 0, returned: Int = 0, nacked: Int = 0, unknown: Int = 0, firstFailed: Int? = nil
    ) {
        self.confirmed = confirmed
        self.sent = sent
        self.returned = returned
        self.nacked = nacked
        self.unknown = unknown
        self.firstFailed = firstFailed
    }
}
