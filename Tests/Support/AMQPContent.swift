// A message's properties and field tables, readable by name and writable down to the last wrong byte.

/// The properties of a message as they stand on the wire: two bytes of flags, then the values.
package struct AMQPProperties: Sendable, Equatable {
    package var bytes: [UInt8]

    /// No properties.
    package static let none = AMQPProperties(bytes: [0, 0])

    private static let fields: [AMQPField] = [
        AMQPField("content-type", .shortString), AMQPField("content-encoding", .shortString),
        AMQPField("headers", .table), AMQPField("delivery-mode", .octet), AMQPField("priority", .octet),
        AMQPField("correlation-id", .shortString), AMQPField("reply-to", .shortString),
        AMQPField("expiration", .shortString), AMQPField("message-id", .shortString),
        AMQPField("timestamp", .longLong), AMQPField("type", .shortString), AMQPField("user-id", .shortString),
        AMQPField("app-id", .shortString), AMQPField("cluster-id", .shortString),
    ]

    /// Raw, as they follow a content header's body size.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Properties by the names of the specification: `["message-id": "m1", "delivery-mode": 2]`. Throws for unknown
    /// names and values that don't fit.
    package init(_ values: [String: AMQPValue]) throws {
        let arguments = try AMQPArguments(values, for: Self.fields, of: "basic properties")
        let present = Self.fields.filter { values[$0.name] != nil }
        var writer = AMQPWriter()
        var flags: UInt16 = 0
        for (index, field) in Self.fields.enumerated() where values[field.name] != nil { flags |= 0x8000 >> index }
        writer.integer(flags)
        writer.arguments(arguments, present)
        bytes = writer.bytes
    }

    /// What is present, by name. Throws when the bytes are not what the flags say.
    package func decoded() throws -> AMQPArguments {
        var reader = AMQPReader(bytes[...])
        let flags = try reader.integer(UInt16.self)
        let present = Self.fields.indices.filter { flags & 0x8000 >> $0 != 0 }.map { Self.fields[$0] }
        let arguments = try reader.arguments(present)
        guard reader.remaining.isEmpty else { throw Failure("properties are followed by \(reader.remaining)") }
        return arguments
    }
}

/// Field tables, written field by field so that any value can be sent, also one that no broker would.
package enum AMQPTable {
    /// A field of a raw type: `field("x-count", "I", [0, 0, 0, 1])`. Put fields together with `+`.
    package static func field(_ name: String, _ type: Character, _ value: [UInt8]) -> [UInt8] {
        let name = Array(name.utf8)
        return [UInt8(truncatingIfNeeded: name.count)] + name + [type.asciiValue ?? 0x3F] + value
    }

    /// A text field.
    package static func text(_ name: String, _ value: String) -> [UInt8] {
        field(name, "S", sized(Array(value.utf8)))
    }

    package static func flag(_ name: String, _ value: Bool) -> [UInt8] {
        field(name, "t", [value ? 1 : 0])
    }

    /// A signed number of 64 bits, as RabbitMQ sends its counts.
    package static func number(_ name: String, _ value: Int64) -> [UInt8] {
        var writer = AMQPWriter()
        writer.integer(value)
        return field(name, "l", writer.bytes)
    }

    /// A table inside a table; `fields` as the other functions make them.
    package static func table(_ name: String, _ fields: [UInt8]) -> [UInt8] {
        field(name, "F", sized(fields))
    }

    /// `bytes` behind their length in four bytes: a long string, a table or an array.
    package static func sized(_ bytes: [UInt8]) -> [UInt8] {
        var writer = AMQPWriter()
        writer.integer(UInt32(truncatingIfNeeded: bytes.count))
        writer.append(bytes)
        return writer.bytes
    }

    /// What a RabbitMQ broker says of itself, shortened: its product and the capabilities that clients look for.
    package static let usualServerProperties: [UInt8] =
        text("product", "Scripted peer") + text("version", "0")
        + table(
            "capabilities",
            [
                "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
                "connection.blocked", "authentication_failure_close", "per_consumer_qos",
            ].flatMap { flag($0, true) })
}
