// A connection to a broker: the frame loop, requests, closing.

import CRabbitMQ
import Posix

/// An AMQP 0-9-1 connection, used by the thread that opened it and by no other: librabbitmq forbids sharing, and since
/// the class isn't Sendable the compiler proves the confinement.
package final class Connection {
    private let handle: ConnectionHandle
    let parameters: ConnectionParameters
    private var watchdog: SendWatchdog?
    /// Bytes handed to the library; the watchdog starts only when a socket's buffer might be full.
    private var sentBytes = 0
    var assembler = FrameAssembler()
    /// How many frames with parts of bodies have come: a large message is on its way here while this grows.
    package private(set) var bodyFrameCount = 0
    /// Set with the first fatal error: librabbitmq must not be asked again after one.
    var failure: BrokerError?
    /// Set when the watchdog cut a send short: nothing more can be sent, but what the broker has said can be read.
    var cut: BrokerError?
    /// The node that answered, to be shown.
    package let node: ConnectionParameters.Node

    /// The greatest frame that workq negotiates. Nested header tables decode recursively in the library, so a greater
    /// frame needs a greater stack.
    package static let greatestFrameMax = 131_072
    /// AMQP's least frame size; a peer that negotiates less breaks the library's arithmetic.
    static let leastFrameMax = 4_096

    /// Opens a connection to the first node that answers.
    ///
    /// Errors that another node would answer alike (wrong password, unknown vhost, an untrusted certificate) end the
    /// search; otherwise the last node's error is thrown.
    ///
    /// `observer` is told how far the attempt at each node has come.
    package static func open(
        _ parameters: ConnectionParameters, observer: ConnectionStage.Observer? = nil
    ) throws(BrokerError) -> Connection {
        var last = BrokerError("connect", .unreachable, scope: .connection, "no broker is given")
        for node in parameters.nodes {
            do {
                return try Connection(to: node, parameters, observer)
            } catch {
                guard error.isRetriable else { throw error }
                last = error
            }
        }
        throw last
    }

    private init(
        to node: ConnectionParameters.Node, _ parameters: ConnectionParameters, _ observer: ConnectionStage.Observer?
    ) throws(BrokerError) {
        self.node = node
        self.parameters = parameters
        guard let handle = ConnectionHandle() else {
            throw BrokerError("connect", .outOfResources, scope: .connection, "no memory")
        }
        self.handle = handle
        let deadline = Instant.now + parameters.connectTimeout
        if node.usesTLS {
            try openTLS(by: deadline, observer)
        } else {
            try openPlain(by: deadline, observer)
        }
        TCPSocket.boundSilence(
            of: descriptor, sendTimeout: parameters.sendTimeout, idleSeconds: parameters.heartbeatSeconds)
        try logIn(by: deadline)
        observer?(.loggedIn, .now)
        var timeout = parameters.requestTimeout.timeValue
        try check(amqp_set_rpc_timeout(state, &timeout), connecting)
    }

    deinit {
        watchdog?.stop()
    }

    var state: amqp_connection_state_t { handle.state }

    /// The socket, to poll for reading. Drain `nextEvent()` before sleeping on it: frames may wait in the library.
    package var descriptor: Int32 { amqp_get_sockfd(handle.state) }

    /// Bytes that were sent and that the broker's machine hasn't acknowledged; 0 where the system can't tell.
    package var unacknowledgedBytes: Int { max(0, Int(workq_unacknowledged_bytes(descriptor))) }

    /// The negotiated limit for one frame, in bytes.
    package var frameMax: Int { Int(amqp_get_frame_max(handle.state)) }

    /// How many channels the broker allows on a connection.
    package var channelMax: Int { Int(amqp_get_channel_max(handle.state)) }

    /// The broker's own name for its cluster; empty where it has none. Escape before showing.
    package var clusterName: String { serverText("cluster_name") ?? "" }

    /// The broker's product and version, as it introduced itself: `RabbitMQ 3.10.8`. Escape before showing.
    package var brokerVersion: String {
        let texts = [serverText("product"), serverText("version")].compactMap(\.self)
        return texts.isEmpty ? "unknown broker" : texts.joined(separator: " ")
    }

    /// Whether it says that it is RabbitMQ: others speak AMQP too.
    package var isRabbitMQ: Bool { serverText("product") == "RabbitMQ" }

    /// What the broker says of itself under this name.
    private func serverText(_ name: ShortString) -> String? {
        guard let table = amqp_get_server_properties(state),
            case .string(let bytes)? = FieldTable(table.pointee)[name]
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The negotiated heartbeat interval; nil when there are no heartbeats. `nextEvent()` must be called at least twice
    /// as often, also while nothing is expected: only there heartbeats are sent and missed ones noticed.
    package var heartbeat: Duration? {
        let seconds = amqp_get_heartbeat(handle.state)
        return seconds > 0 ? .seconds(Int64(seconds)) : nil
    }

    var connecting: String { "connect to \(node.description)" }

    // MARK: - Events

    /// The next thing that the broker said, nil when nothing comes until `deadline` (at once when there is none).
    ///
    /// After `connectionClosed` and after any error thrown the connection is dead and only good to be dropped.
    package func nextEvent(until deadline: Instant? = nil) throws(BrokerError) -> BrokerEvent? {
        while true {
            if let failure { throw failure }
            var frame = amqp_frame_t()
            var timeout = (deadline.map { max($0 - .now, .zero) } ?? .zero).timeValue
            let status = amqp_simple_wait_frame_noblock(state, &frame, &timeout)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            if let cut, status != AMQP_STATUS_OK.rawValue { throw fail(cut) }
            try check(status, "read from \(node.description)")
            defer { amqp_maybe_release_buffers(state) }
            do throws(FrameAssembler.Violation) {
                if let event = try take(frame) { return event }
            } catch {
                throw fail(
                    BrokerError(
                        "read from \(node.description)", .protocolViolation, scope: .connection,
                        "the broker sent \(error.text)"))
            }
        }
    }

    private func take(_ frame: amqp_frame_t) throws(FrameAssembler.Violation) -> BrokerEvent? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            return try take(frame.payload.method, channel: frame.channel)
        case AMQP_FRAME_HEADER:
            // Each class has properties of its own, and only a message has basic's.
            guard frame.payload.properties.class_id == AMQP_BASIC_CLASS else {
                throw FrameAssembler.Violation(
                    text: "a content header of the class \(frame.payload.properties.class_id)")
            }
            guard let decoded = frame.payload.properties.decoded else { return nil }
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            return try assembler.header(
                bodySize: frame.payload.properties.body_size, properties: MessageProperties(properties))
        case AMQP_FRAME_BODY:
            bodyFrameCount += 1
            let fragment = frame.payload.body_fragment
            return try assembler.body(UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.len))
        default:
            // Heartbeats, which the library hands out now and then despite its header's promise.
            return nil
        }
    }

    private func take(_ method: amqp_method_t, channel: amqp_channel_t) throws(FrameAssembler.Violation) -> BrokerEvent?
    {
        guard let decoded = method.decoded else { return nil }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let deliver = decoded.load(as: amqp_basic_deliver_t.self)
            try assembler.begin(
                .delivery(
                    consumerTag: ShortString(deliver.consumer_tag), deliveryTag: deliver.delivery_tag,
                    redelivered: deliver.redelivered != 0, exchange: ShortString(deliver.exchange),
                    routingKey: ShortString(deliver.routing_key)))
            return nil
        case AMQP_BASIC_GET_OK_METHOD:
            let reply = decoded.load(as: amqp_basic_get_ok_t.self)
            try assembler.begin(
                .delivery(
                    consumerTag: "", deliveryTag: reply.delivery_tag, redelivered: reply.redelivered != 0,
                    exchange: ShortString(reply.exchange), routingKey: ShortString(reply.routing_key)))
            return nil
        case AMQP_BASIC_GET_EMPTY_METHOD:
            return .queueEmpty
        case AMQP_BASIC_RETURN_METHOD:
            let returned = decoded.load(as: amqp_basic_return_t.self)
            try assembler.begin(
                .returned(
                    code: Int(returned.reply_code), text: String(shown: returned.reply_text),
                    exchange: ShortString(returned.exchange), routingKey: ShortString(returned.routing_key)))
            return nil
        case AMQP_BASIC_ACK_METHOD:
            let ack = decoded.load(as: amqp_basic_ack_t.self)
            return .acknowledged(deliveryTag: ack.delivery_tag, multiple: ack.multiple != 0)
        case AMQP_BASIC_NACK_METHOD:
            let nack = decoded.load(as: amqp_basic_nack_t.self)
            return .negativelyAcknowledged(deliveryTag: nack.delivery_tag, multiple: nack.multiple != 0)
        case AMQP_BASIC_CONSUME_OK_METHOD:
            let reply = decoded.load(as: amqp_basic_consume_ok_t.self)
            return .consuming(consumerTag: ShortString(reply.consumer_tag))
        case AMQP_BASIC_CANCEL_OK_METHOD:
            let reply = decoded.load(as: amqp_basic_cancel_ok_t.self)
            return .consumerStopped(consumerTag: ShortString(reply.consumer_tag))
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let reply = decoded.load(as: amqp_queue_declare_ok_t.self)
            return .queueStatus(ready: Int(reply.message_count), consumers: Int(reply.consumer_count))
        case AMQP_QUEUE_DELETE_OK_METHOD:
            return .queueDeleted
        case AMQP_BASIC_CANCEL_METHOD:
            let cancel = decoded.load(as: amqp_basic_cancel_t.self)
            return .consumerCancelled(consumerTag: ShortString(cancel.consumer_tag))
        case AMQP_CHANNEL_CLOSE_METHOD:
            return .channelClosed(closeChannel(method, channel: channel, "use the channel"))
        case AMQP_CONNECTION_CLOSE_METHOD:
            return .connectionClosed(closeConnection(method, "stay connected to \(node.description)"))
        case AMQP_CONNECTION_BLOCKED_METHOD:
            return .blocked(reason: String(shown: decoded.load(as: amqp_connection_blocked_t.self).reason))
        case AMQP_CONNECTION_UNBLOCKED_METHOD:
            return .unblocked
        default:
            // Late replies to requests that were given up, and flow, which RabbitMQ never sends.
            return nil
        }
    }

    // MARK: - Requests

    /// Runs a library call that waits for the broker's reply, and throws what went wrong with it.
    ///
    /// Frames that aren't the reply stay queued in the library, and `nextEvent()` returns them afterwards.
    /// `permission` is what the login needs for it.
    func request<Reply>(
        _ operation: @autoclosure () -> String, permission: @autoclosure () -> String? = nil,
        _ call: (amqp_connection_state_t) -> Reply
    ) throws(BrokerError) -> Reply {
        try checkAlive()
        let reply = call(state)
        defer { amqp_maybe_release_buffers(state) }
        do {
            try check(amqp_get_rpc_reply(state), operation())
        } catch {
            var error = error
            if error.code == .accessRefused { error.neededPermission = permission() }
            throw error
        }
        return reply
    }

    /// Runs a library call that only sends about `size` bytes, for no longer than the send timeout.
    func send(
        _ operation: @autoclosure () -> String, size: Int = 64, _ call: (amqp_connection_state_t) -> Int32
    ) throws(BrokerError) {
        try checkAlive()
        sentBytes += size
        // Up to here everything fits the socket's buffer, so no send can block.
        if sentBytes > 65_536, watchdog == nil {
            watchdog = SendWatchdog(socket: descriptor, patience: parameters.sendTimeout)
        }
        watchdog?.note()
        let status = call(state)
        watchdog?.note()
        if status != AMQP_STATUS_OK.rawValue, watchdog?.firedOnce == true {
            let error = BrokerError(
                operation(), .timedOut, scope: .connection, "\(node.description) didn't read for too long")
            cut = error
            throw error
        }
        try check(status, operation())
    }

    /// Gathers all that `body` sends into as few segments as can be.
    package func sendTogether<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        TCPSocket.setCork(true, of: descriptor)
        defer { TCPSocket.setCork(false, of: descriptor) }
        return try body()
    }

    /// Says goodbye, for at most `timeout`, and waits for the broker's answer. The connection can't be used afterwards.
    package func close(timeout: Duration = .seconds(2)) {
        guard failure == nil, cut == nil else { return }
        var limit = timeout.timeValue
        amqp_set_rpc_timeout(state, &limit)
        let end = Instant.now + timeout
        if let watchdog {
            watchdog.run(until: end) { _ = amqp_connection_close(state, AMQP_REPLY_SUCCESS) }
        } else {
            _ = amqp_connection_close(state, AMQP_REPLY_SUCCESS)
        }
        _ = fail(BrokerError("use the connection", .connectionLost, scope: .connection, "it was closed"))
    }
}
