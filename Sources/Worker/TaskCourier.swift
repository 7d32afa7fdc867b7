// Sends copies of tasks to other queues, over a connection of its own.

import Broker
import Posix

/// The worker's publishing side. It connects when the first copy is to be sent.
///
/// Publishing and consuming use separate connections: an alarmed broker stops reading from a connection that has
/// published, acknowledgements included.
final class TaskCourier {
    struct Settings {
        /// The queue that tasks come from and go back to.
        var queue: String
        var deadLetterQueue: String
        /// The type of a dead-letter queue that must be created; nil to create none.
        var deadLetterType: QueueType?
        /// The name of the retry queue for a delay.
        var retryQueue: (Duration) -> String
        /// What a dead-lettered task names as the host.
        var host: String
    }

    private struct Parcel {
        var job: WorkerState.JobID
        var destination: ShortString
        /// By which a returned copy is known again, with its destination.
        var messageID: ShortString?
        var body: [UInt8]
        /// Not a copy, but what a command has written about its task.
        var isAnswer = false
        var returned: ReturnedMessage?
    }

    /// What became of a copy.
    enum Outcome {
        case confirmed
        /// It couldn't be sent, or nobody knows whether the broker has it.
        case failed
        /// An answer that nobody waits for any more.
        case unwanted
    }

    private static let directReplyPrefix = Array("amq.rabbitmq.reply-to.".utf8)

    private let settings: Settings
    private let parameters: ConnectionParameters
    private var publisher: ConfirmingPublisher<Parcel>?
    private var opening: Opening<ConfirmingPublisher<Parcel>>?
    /// Copies that wait for the connection.
    private var unsent: [(job: WorkerState.JobID, copy: TaskCopy, errors: [UInt8])] = []
    /// Retry queues that were declared on this connection.
    private var declared: Set<ShortString> = []
    private var results: [(job: WorkerState.JobID, outcome: Outcome)] = []
    /// Dead-lettered tasks that came back because their queue is missing.
    private var homeless: [Parcel] = []
    /// Whether frames may wait in the library while the socket is quiet, or results in here.
    private(set) var mayHoldFrames = false
    /// What happened to the connection, to be told.
    private var notices: [WorkerState.Report] = []
    /// The reason of the last failure, to be told.
    private(set) var lastError: BrokerError?

    init(_ settings: Settings, parameters: ConnectionParameters) {
        self.settings = settings
        self.parameters = parameters
    }

    private var connection: Connection? { publisher?.channel.connection }
    /// To poll for reading; nil while there is nothing to come.
    var descriptor: Int32? { connection?.descriptor ?? opening?.descriptor }
    var heartbeat: Duration? { connection?.heartbeat }

    /// Sends a copy, once there is a connection. What becomes of it is in a later `receive()`.
    func send(_ job: WorkerState.JobID, _ copy: TaskCopy, errors: [UInt8]) {
        mayHoldFrames = true
        guard publisher == nil else { return sendNow(job, copy, errors) }
        unsent.append((job, copy, errors))
        guard opening == nil else { return }
        do throws(BrokerError) {
            opening = try Opening { [parameters] () throws(BrokerError) in
                try ConfirmingPublisher(on: Connection.open(parameters))
            }
        } catch {
            disconnect(error)
        }
    }

    private func takeConnection() {
        switch opening?.take() {
        case .success(let new):
            opening = nil
            publisher = new
            let copies = unsent
            unsent = []
            for copy in copies { send(copy.job, copy.copy, errors: copy.errors) }
        case .failure(let error):
            opening = nil
            disconnect(error)
        case nil: return
        }
    }

    private func sendNow(_ job: WorkerState.JobID, _ copy: TaskCopy, _ errors: [UInt8]) {
        let properties = copy.properties(
            queue: settings.queue, host: settings.host, time: UInt64(max(0, time(nil))), errors: errors
        ).fitting(frameMax: connection?.frameMax ?? 0)
        do throws(BrokerError) {
            let destination: ShortString
            switch copy.fate {
            case .later(let delay): destination = try declareRetryQueue(delay)
            case .deadLetter: destination = ShortString(settings.deadLetterQueue)
            case .moved(let queue): destination = queue
            case .answered: destination = copy.delivery.properties.replyTo ?? ""
            }
            var parcel = Parcel(
                job: job, destination: destination, messageID: properties.messageID, body: copy.delivery.body)
            if case .answered(let answer) = copy.fate {
                parcel.body = answer
                parcel.isAnswer = true
            }
            try publish(parcel, properties)
        } catch {
            results.append((job, .failed))
            guard error.code == .invalidInput else { return disconnect(error) }
            // Found before a byte went out: other copies have nothing to do with it.
            lastError = error
        }
    }

