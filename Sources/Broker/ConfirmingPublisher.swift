// Publishing with every message accounted for.

/// A channel together with the account of what was published on it.
package struct ConfirmingPublisher<Message> {
    package let channel: Channel
    private let isConfirming: Bool
    private var confirms = PublisherConfirms<Message>()

    /// Opens a channel and turns confirms on. With `confirms` false no account is kept: nothing is ever unconfirmed.
    package init(on connection: Connection, confirms isConfirming: Bool = true) throws(BrokerError) {
        channel = try Channel(on: connection)
        self.isConfirming = isConfirming
        if isConfirming { try channel.selectConfirms() }
    }

    package var unconfirmedCount: Int { confirms.unconfirmedCount }

    /// Messages whose outcome isn't known, in the order of sending.
    package var unconfirmed: [Message] { confirms.unconfirmed }

    /// Sends a message, `mandatory` as a rule: the broker then returns it when no queue takes it. When this throws anything but `invalidInput`, the outcome of the message is unknown.
    package mutating func publish(
        _ message: Message, body: [UInt8], exchange: ShortString, routingKey: ShortString,
        properties: MessageProperties, mandatory: Bool = true
    ) throws(BrokerError) {
        do {
            try channel.publish(
                body, exchange: exchange, routingKey: routingKey, mandatory: mandatory, properties: properties)
        } catch {
            if isConfirming, error.code != .invalidInput { confirms.published(message) }
            throw error
        }
        if isConfirming { confirms.published(message) }
    }

    /// Takes the broker's word on published messages: returns and confirms. Other events are ignored.
    ///
    /// - Parameters:
    ///   - matches: whether a returned message is this one.
    ///   - settled: called for each message whose outcome is now known.
    package mutating func take(
        _ event: BrokerEvent, matches: (Message, ReturnedMessage) -> Bool,
        settled: (Message, PublisherConfirms<Message>.Outcome) -> Void
    ) throws(BrokerError) {
        do throws(PublisherConfirms<Message>.Violation) {
            switch event {
            case .acknowledged(let tag, let multiple):
                try confirms.settle(tag, multiple: multiple, isAck: true, settled)
            case .negativelyAcknowledged(let tag, let multiple):
                try confirms.settle(tag, multiple: multiple, isAck: false, settled)
            case .returned(let returned):
                _ = confirms.returned(returned) { matches($0, returned) }
            default: break
            }
        } catch {
            throw BrokerError(
                "account for published messages", .protocolViolation, scope: .connection,
                "the broker confirmed message \(error.deliveryTag), which is not outstanding")
        }
    }
}
