// The connection of a publish, and how long it is looked for when it is gone.

import Broker
import Options
import Posix

/// One connection after the other to a broker that may be away for a while.
final class BrokerLink {
    private let parameters: ConnectionParameters
    private let confirms: Bool
    /// nil: an outage is the end.
    private let retryFor: Duration?
    private let voice: PublishVoice
    private(set) var connection: Connection?
    /// The account of what was published on the connection.
    var publisher: ConfirmingPublisher<OutgoingTask>?
    /// The number of the connection, from 1.
    private(set) var session = 0
    private var outageStart: Instant?
    /// Whether an attempt has failed since the last progress.
    private var hasWaited = false
    private var backoff = ReconnectBackoff()
    private var lastSaid = ""

    init(_ parameters: ConnectionParameters, confirms: Bool, retryFor: Duration?, voice: PublishVoice) {
        self.parameters = parameters
        self.confirms = confirms
        self.retryFor = retryFor
        self.voice = voice
    }

    /// Connects unless there is a connection. Between attempts `pause` waits until an instant, and says whether to go on.
    func connect(pause: (Instant) -> Bool) throws(BrokerError) {
        while connection == nil {
            do {
                let opened = try Connection.open(parameters)
                publisher = try ConfirmingPublisher<OutgoingTask>(on: opened, confirms: confirms)
                connection = opened
                session += 1
            } catch {
                guard try wait(after: error, pause) else { throw error }
            }
        }
    }

    /// Connects again after an error; throws it when that is no use or takes too long.
    func reconnect(after error: BrokerError, pause: (Instant) -> Bool) throws(BrokerError) {
        drop()
        guard try wait(after: error, pause) else { throw error }
        try connect(pause: pause)
    }

    /// Lets go of a connection that can't be used any more.
    func drop() {
        connection = nil
        publisher = nil
    }

    func close() {
        connection?.close()
        drop()
    }

    /// Runs `body` with the publisher, when there is one.
    @discardableResult
    func withPublisher<Result>(
        _ body: (inout ConfirmingPublisher<OutgoingTask>) throws(BrokerError) -> Result
    ) throws(BrokerError) -> Result? {
        guard var publisher = publisher.take() else { return nil }
        defer { self.publisher = publisher }
        return try body(&publisher)
    }

    /// A task was confirmed: the outage or refusal, if there was one, is over.
    func noteProgress() {
        guard hasWaited else { return }
        hasWaited = false
        endOutage()
        backoff.reset()
    }

    /// There is a connection, and nothing to prove it by: the next time that it is lost is another outage.
    func endOutage() {
        outageStart = nil
        lastSaid = ""
    }

    /// Whether `error` is worth another attempt and there is time for it.
    func isWorthRetrying(_ error: BrokerError) -> Bool { retryFor != nil && error.isRetriable }

    private func wait(after error: BrokerError, _ pause: (Instant) -> Bool) throws(BrokerError) -> Bool {
        guard let retryFor, error.isRetriable else { return false }
        let now = Instant.now
        let start = outageStart ?? now
        outageStart = start
        hasWaited = true
        guard now < start + retryFor else {
            var error = error
            error.text += "; gave up after \(retryFor.shortText)"
            throw error
        }
        if error.message != lastSaid {
            voice.note("\(error.message.withFullStop) Trying again for up to \(retryFor.shortText)")
            lastSaid = error.message
        }
        var generator = SystemRandomNumberGenerator()
        // The last attempt is at the end of the time, not before it.
        return pause(min(now + backoff.next(using: &generator), start + retryFor))
    }
}
