// Publishing with every message accounted for.

/// A channel together with the account of what was published on it.
public struct ConfirmingPublisher<Message> {
    public let channel: Channel
    @usableFromInline let isConfirming: Bool
    @usableFromInline var confirms = PublisherConfirms<Message>()

    /// Opens a channel and turns confirms on, without waiting for a reply to either. With `confirms` false no account
    /// is kept: nothing is ever unconfirmed.
    package init(on connection: Connection, confirms isConfirming: Bool = true) throws(BrokerError) {
        channel = try Channel(openingOn: connection)
        self.isConfirming = isConfirming
        if isConfirming { try channel.selectConfirms() }
    }

    @inlinable public var unconfirmedCount: Int { confirms.unconfirmedCount }

    /// Messages whose outcome isn't known, in the order of sending.
    @inlinable public var unconfirmed: [Message] { confirms.unconfirmed }

    /// The counts of a queue, nil when there is none. Nothing may be unconfirmed: over a missing queue the broker
    /// closes the channel, which is then opened again, and the numbers of messages start over.
    package mutating func statusIfAny(ofQueue name: ShortString) throws(BrokerError) -> QueueStatus? {
        do {
            return try channel.status(ofQueue: name)
        } catch {
            guard error.code == .notFound, error.scope == .channel else { throw error }
            try channel.open()
            if isConfirming { try channel.selectConfirms() }
            confirms = PublisherConfirms()
            return nil
        }
    }

    /// Sends a message, `mandatory` as a rule: the broker then returns it when no queue takes it. When this throws
    /// anything but `invalidInput`, the outcome of the message is unknown.
    package mutating func publish(
        _ message: Message, body: [UInt8], exchange: ShortString, routingKey: ShortString,
        properties: MessageProperties, mandatory: Bool = true
    ) throws(BrokerError) {
        try account(for: message) { channel throws(BrokerError) in
            try channel.publish(
                body, exchange: exchange, routingKey: routingKey, mandatory: mandatory, properties: properties)
        }
    }

    /// Sends a mandatory message made from a template, for many messages that have most things in common.
    @inlinable public mutating func publish(
        _ message: Message, body: [UInt8], _ template: MessageTemplate, messageID: UnsafeRawBufferPointer,
        timestamp: UInt64?
    ) throws(BrokerError) {
        try account(for: message) { channel throws(BrokerError) in
            try channel.publish(body, template, messageID: messageID, timestamp: timestamp)
        }
    }

    @inlinable mutating func account(
        for message: Message, _ publish: (Channel) throws(BrokerError) -> Void
    ) throws(BrokerError) {
        do {
            try publish(channel)
        } catch {
            if isConfirming, error.mayHaveSent { confirms.published(message) }
            throw error
        }
        if isConfirming { confirms.published(message) }
    }

    /// Takes the broker's word on published messages, as `PublisherConfirms` does.
    @inlinable public mutating func take(
        _ event: BrokerEvent, matches: (Message, ReturnedMessage) -> Bool,
        settled: (Message, PublisherConfirms<Message>.Outcome) -> Void
    ) throws(BrokerError) {
        try confirms.take(event, matches: matches, settled: settled)
    }
}

extension PublisherConfirms {
    /// Takes the broker's word on published messages: returns and confirms. Other events are ignored.
    ///
    /// - Parameters:
    ///   - matches: whether a returned message is this one.
    ///   - settled: called for each message whose outcome is now known.
    @inlinable public mutating func take(
        _ event: BrokerEvent, matches: (Message, ReturnedMessage) -> Bool, settled: (Message, Outcome) -> Void
    ) throws(BrokerError) {
        var isKnown = true
        do throws(Violation) {
            switch event {
            case .acknowledged(let tag, let multiple):
                try settle(tag, multiple: multiple, isAck: true, settled)
            case .negativelyAcknowledged(let tag, let multiple):
                try settle(tag, multiple: multiple, isAck: false, settled)
            case .returned(let message):
                isKnown = returned(message) { matches($0, message) }
            default: break
            }
        } catch {
            throw BrokerError(notOutstanding: error.deliveryTag)
        }
        guard isKnown else { throw BrokerError.returnOfUnknown }
    }
}

extension BrokerError {
    /// Whether the broker may have the message over which this was thrown.
    @usableFromInline var mayHaveSent: Bool { code != .invalidInput }

    /// The broker returned a message that isn't outstanding, and so will confirm one that no queue has.
    @usableFromInline static var returnOfUnknown: BrokerError {
        BrokerError(
            "account for published messages", .protocolViolation, scope: .connection,
            "the broker returned a message that is not outstanding")
    }

    /// The broker confirmed a message that it can't confirm.
    @usableFromInline init(notOutstanding deliveryTag: UInt64) {
        self.init(
            "account for published messages", .protocolViolation, scope: .connection,
            "the broker confirmed message \(deliveryTag), which is not outstanding")
    }
}
