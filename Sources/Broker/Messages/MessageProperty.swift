// One row a property: what checks, encodes, decodes, completes and writes messages down reads only these rows.

import CRabbitMQ

/// A property that a message may have.
package struct MessageProperty: Sendable {
    /// What a property's value is, and where it is kept.
    package enum Value: Sendable {
        case text(any WritableKeyPath<MessageProperties, ShortString?> & Sendable)
        case octet(any WritableKeyPath<MessageProperties, UInt8?> & Sendable)
        /// Seconds since 1970.
        case time(any WritableKeyPath<MessageProperties, UInt64?> & Sendable)
        case headers
    }

    /// As AMQP's specification writes it: `content-type`.
    package let name: String
    package let value: Value
    /// Says in librabbitmq's properties that this one is there.
    let flag: amqp_flags_t
    let decode: @Sendable (amqp_basic_properties_t, inout MessageProperties) -> Void
    /// Does nothing for a property that is absent.
    let encode:
        @Sendable (MessageProperties, borrowing MemoryPool, inout amqp_basic_properties_t) throws(BrokerError) -> Void
    /// Bytes on the wire; 0 for a property that is absent.
    let encodedSize: @Sendable (MessageProperties) -> Int

    /// All of them, in the order in which they are written down.
    package static let all: [MessageProperty] = [
        MessageProperty(
            "headers", .headers, \.headers, AMQP_BASIC_HEADERS_FLAG, \.headers, FieldTable.init(headers:),
            { table, pool throws(BrokerError) in try pool.table(table) }, size: \.encodedSize),
        octet("delivery-mode", \.deliveryMode, AMQP_BASIC_DELIVERY_MODE_FLAG, \.delivery_mode),
        octet("priority", \.priority, AMQP_BASIC_PRIORITY_FLAG, \.priority),
        MessageProperty(
            "timestamp", .time(\.timestamp), \.timestamp, AMQP_BASIC_TIMESTAMP_FLAG, \.timestamp, { $0 },
            { seconds, _ in seconds }, size: { _ in 8 }),
        text("content-type", \.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, \.content_type),
        text("content-encoding", \.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, \.content_encoding),
        text("correlation-id", \.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, \.correlation_id),
        text("reply-to", \.replyTo, AMQP_BASIC_REPLY_TO_FLAG, \.reply_to),
        text("expiration", \.expiration, AMQP_BASIC_EXPIRATION_FLAG, \.expiration),
        text("message-id", \.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, \.message_id),
        text("type", \.type, AMQP_BASIC_TYPE_FLAG, \.type),
        text("user-id", \.userID, AMQP_BASIC_USER_ID_FLAG, \.user_id),
        text("app-id", \.appID, AMQP_BASIC_APP_ID_FLAG, \.app_id),
        text("cluster-id", \.clusterID, AMQP_BASIC_CLUSTER_ID_FLAG, \.cluster_id),
    ]

    private typealias Place<Stored> = any WritableKeyPath<MessageProperties, Stored?> & Sendable
    private typealias WirePlace<Encoded> = any WritableKeyPath<amqp_basic_properties_t, Encoded> & Sendable

    private static func text(
        _ name: String, _ place: Place<ShortString>, _ flag: Int32, _ wirePlace: WirePlace<amqp_bytes_t>
    ) -> MessageProperty {
        MessageProperty(
            name, .text(place), place, flag, wirePlace, { ShortString($0) },
            { text, pool throws(BrokerError) in try pool.bytes(text) }, size: { $0.bytes.count + 1 })
    }

    private static func octet(
        _ name: String, _ place: Place<UInt8>, _ flag: Int32, _ wirePlace: WirePlace<UInt8>
    ) -> MessageProperty {
        MessageProperty(name, .octet(place), place, flag, wirePlace, { $0 }, { octet, _ in octet }, size: { _ in 1 })
    }

    private init<Stored, Encoded>(
        _ name: String, _ value: Value, _ place: Place<Stored>, _ flag: Int32, _ wirePlace: WirePlace<Encoded>,
        _ decoded: @escaping @Sendable (Encoded) -> Stored,
        _ encoded: @escaping @Sendable (Stored, borrowing MemoryPool) throws(BrokerError) -> Encoded,
        size: @escaping @Sendable (Stored) -> Int
    ) {
        self.name = name
        self.value = value
        let flag = amqp_flags_t(flag)
        self.flag = flag
        decode = { $1[keyPath: place] = decoded($0[keyPath: wirePlace]) }
        encode = { properties, pool, wire throws(BrokerError) in
            guard let stored = properties[keyPath: place] else { return }
            wire._flags |= flag
            wire[keyPath: wirePlace] = try encoded(stored, pool)
        }
        encodedSize = { $0[keyPath: place].map(size) ?? 0 }
    }
}

extension MessageProperties {
    init(_ encoded: amqp_basic_properties_t) {
        self.init()
        for property in MessageProperty.all where encoded._flags & property.flag != 0 {
            property.decode(encoded, &self)
        }
    }

    /// The same, with what is missing taken from `others`; of headers, those of names that are missing.
    package func completed(by others: MessageProperties) -> MessageProperties {
        var result = self
        for property in MessageProperty.all {
            switch property.value {
            case .text(let place): result[keyPath: place] = self[keyPath: place] ?? others[keyPath: place]
            case .octet(let place): result[keyPath: place] = self[keyPath: place] ?? others[keyPath: place]
            case .time(let place): result[keyPath: place] = self[keyPath: place] ?? others[keyPath: place]
            case .headers:
                guard let headers = others.headers else { continue }
                let own = self.headers?.fields ?? []
                result.headers = FieldTable(
                    own + headers.fields.filter { other in !own.contains { $0.name == other.name } })
            }
        }
        return result
    }
}
