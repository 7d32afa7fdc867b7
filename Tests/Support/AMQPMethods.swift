// The methods of AMQP 0-9-1 that workq and a broker exchange, as a table.

/// A kind of method: its numbers, its name, and what it carries.
package struct AMQPMethodKind: Sendable, Hashable, CustomStringConvertible {
    package let classID: UInt16
    package let methodID: UInt16
    package let name: String
    package let fields: [AMQPField]
    /// Whether a content header follows.
    package let hasContent: Bool

    package var description: String { name }

    private init(
        _ classID: UInt16, _ methodID: UInt16, _ name: String, _ fields: KeyValuePairs<String, AMQPFieldType> = [:],
        hasContent: Bool = false
    ) {
        self.classID = classID
        self.methodID = methodID
        self.name = name
        self.fields = fields.map { AMQPField($0.key, $0.value) }
        self.hasContent = hasContent
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.classID == right.classID && left.methodID == right.methodID
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(classID)
        hasher.combine(methodID)
    }

    /// The method that answers this one when all is well, nil where nothing does: by AMQP's numbering it is the next.
    package var reply: AMQPMethodKind? {
        Self.known(classID, methodID + 1).flatMap { $0.name == "\(name)-ok" ? $0 : nil }
    }

    static func known(_ classID: UInt16, _ methodID: UInt16) -> AMQPMethodKind? {
        byNumber[UInt32(classID) << 16 | UInt32(methodID)]
    }

    private static let byNumber: [UInt32: AMQPMethodKind] = Dictionary(
        uniqueKeysWithValues: all.map { (UInt32($0.classID) << 16 | UInt32($0.methodID), $0) })
}

extension AMQPMethodKind {
    package static let connectionStart = Self(
        10, 10, "connection.start",
        [
            "version-major": .octet, "version-minor": .octet, "server-properties": .table, "mechanisms": .longString,
            "locales": .longString,
        ])
    package static let connectionStartOK = Self(
        10, 11, "connection.start-ok",
        ["client-properties": .table, "mechanism": .shortString, "response": .longString, "locale": .shortString])
    package static let connectionTune = Self(
        10, 30, "connection.tune", ["channel-max": .short, "frame-max": .long, "heartbeat": .short])
    package static let connectionTuneOK = Self(
        10, 31, "connection.tune-ok", ["channel-max": .short, "frame-max": .long, "heartbeat": .short])
    package static let connectionOpen = Self(
        10, 40, "connection.open", ["virtual-host": .shortString, "reserved-1": .shortString, "reserved-2": .bit])
    package static let connectionOpenOK = Self(10, 41, "connection.open-ok", ["reserved-1": .shortString])
    package static let connectionClose = Self(10, 50, "connection.close", closeFields)
    package static let connectionCloseOK = Self(10, 51, "connection.close-ok")
    package static let connectionBlocked = Self(10, 60, "connection.blocked", ["reason": .shortString])
    package static let connectionUnblocked = Self(10, 61, "connection.unblocked")

    package static let channelOpen = Self(20, 10, "channel.open", ["reserved-1": .shortString])
    package static let channelOpenOK = Self(20, 11, "channel.open-ok", ["reserved-1": .longString])
    package static let channelFlow = Self(20, 20, "channel.flow", ["active": .bit])
    package static let channelFlowOK = Self(20, 21, "channel.flow-ok", ["active": .bit])
    package static let channelClose = Self(20, 40, "channel.close", closeFields)
    package static let channelCloseOK = Self(20, 41, "channel.close-ok")

    package static let queueDeclare = Self(
        50, 10, "queue.declare",
        [
            "reserved-1": .short, "queue": .shortString, "passive": .bit, "durable": .bit, "exclusive": .bit,
            "auto-delete": .bit, "no-wait": .bit, "arguments": .table,
        ])
    package static let queueDeclareOK = Self(
        50, 11, "queue.declare-ok", ["queue": .shortString, "message-count": .long, "consumer-count": .long])
    package static let queuePurge = Self(
        50, 30, "queue.purge", ["reserved-1": .short, "queue": .shortString, "no-wait": .bit])
    package static let queuePurgeOK = Self(50, 31, "queue.purge-ok", ["message-count": .long])
    package static let queueDelete = Self(
        50, 40, "queue.delete",
        ["reserved-1": .short, "queue": .shortString, "if-unused": .bit, "if-empty": .bit, "no-wait": .bit])
    package static let queueDeleteOK = Self(50, 41, "queue.delete-ok", ["message-count": .long])

