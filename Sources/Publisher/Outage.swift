// How long a broker is looked for that is away.

import Broker
import Posix

/// The time of one outage after the other, each from its first failure to the next confirm. Pure but for the pauses'
/// jitter.
struct Outage {
    /// nil: an outage is the end.
    let retryFor: Duration?
    private var start: Instant?
    private var backoff = ReconnectBackoff()
    private var generator: any RandomNumberGenerator
    private var lastTold = ""

    init(retryFor: Duration?, generator: any RandomNumberGenerator) {
        self.retryFor = retryFor
        self.generator = generator
    }

    /// When the outage is the end, `.never` while there is none.
    var end: Instant {
        guard let start, let retryFor else { return .never }
        return start + retryFor
    }

    /// What follows a failure.
    enum Verdict {
        /// Another attempt at this instant. The last one is at the end of the time, not before it.
        case tryAgain(Instant)
        case giveUp(after: Duration)
        /// Another attempt would be useless, or isn't asked for.
        case fatal
    }

    /// Notes a failure.
    mutating func failed(_ error: BrokerError, _ now: Instant) -> Verdict {
        guard let retryFor, error.isRetriable else { return .fatal }
        if start == nil { start = now }
        guard now < end else { return .giveUp(after: retryFor) }
        return .tryAgain(min(now + backoff.next(using: &generator), end))
    }

    /// Whether the reason for waiting is new, and so to be told.
    mutating func isNews(_ error: BrokerError) -> Bool {
        defer { lastTold = error.message }
        return error.message != lastTold
    }

    /// A task was confirmed: the outage, if there was one, is over.
    mutating func progressed() {
        guard start != nil else { return }
        isOver()
        backoff.reset()
    }

    /// There is a connection, and nothing to prove it by: the next failure is another outage.
    mutating func isOver() {
        start = nil
        lastTold = ""
    }
}
