// Puts method, header and body frames together to whole messages.

/// Assembles the content that follows `basic.deliver` and `basic.return`. Pure: it sees values, no connection.
///
/// AMQP sends a content as a method frame, a header frame with the body's size, and as many body frames as it takes.
/// On one channel nothing else may come between, except frames of channel 0, which never pass through here.
package struct FrameAssembler {
    /// A message of which not all has arrived.
    private enum State {
        case idle
        case awaitingHeader(Envelope)
        case awaitingBody(Envelope, MessageProperties, remaining: Int, body: [UInt8])
    }

    /// The method that a content belongs to.
    package enum Envelope {
        case delivery(
            consumerTag: ShortString, deliveryTag: UInt64, redelivered: Bool, exchange: ShortString,
            routingKey: ShortString)
        case returned(code: Int, text: String, exchange: ShortString, routingKey: ShortString)
    }

    /// A frame that has no place in the sequence; the connection can't be used any more.
    package struct Violation: Error, Equatable {
        package var text: String
    }

    /// The most that a body may announce: RabbitMQ's own limit for `max_message_size`.
    package static let maximumBodySize: UInt64 = 512 << 20

    private var state = State.idle

    package init() {}

    /// Whether part of a message has arrived and the rest is due.
    package var isInContent: Bool {
        if case .idle = state { false } else { true }
    }

    /// A method frame that content follows.
    package mutating func begin(_ envelope: Envelope) throws(Violation) {
        guard case .idle = state else { throw Violation(text: "a method frame in the middle of a message") }
        state = .awaitingHeader(envelope)
    }

    /// A header frame; the whole message when its body is empty.
    package mutating func header(
        bodySize: UInt64, properties: MessageProperties
    ) throws(Violation) -> BrokerEvent? {
        guard case .awaitingHeader(let envelope) = state else {
            throw Violation(text: "a content header that belongs to no method")
        }
        guard bodySize <= Self.maximumBodySize else {
            throw Violation(text: "a message of \(bodySize) bytes, the limit is \(Self.maximumBodySize)")
        }
        guard bodySize > 0 else {
            state = .idle
            return Self.event(envelope, properties, [])
        }
        var body: [UInt8] = []
        body.reserveCapacity(Int(bodySize))
        state = .awaitingBody(envelope, properties, remaining: Int(bodySize), body: body)
        return nil
    }

    /// A body frame; the whole message when it was the last one. `bytes` are copied.
    package mutating func body(_ bytes: UnsafeRawBufferPointer) throws(Violation) -> BrokerEvent? {
        guard case .awaitingBody(let envelope, let properties, let remaining, var body) = state else {
            throw Violation(text: "a body frame that belongs to no message")
        }
        guard bytes.count <= remaining else {
            throw Violation(text: "a message body longer than its header says")
        }
        // The state lets go of the array first, else appending would copy it.
        state = .idle
        body.append(contentsOf: bytes)
        guard bytes.count == remaining else {
            state = .awaitingBody(envelope, properties, remaining: remaining - bytes.count, body: body)
            return nil
        }
        return Self.event(envelope, properties, body)
    }

    /// Forgets a message of which only a part arrived: its channel was closed.
    package mutating func reset() {
        state = .idle
    }

    private static func event(_ envelope: Envelope, _ properties: MessageProperties, _ body: [UInt8]) -> BrokerEvent {
        switch envelope {
        case .delivery(let consumerTag, let deliveryTag, let redelivered, let exchange, let routingKey):
            .delivery(
                Delivery(
                    consumerTag: consumerTag, deliveryTag: deliveryTag, redelivered: redelivered, exchange: exchange,
                    routingKey: routingKey, properties: properties, body: body))
        case .returned(let code, let text, let exchange, let routingKey):
            .returned(
                ReturnedMessage(
                    code: BrokerError.Code(rawValue: code), text: text, exchange: exchange, routingKey: routingKey,
                    properties: properties, body: body))
        }
    }
}