    package static let basicQos = Self(
        60, 10, "basic.qos", ["prefetch-size": .long, "prefetch-count": .short, "global": .bit])
    package static let basicQosOK = Self(60, 11, "basic.qos-ok")
    package static let basicConsume = Self(
        60, 20, "basic.consume",
        [
            "reserved-1": .short, "queue": .shortString, "consumer-tag": .shortString, "no-local": .bit,
            "no-ack": .bit, "exclusive": .bit, "no-wait": .bit, "arguments": .table,
        ])
    package static let basicConsumeOK = Self(60, 21, "basic.consume-ok", ["consumer-tag": .shortString])
    package static let basicCancel = Self(
        60, 30, "basic.cancel", ["consumer-tag": .shortString, "no-wait": .bit])
    package static let basicCancelOK = Self(60, 31, "basic.cancel-ok", ["consumer-tag": .shortString])
    package static let basicPublish = Self(
        60, 40, "basic.publish",
        [
            "reserved-1": .short, "exchange": .shortString, "routing-key": .shortString, "mandatory": .bit,
            "immediate": .bit,
        ], hasContent: true)
    package static let basicReturn = Self(
        60, 50, "basic.return",
        ["reply-code": .short, "reply-text": .shortString, "exchange": .shortString, "routing-key": .shortString],
        hasContent: true)
    package static let basicDeliver = Self(
        60, 60, "basic.deliver",
        [
            "consumer-tag": .shortString, "delivery-tag": .longLong, "redelivered": .bit, "exchange": .shortString,
            "routing-key": .shortString,
        ], hasContent: true)
    package static let basicGet = Self(
        60, 70, "basic.get", ["reserved-1": .short, "queue": .shortString, "no-ack": .bit])
    package static let basicGetOK = Self(
        60, 71, "basic.get-ok",
        [
            "delivery-tag": .longLong, "redelivered": .bit, "exchange": .shortString, "routing-key": .shortString,
            "message-count": .long,
        ], hasContent: true)
    package static let basicGetEmpty = Self(60, 72, "basic.get-empty", ["reserved-1": .shortString])
    package static let basicAck = Self(60, 80, "basic.ack", ["delivery-tag": .longLong, "multiple": .bit])
    package static let basicReject = Self(60, 90, "basic.reject", ["delivery-tag": .longLong, "requeue": .bit])
    package static let basicNack = Self(
        60, 120, "basic.nack", ["delivery-tag": .longLong, "multiple": .bit, "requeue": .bit])

    package static let confirmSelect = Self(85, 10, "confirm.select", ["no-wait": .bit])
    package static let confirmSelectOK = Self(85, 11, "confirm.select-ok")

    /// Every kind of the table.
    package static let all: [AMQPMethodKind] = [
        connectionStart, connectionStartOK, connectionTune, connectionTuneOK, connectionOpen, connectionOpenOK,
        connectionClose, connectionCloseOK, connectionBlocked, connectionUnblocked, channelOpen, channelOpenOK,
        channelFlow, channelFlowOK, channelClose, channelCloseOK, queueDeclare, queueDeclareOK, queuePurge,
        queuePurgeOK, queueDelete, queueDeleteOK, basicQos, basicQosOK, basicConsume, basicConsumeOK, basicCancel,
        basicCancelOK, basicPublish, basicReturn, basicDeliver, basicGet, basicGetOK, basicGetEmpty, basicAck,
        basicReject, basicNack, confirmSelect, confirmSelectOK,
    ]

    private static var closeFields: KeyValuePairs<String, AMQPFieldType> {
        ["reply-code": .short, "reply-text": .shortString, "class-id": .short, "method-id": .short]
    }
}
