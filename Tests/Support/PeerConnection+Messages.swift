// What a scripted peer says and hears about messages, and the ways in which it says goodbye.

/// A message as a client published it.
package struct PublishedMessage: Sendable, Equatable {
    package var channel: UInt16
    package var exchange: String
    package var routingKey: String
    package var mandatory: Bool
    package var properties: AMQPProperties
    package var body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}

extension PeerConnection {
    /// The next message, of which all frames must follow each other on one channel. Nothing is answered.
    package func expectPublish() throws -> PublishedMessage {
        try content(of: expect(.basicPublish))
    }

    /// The rest of a message whose `basic.publish` was read by `serve(until:)` or `wait(for:)`.
    package func content(of method: AMQPMethod) throws -> PublishedMessage {
        let channel = lastChannel
        let header = try receiveSkippingHeartbeats(awaiting: "a content header")
        guard case .header(channel, let size, let properties) = header else {
            throw Failure("expected a content header, got \(header)")
        }
        var body: [UInt8] = []
        while body.count < size {
            let frame = try receiveSkippingHeartbeats(awaiting: "a body of \(size) bytes, \(body.count) there")
            guard case .body(channel, let bytes) = frame, body.count + bytes.count <= size else {
                throw Failure("expected \(size - UInt64(body.count)) bytes of body, got \(frame)")
            }
            body += bytes
        }
        return PublishedMessage(
            channel: channel, exchange: try method.text("exchange"), routingKey: try method.text("routing-key"),
            mandatory: try method.flag("mandatory"), properties: properties, body: body)
    }

    /// Sends a delivery; see `deliveryFrames`.
    package func deliver(
        tag: UInt64, body: [UInt8], routingKey: String = "queue", redelivered: Bool = false,
        properties: AMQPProperties = .none, split sizes: [Int] = [], channel: UInt16 = 1
    ) throws {
        try send(
            deliveryFrames(
                tag: tag, body: body, routingKey: routingKey, redelivered: redelivered, properties: properties,
                split: sizes, channel: channel))
    }

    /// The frames of a delivery to `consumerTag`, for a script that puts something between them.
    ///
    /// The body is split into frames of `sizes` bytes, 0 included; what they leave over follows in the greatest frames
    /// that were negotiated.
    package func deliveryFrames(
        tag: UInt64, body: [UInt8], routingKey: String = "queue", redelivered: Bool = false,
        properties: AMQPProperties = .none, split sizes: [Int] = [], channel: UInt16 = 1
    ) throws -> [AMQPFrame] {
        let method = try AMQPMethod(
            .basicDeliver,
            [
                "consumer-tag": .text(consumerTag), "delivery-tag": .number(tag), "redelivered": .flag(redelivered),
                "routing-key": .text(routingKey),
            ])
        return [.method(channel: channel, method)]
            + contentFrames(body: body, properties: properties, split: sizes, channel: channel)
    }

    /// A content's header and body frames.
    package func contentFrames(
        body: [UInt8], properties: AMQPProperties = .none, split sizes: [Int] = [], channel: UInt16 = 1
    ) -> [AMQPFrame] {
        var frames = [AMQPFrame.header(channel: channel, bodySize: UInt64(body.count), properties)]
        var rest = body[...]
        for size in sizes {
            frames.append(.body(channel: channel, Array(rest.prefix(size))))
            rest = rest.dropFirst(size)
        }
        while !rest.isEmpty {
            frames.append(.body(channel: channel, Array(rest.prefix(frameMax - AMQPFrame.overhead))))
            rest = rest.dropFirst(frameMax - AMQPFrame.overhead)
        }
        return frames
    }

    /// Confirms a published message by its number, with `multiple` all up to it.
    package func ack(_ tag: UInt64, multiple: Bool = false, channel: UInt16 = 1) throws {
        try send(.basicAck, ["delivery-tag": .number(tag), "multiple": .flag(multiple)], channel: channel)
    }

    /// Refuses a published message by its number, with `multiple` all up to it.
    package func nack(_ tag: UInt64, multiple: Bool = false, channel: UInt16 = 1) throws {
        try send(.basicNack, ["delivery-tag": .number(tag), "multiple": .flag(multiple)], channel: channel)
    }

    /// Sends a published message back as one that no queue took. A broker acks it right afterwards; this doesn't.
    package func returnMessage(_ message: PublishedMessage, code: UInt16 = 312, text: String = "NO_ROUTE") throws {
        let method = try AMQPMethod(
            .basicReturn,
            [
                "reply-code": .number(UInt64(code)), "reply-text": .text(text), "exchange": .text(message.exchange),
                "routing-key": .text(message.routingKey),
            ])
        try send(
            [.method(channel: message.channel, method)]
                + contentFrames(body: message.body, properties: message.properties, channel: message.channel))
    }

    /// Ends a consumer, as a broker does whose queue was deleted.
    package func cancelConsumer(channel: UInt16 = 1) throws {
        try send(.basicCancel, ["consumer-tag": .text(consumerTag), "no-wait": true], channel: channel)
    }

    /// Says that an alarm keeps the peer from reading. It is the script that doesn't read.
    package func block(reason: String = "low on memory") throws {
        try send(.connectionBlocked, ["reason": .text(reason)])
    }

    package func unblock() throws {
        try send(.connectionUnblocked)
    }

    /// Closes the channel without waiting for the client's close-ok. `cause` is the method that is to blame.
    package func closeChannel(
        _ code: UInt16, _ text: String, cause: AMQPMethodKind? = nil, channel: UInt16 = 1
    ) throws {
        try send(.channelClose, Self.reason(code, text, cause), channel: channel)
    }

    /// Says goodbye to the connection without waiting for the client's close-ok; the socket stays open.
    package func closeConnection(_ code: UInt16, _ text: String, cause: AMQPMethodKind? = nil) throws {
        try send(.connectionClose, Self.reason(code, text, cause))
    }

    private static func reason(_ code: UInt16, _ text: String, _ cause: AMQPMethodKind?) -> [String: AMQPValue] {
        [
            "reply-code": .number(UInt64(code)), "reply-text": .text(text),
            "class-id": .number(UInt64(cause?.classID ?? 0)), "method-id": .number(UInt64(cause?.methodID ?? 0)),
        ]
    }
}
