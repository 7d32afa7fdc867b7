// One row a property: what checks, encodes, decodes, completes and writes messages down reads only these rows.

import CRabbitMQ

/// A property that a message may have.
package struct MessageProperty: Sendable {
    /// What a property's value is, and where it is kept.
    package enum Value: Sendable {
        case text(Place<ShortString>)
        case octet(Place<UInt8>)
        /// Seconds since 1970.
        case time(Place<UInt64>)
        case headers
    }

    /// Where a property is kept. Key paths would say it shorter, but to make them for all properties takes a tenth of
    /// what it takes to publish one task.
    package struct Place<Stored>: Sendable {
        fileprivate let access: Access<MessageProperties, Stored?>
    }

    /// Hands the part over that it stands for.
    fileprivate typealias Access<Whole, Part> = @Sendable (inout Whole, (inout Part) -> Void) -> Void

    /// As AMQP's specification writes it: `content-type`.
    package let name: String
    package let value: Value
    /// Says in librabbitmq's properties that this one is there.
    let flag: amqp_flags_t
    /// Changes nothing in what it decodes.
    let decode: @Sendable (_ wire: inout amqp_basic_properties_t, inout MessageProperties) -> Void
    /// Does nothing for a property that is absent.
    let encode:
        @Sendable (MessageProperties, borrowing MemoryPool, inout amqp_basic_properties_t) throws(BrokerError) -> Void
    /// Bytes on the wire; 0 for a property that is absent.
    let encodedSize: @Sendable (MessageProperties) -> Int

    /// All of them, in the order in which they are written down.
    package static let all: [MessageProperty] = [
        MessageProperty(
            "headers", AMQP_BASIC_HEADERS_FLAG, { $1(&$0.headers) }, { $1(&$0.headers) }, { _ in .headers },
            FieldTable.init(headers:), { table, pool throws(BrokerError) in try pool.table(table) },
            size: { $0.encodedSize }),
        octet("delivery-mode", AMQP_BASIC_DELIVERY_MODE_FLAG, { $1(&$0.deliveryMode) }, { $1(&$0.delivery_mode) }),
        octet("priority", AMQP_BASIC_PRIORITY_FLAG, { $1(&$0.priority) }, { $1(&$0.priority) }),
        MessageProperty(
            "timestamp", AMQP_BASIC_TIMESTAMP_FLAG, { $1(&$0.timestamp) }, { $1(&$0.timestamp) }, { .time($0) },
            { $0 }, { seconds, _ in seconds }, size: { _ in 8 }),
        text("content-type", AMQP_BASIC_CONTENT_TYPE_FLAG, { $1(&$0.contentType) }, { $1(&$0.content_type) }),
        text(
            "content-encoding", AMQP_BASIC_CONTENT_ENCODING_FLAG, { $1(&$0.contentEncoding) },
            { $1(&$0.content_encoding) }),
        text("correlation-id", AMQP_BASIC_CORRELATION_ID_FLAG, { $1(&$0.correlationID) }, { $1(&$0.correlation_id) }),
        text("reply-to", AMQP_BASIC_REPLY_TO_FLAG, { $1(&$0.replyTo) }, { $1(&$0.reply_to) }),
        text("expiration", AMQP_BASIC_EXPIRATION_FLAG, { $1(&$0.expiration) }, { $1(&$0.expiration) }),
        text("message-id", AMQP_BASIC_MESSAGE_ID_FLAG, { $1(&$0.messageID) }, { $1(&$0.message_id) }),
        text("type", AMQP_BASIC_TYPE_FLAG, { $1(&$0.type) }, { $1(&$0.type) }),
        text("user-id", AMQP_BASIC_USER_ID_FLAG, { $1(&$0.userID) }, { $1(&$0.user_id) }),
        text("app-id", AMQP_BASIC_APP_ID_FLAG, { $1(&$0.appID) }, { $1(&$0.app_id) }),
        text("cluster-id", AMQP_BASIC_CLUSTER_ID_FLAG, { $1(&$0.clusterID) }, { $1(&$0.cluster_id) }),
    ]

    private static func text(
        _ name: String, _ flag: Int32, _ place: @escaping Access<MessageProperties, ShortString?>,
        _ wirePlace: @escaping Access<amqp_basic_properties_t, amqp_bytes_t>
    ) -> MessageProperty {
        MessageProperty(
            name, flag, place, wirePlace, { .text($0) }, { ShortString($0) },
            { text, pool throws(BrokerError) in try pool.bytes(text) }, size: { $0.bytes.count + 1 })
    }

    private static func octet(
        _ name: String, _ flag: Int32, _ place: @escaping Access<MessageProperties, UInt8?>,
        _ wirePlace: @escaping Access<amqp_basic_properties_t, UInt8>
    ) -> MessageProperty {
        MessageProperty(
            name, flag, place, wirePlace, { .octet($0) }, { $0 }, { octet, _ in octet }, size: { _ in 1 })
    }

    private init<Stored, Encoded>(
        _ name: String, _ flag: Int32, _ place: @escaping Access<MessageProperties, Stored?>,
        _ wirePlace: @escaping Access<amqp_basic_properties_t, Encoded>, _ value: (Place<Stored>) -> Value,
        _ decoded: @escaping @Sendable (Encoded) -> Stored,
        _ encoded: @escaping @Sendable (Stored, borrowing MemoryPool) throws(BrokerError) -> Encoded,
        size: @escaping @Sendable (Stored) -> Int
    ) {
        let kept = Place(access: place)
        self.name = name
        self.value = value(kept)
        let flag = amqp_flags_t(flag)
        self.flag = flag
        decode = { wire, properties in
            wirePlace(&wire) { encoded in place(&properties) { $0 = decoded(encoded) } }
        }
        encode = { properties, pool, wire throws(BrokerError) in
            guard let stored = properties[kept] else { return }
            let encoded = try encoded(stored, pool)
            wire._flags |= flag
            wirePlace(&wire) { $0 = encoded }
        }
        encodedSize = { $0[kept].map(size) ?? 0 }
    }
}

extension MessageProperties {
    init(_ encoded: amqp_basic_properties_t) {
        self.init()
        var encoded = encoded
        for property in MessageProperty.all where encoded._flags & property.flag != 0 {
            property.decode(&encoded, &self)
        }
    }

    /// The property that is kept at `place`.
    package subscript<Stored>(place: MessageProperty.Place<Stored>) -> Stored? {
        get {
            var (whole, part) = (self, Stored?.none)
            place.access(&whole) { part = $0 }
            return part
        }
        set { place.access(&self) { $0 = newValue } }
    }

    /// The same, with what is missing taken from `others`; of headers, those of names that are missing.
    package func completed(by others: MessageProperties) -> MessageProperties {
        var result = self
        for property in MessageProperty.all {
            switch property.value {
            case .text(let place): result[place] = self[place] ?? others[place]
            case .octet(let place): result[place] = self[place] ?? others[place]
            case .time(let place): result[place] = self[place] ?? others[place]
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