    /// What became of copies, without waiting.
    func receive() -> [(job: WorkerState.JobID, outcome: Outcome)] {
        mayHoldFrames = false
        takeConnection()
        if let connection {
            do throws(BrokerError) {
                while let event = try connection.nextEvent() { try take(event) }
                try houseHomeless()
            } catch {
                disconnect(error)
            }
        }
        defer { results = [] }
        return results
    }

    /// What there is to tell since the last call.
    func takeNotices() -> [WorkerState.Report] {
        defer { notices = [] }
        return notices
    }

    func close() {
        connection?.close()
        publisher = nil
    }

    /// All copies without a confirm have failed: nobody knows whether the broker has them.
    private func disconnect(_ error: BrokerError) {
        var error = error
        if error.code == .accessRefused, error.scope == .channel {
            error.operation = "send a task to another queue"
            error.neededPermission =
                "configure and write on \"\(settings.deadLetterQueue)\" and \"\(settings.queue).retry.*\", "
                + "and write on exchange \"amq.default\""
        }
        lastError = error
        results += (publisher?.unconfirmed ?? []).map { ($0.job, .failed) }
        results += homeless.map { ($0.job, .failed) }
        results += unsent.map { ($0.job, .failed) }
        homeless = []
        unsent = []
        publisher = nil
        declared = []
        mayHoldFrames = true
    }

    private func publish(
        _ parcel: Parcel, _ properties: MessageProperties
    ) throws(BrokerError) {
        // RabbitMQ returns a mandatory message to a direct reply-to even where it delivers it.
        let isDirectReply = parcel.isAnswer && parcel.destination.bytes.starts(with: Self.directReplyPrefix)
        try publisher?.publish(
            parcel, body: parcel.body, exchange: "", routingKey: parcel.destination, properties: properties,
            mandatory: !isDirectReply)
    }

    /// A quorum queue, whatever the task's own queue is: dead-lettering from a classic queue is at most once. Without
    /// `x-expires`, which could take waiting tasks with it.
    private func declareRetryQueue(_ delay: Duration) throws(BrokerError) -> ShortString {
        let name = ShortString(settings.retryQueue(delay))
        if declared.contains(name) { return name }
        try publisher?.channel.sendDeclareQueue(
            name, type: .quorum,
            arguments: [
                "x-message-ttl": .int64(delay.milliseconds),
                "x-dead-letter-exchange": .text(""),
                "x-dead-letter-routing-key": .text(settings.queue),
                "x-dead-letter-strategy": .text("at-least-once"),
                "x-overflow": .text("reject-publish"),
            ])
        declared.insert(name)
        return name
    }

    private func take(_ event: BrokerEvent) throws(BrokerError) {
        switch event {
        case .channelClosed(let error), .connectionClosed(let error):
            throw error
        case .blocked(let reason):
            notices.append(.blocked(reason: reason))
        case .unblocked:
            notices.append(.unblocked)
        default:
            try publisher?.take(
                event,
                matches: { parcel, returned in
                    parcel.destination == returned.routingKey && parcel.messageID == returned.properties.messageID
                        && parcel.body == returned.body
                },
                settled: settle)
        }
    }

    private func settle(_ parcel: Parcel, _ outcome: PublisherConfirms<Parcel>.Outcome) {
        switch outcome {
        case .confirmed:
            results.append((parcel.job, .confirmed))
        case .returned where parcel.isAnswer:
            results.append((parcel.job, .unwanted))
        case .returned(let message) where parcel.returned == nil && isMended(parcel.destination):
            // Somebody deleted the queue, or it never was: created and tried once more.
            declared.remove(parcel.destination)
            var parcel = parcel
            parcel.returned = message
            homeless.append(parcel)
        case .returned(let message):
            lastError = BrokerError(
                "send a task to queue \"\(parcel.destination)\"", message.code, scope: .client, message.text)
            results.append((parcel.job, .failed))
        case .nacked:
            lastError = BrokerError(
                "send a task to queue \"\(parcel.destination)\"", .internalError, scope: .client,
                "the broker refused to take it")
            results.append((parcel.job, .failed))
        }
    }

    /// Whether a queue that is missing will be created.
    private func isMended(_ queue: ShortString) -> Bool {
        queue != ShortString(settings.deadLetterQueue) || settings.deadLetterType != nil
    }

    private func houseHomeless() throws(BrokerError) {
        while let parcel = homeless.first, let message = parcel.returned {
            mayHoldFrames = true
            if parcel.destination == ShortString(settings.deadLetterQueue), let type = settings.deadLetterType {
                try publisher?.channel.sendDeclareQueue(parcel.destination, type: type)
                homeless.removeFirst()
                try publish(parcel, message.properties)
            } else {
                // A retry queue is declared again when the copy is sent again.
                homeless.removeFirst()
                results.append((parcel.job, .failed))
            }
        }
    }
}
