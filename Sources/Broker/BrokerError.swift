// What goes wrong between workq and a broker, as one type.

/// A failed operation on a broker.
public struct BrokerError: Error, Equatable {
    /// Why it failed: an AMQP reply code (200 to 599), or one of workq's own below zero. An open set, since brokers may
    /// send codes that no list knows.
    package struct Code: RawRepresentable, Hashable {
        package var rawValue: Int

        package init(rawValue: Int) {
            self.rawValue = rawValue
        }

        // AMQP 0-9-1 reply codes, and RabbitMQ's use of them.
        package static let contentTooLarge = Code(rawValue: 311)
        package static let noRoute = Code(rawValue: 312)
        package static let connectionForced = Code(rawValue: 320)
        package static let accessRefused = Code(rawValue: 403)
        package static let notFound = Code(rawValue: 404)
        package static let resourceLocked = Code(rawValue: 405)
        package static let preconditionFailed = Code(rawValue: 406)
        package static let notAllowed = Code(rawValue: 530)
        package static let notImplemented = Code(rawValue: 540)
        package static let internalError = Code(rawValue: 541)

        /// The host's name can't be resolved.
        package static let hostNotFound = Code(rawValue: -1)
        /// No TCP connection could be made.
        package static let unreachable = Code(rawValue: -2)
        /// No answer in time.
        package static let timedOut = Code(rawValue: -3)
        /// The connection ended without a word from the broker, or with no heartbeat for two intervals.
        package static let connectionLost = Code(rawValue: -4)
        /// No TLS session that can be trusted.
        package static let tlsFailed = Code(rawValue: -5)
        /// The peer doesn't speak AMQP 0-9-1, or breaks its rules.
        package static let protocolViolation = Code(rawValue: -6)
        /// A message or name that can't be sent; found before a byte went out.
        package static let invalidInput = Code(rawValue: -7)
        /// A certificate or key file that can't be used.
        package static let badCertificateFile = Code(rawValue: -8)
        /// The system refused memory, a descriptor or a thread.
        package static let outOfResources = Code(rawValue: -9)
        /// The broker won't take a message now: its queue is full, or is a quorum queue that knows of no leader.
        package static let nacked = Code(rawValue: -10)
        /// A TLS certificate that may be good, but nobody here knows who signed it.
        package static let unknownAuthority = Code(rawValue: -11)
    }

    /// What an error leaves behind.
    package enum Scope {
        /// The connection is gone.
        case connection
        /// The channel is closed; the connection lives and can open another.
        case channel
        /// Nothing has changed on the broker's side.
        case client
    }

    /// What was tried, as it follows "cannot": `connect to amqp://broker:5672`.
    package var operation: String
    package var code: Code
    package var scope: Scope
    /// The broker's or the system's own words. They come from elsewhere: escape before showing.
    package var text: String
    /// What the login must be allowed for the operation, where the broker refused it: `write to exchange
    /// "amq.default"`.
    package var neededPermission: String?

    package init(_ operation: String, _ code: Code, scope: Scope, _ text: String) {
        self.operation = operation
        self.code = code
        self.scope = scope
        self.text = text
    }

    /// The broker has ended the consumer that the operation needs.
    package static func consumerCancelled(_ operation: String) -> BrokerError {
        BrokerError(operation, .connectionLost, scope: .channel, "the queue was deleted or lost its leader")
    }

    /// Whether the same operation may succeed later without anybody changing anything but the broker's health.
    package var isRetriable: Bool {
        switch code {
        case .hostNotFound, .unreachable, .timedOut, .connectionLost, .connectionForced, .internalError,
            .outOfResources, .nacked:
            true
        // The queue is there, its node will be again.
        default: isHomeNodeDown
        }
    }

    /// One line: operation, the reason, and the reply code where the broker gave one.
    package var message: String {
        let number = code.rawValue > 0 ? " (\(code.rawValue))" : ""
        return "cannot \(operation): \(text)\(number)"
    }
}
