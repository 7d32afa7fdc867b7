// How a connection begins: an address, TLS, the login.

import COpenSSL
import CRabbitMQ
import Posix

extension Connection {
    func openPlain(by deadline: Instant, _ observer: ConnectionStage.Observer?) throws(BrokerError) {
        let addresses = try HostAddress.lookUp(node, by: deadline)
        observer?(.resolved(addresses.map(\.text)), .now)
        guard let socket = amqp_tcp_socket_new(state) else {
            throw BrokerError(connecting, .outOfResources, scope: .connection, "no memory")
        }
        // The library owns the descriptor from here on.
        let descriptor = try TCPSocket.connect(to: addresses, of: node, by: deadline) { address in
            observer?(.connected(address.text), .now)
        }
        amqp_tcp_socket_set_sockfd(socket, descriptor)
    }

    func openTLS(by deadline: Instant, _ observer: ConnectionStage.Observer?) throws(BrokerError) {
        guard let socket = amqp_ssl_socket_new(state) else {
            throw BrokerError(connecting, .outOfResources, scope: .connection, "no memory for TLS")
        }
        let context = try parameters.tls.apply(to: socket, host: node.host, connecting)
        let addresses = try HostAddress.lookUp(node, by: deadline)
        observer?(.resolved(addresses.map(\.text)), .now)
        var last = BrokerError(connecting, .hostNotFound, scope: .connection, "the host has no address")
        for (index, address) in addresses.enumerated() {
            do {
                workq_tls_forget_session(context)
                defer { Self.observe(workq_tls_last_session(context), address, observer) }
                return try openTLS(
                    socket, context, address, by: TCPSocket.share(of: index, among: addresses.count, by: deadline))
            } catch {
                guard error.isRetriable else { throw error }
                last = error
            }
        }
        throw last
    }

    /// Tells how far a handshake has come.
    private static func observe(
        _ session: workq_tls_session, _ address: HostAddress, _ observer: ConnectionStage.Observer?
    ) {
        guard let observer, session.start != 0 else { return }
        observer(.connected(address.text), Instant(nanoseconds: session.start))
        if let certificate = session.certificate { observer(.identified(Certificate(certificate)), .now) }
        if let version = session.protocol { observer(.secured(String(cString: version)), .now) }
    }

    /// The library connects TLS itself, so it is told an address. That tries no other in secret, and has its own time.
    private func openTLS(
        _ socket: OpaquePointer, _ context: OpaquePointer, _ address: HostAddress, by deadline: Instant
    ) throws(BrokerError) {
        var timeout = max(deadline - .now, .zero).timeValue
        workq_tls_forget_errors()
        let status = amqp_socket_open_noblock(socket, address.text, Int32(node.port), &timeout)
        switch amqp_status_enum(rawValue: status) {
        case AMQP_STATUS_OK:
            return
        case AMQP_STATUS_SOCKET_ERROR:
            // Connecting once more gives the system's reason, which the library drops.
            workq_close(try TCPSocket.connect(to: [address], of: node, by: deadline))
        case AMQP_STATUS_SSL_CONNECTION_FAILED, AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
            let failure =
                TLSFailure(verifyError: workq_tls_verify_error(context), host: node.host) ?? failureOfHandshake
            if failure == nil, status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue {
                throw BrokerError(connecting, .tlsFailed, scope: .connection, "the other side shows no certificate")
            }
            throw failure.map { BrokerError(connecting, $0) }
                ?? BrokerError(
                    connecting, .connectionLost, scope: .connection,
                    "the connection was closed during the TLS handshake")
        default: break
        }
        throw BrokerError(status: status, connecting)
    }

    private var failureOfHandshake: TLSFailure? {
        TLSFailure(showsCertificate: parameters.tls.certificateFile != nil)
    }

    func logIn(by deadline: Instant) throws(BrokerError) {
        var timeout = max(deadline - .now, .milliseconds(1)).timeValue
        try check(amqp_set_handshake_timeout(state, &timeout), connecting)
        let pool = MemoryPool()
        var properties = try pool.table(clientProperties)
        let reply: amqp_rpc_reply_t
        switch parameters.login {
        case .plain(let username, let password):
            reply = workq_login_plain(
                state, parameters.vhost, Int32(Self.greatestFrameMax), Int32(parameters.heartbeatSeconds), &properties,
                username, password.revealed)
        case .external:
            reply = workq_login_external(
                state, parameters.vhost, Int32(Self.greatestFrameMax), Int32(parameters.heartbeatSeconds), &properties,
                "certificate")
        }
        do {
            try check(reply, connecting)
        } catch {
            // With TLS 1.3 a client learns only now that its certificate isn't wanted, or another is.
            if node.usesTLS, error.code == .connectionLost, let failure = failureOfHandshake {
                throw BrokerError(connecting, failure)
            }
            throw error.duringLogin(vhost: parameters.vhost)
        }
        guard frameMax >= Self.leastFrameMax else {
            throw fail(
                BrokerError(
                    connecting, .protocolViolation, scope: .connection,
                    "the broker allows frames of \(frameMax) bytes, AMQP's least is \(Self.leastFrameMax)"))
        }
    }

    /// What the broker learns about this client. The capabilities matter: without the first two a deleted queue would
    /// leave a worker waiting for ever, and an alarm would look like a hang.
    private var clientProperties: FieldTable {
        [
            "product": .text("workq"),
            "connection_name": .text(parameters.connectionName),
            "capabilities": .table([
                "consumer_cancel_notify": .bool(true),
                "connection.blocked": .bool(true),
                "basic.nack": .bool(true),
                "publisher_confirms": .bool(true),
                "authentication_failure_close": .bool(true),
            ]),
        ]
    }
}
