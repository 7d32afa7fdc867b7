// How often a task is tried, and how long it waits in between.

import Broker

/// What becomes of failed attempts. Pure.
package struct RetryPolicy: Equatable {
    /// How often a task is tried before it is dead-lettered; at least 1.
    package var maximumAttempts = 5
    /// The waits after the first, second, ... failed attempt; the last one counts for all later ones. Never empty, and
    /// never longer than a queue's time to live can be.
    package var delays: [Duration] = [.seconds(1), .seconds(10), .seconds(60), .seconds(600)]

    package init() {}

    /// How often a task may come back to its quorum queue before it is watched: looks at it, workers that were stopped
    /// and connections that were lost bring it back as a worker does that died of it.
    var trustedReturns: Int { max(1, maximumAttempts - watchedReturns) }
    /// How often a task that is watched comes back until it isn't tried again.
    var watchedReturns: Int { max(1, maximumAttempts / 2) }

    /// What a copy of a task is sent for.
    package enum Fate: Equatable, Sendable {
        case later(Duration)
        case deadLetter
        /// To the end of the queue that it came from: on a quorum queue giving back in any other way counts as a
        /// failure.
        case back
        /// There, too, to be watched: it has come back so often that it may have killed its workers.
        case watched(returns: Int)
        /// To another queue, because that is what the worker is for.
        case moved(to: ShortString)
        /// What the command has written, to whoever waits for it.
        case answered([UInt8])
    }

    /// What becomes of a task whose attempt, counted from 1, has failed.
    func fate(afterAttempt attempt: Int) -> Fate {
        attempt >= maximumAttempts ? .deadLetter : .later(delay(afterAttempt: attempt))
    }

    /// How long a task waits when its attempt, counted from 1, has failed.
    package func delay(afterAttempt attempt: Int) -> Duration {
        delays[min(max(attempt, 1), delays.count) - 1]
    }
}
