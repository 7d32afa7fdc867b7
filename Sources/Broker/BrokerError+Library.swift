// What librabbitmq's status codes mean to a user.

import CRabbitMQ

extension BrokerError {
    /// The error behind a status that isn't OK. The library can't go on with the connection after any of them.
    init(status: Int32, _ operation: String) {
        let (code, text) = Self.meaning(amqp_status_enum(rawValue: status))
        self.init(
            operation, code, scope: .connection,
            text ?? String(cString: amqp_error_string2(status)).lowercasedFirst)
    }

    private static func meaning(_ status: amqp_status_enum) -> (Code, String?) {
        switch status {
        case AMQP_STATUS_TIMEOUT: (.timedOut, "no answer in time")
        case AMQP_STATUS_HEARTBEAT_TIMEOUT: (.connectionLost, "no heartbeat from the broker")
        case AMQP_STATUS_CONNECTION_CLOSED, AMQP_STATUS_SOCKET_CLOSED, AMQP_STATUS_SOCKET_ERROR, AMQP_STATUS_TCP_ERROR,
            AMQP_STATUS_SSL_ERROR:
            (.connectionLost, "the connection was lost")
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: (.hostNotFound, "the host's name can't be resolved")
        case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_UNEXPECTED_STATE, AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
            (.protocolViolation, "the other side doesn't speak AMQP 0-9-1 as it should")
        case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
            (.accessRefused, "the broker doesn't offer this way to log in")
        case AMQP_STATUS_NO_MEMORY: (.outOfResources, "no memory")
        default: (.connectionLost, nil)
        }
    }

    /// The error behind a TLS session that can't be trusted or made.
    init(_ operation: String, _ failure: TLSFailure) {
        self.init(
            operation, failure.isUnknownAuthority ? .unknownAuthority : .tlsFailed, scope: .connection, failure.text)
    }

    /// The same error in the words of a login.
    ///
    /// A broker that refuses before the login is through may just close the connection, or start with bytes that aren't
    /// AMQP because it is a web server or expects TLS.
    func duringLogin(vhost: String) -> BrokerError {
        var error = self
        switch code {
        case .accessRefused:
            error.text = "the user name or the password is wrong"
        case .notAllowed where isConnectionLimit:
            // Of connections, for a vhost or a user: others may leave.
            error.code = .outOfResources
        case .notAllowed:
            error.text = "no such vhost, or no access to it: \(vhost)"
        case .protocolViolation:
            error.text = "no AMQP broker answers there (5672 is RabbitMQ's usual port, amqps:// goes to 5671)"
        case .connectionLost:
            error.text = "the connection was closed during the login"
        default: break
        }
        return error
    }
}
