// Names and short properties as AMQP carries them.

/// AMQP's short string: up to 255 bytes, usually but not certainly UTF-8. Kept as bytes, so that what came from a
/// broker goes back unchanged.
public struct ShortString: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package var bytes: [UInt8]

    /// The most bytes that the length octet can announce.
    package static let maximumCount = 255

    /// What an asker names as `reply-to` that waits for the answer on its own channel: the broker puts an address in
    /// its place.
    package static let directReplyTo: ShortString = "amq.rabbitmq.reply-to"

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    public init(stringLiteral text: String) {
        self.init(text)
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The text, invalid UTF-8 replaced: to be shown, never to be sent.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
