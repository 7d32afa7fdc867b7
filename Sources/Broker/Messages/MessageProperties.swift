// The properties that travel with a message.

/// AMQP's basic properties. nil means that the property is absent, which is not the same as empty.
package struct MessageProperties: Equatable, Sendable {
    package var contentType: ShortString?
    package var contentEncoding: ShortString?
    package var headers: FieldTable?
    /// 1: transient, 2: persistent.
    package var deliveryMode: UInt8?
    /// 0 to 255; quorum queues know two, classic priority queues as many as declared.
    package var priority: UInt8?
    package var correlationID: ShortString?
    package var replyTo: ShortString?
    /// Time to live in milliseconds, as decimal digits.
    package var expiration: ShortString?
    package var messageID: ShortString?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    package var type: ShortString?
    /// Must be the login's name, else RabbitMQ closes the channel with 406.
    package var userID: ShortString?
    package var appID: ShortString?
    /// Reserved by the specification, carried along unchanged.
    package var clusterID: ShortString?

    package init() {}

    /// Says why these properties can't be sent in a frame of `frameMax` bytes, nil when they can.
    ///
    /// librabbitmq finds out only after the method frame is on the wire, and then the connection is lost. Properties
    /// that somebody else sent, and that are only passed on, need not keep the specification's rules for header names.
    package func invalidity(frameMax: Int, arePassedOn: Bool = false) -> String? {
        for property in MessageProperty.all {
            guard case .text(let place) = property.value, let count = self[place]?.bytes.count else {
                continue
            }
            guard count <= ShortString.maximumCount else {
                return "\(property.name) is \(count) bytes long, the limit is \(ShortString.maximumCount)"
            }
        }
        if let name = arePassedOn ? headers?.firstUnsendableName : headers?.firstInvalidName {
            return
                "a header's name must have 1 to 128 bytes and no control characters, \"\(name)\" has "
                + "\(name.bytes.count)"
        }
        let size = encodedSize
        guard size <= frameMax else { return "the headers need \(size) bytes, the connection allows \(frameMax)" }
        return nil
    }

    /// Bytes of the content header's frame on the wire: 8 around every frame, 12 before the property flags, 2 of those.
    var encodedSize: Int { MessageProperty.all.reduce(22) { $0 + $1.encodedSize(self) } }
}
