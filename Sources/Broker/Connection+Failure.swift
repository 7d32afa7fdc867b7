// What makes a connection useless, and what the broker's closing says.

import CRabbitMQ

extension Connection {
    /// Remembers that the connection is dead.
    func fail(_ error: BrokerError) -> BrokerError {
        if failure == nil { failure = error }
        return error
    }

    func checkAlive() throws(BrokerError) {
        if let error = failure ?? cut { throw error }
    }

    /// Throws for a library status that isn't OK; the connection is dead then.
    func check(_ status: Int32, _ operation: @autoclosure () -> String) throws(BrokerError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw fail(BrokerError(status: status, operation()))
    }

    /// Throws for a reply that isn't the expected one, and answers the close that it carries.
    func check(_ reply: amqp_rpc_reply_t, _ operation: @autoclosure () -> String) throws(BrokerError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL:
            return
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD:
            throw closeChannel(reply.reply, channel: Channel.number, operation())
        case AMQP_RESPONSE_SERVER_EXCEPTION where reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD:
            throw closeConnection(reply.reply, operation())
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            throw fail(BrokerError(status: reply.library_error, operation()))
        default:
            throw fail(
                BrokerError(operation(), .protocolViolation, scope: .connection, "the broker sent an unexpected reply"))
        }
    }

    /// Answers `channel.close`. What was half received is void: its channel is gone.
    func closeChannel(_ method: amqp_method_t, channel: amqp_channel_t, _ operation: String) -> BrokerError {
        assembler.reset()
        var answer = amqp_channel_close_ok_t()
        amqp_send_method(state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer)
        guard let close = method.decoded?.load(as: amqp_channel_close_t.self) else {
            return BrokerError(operation, .protocolViolation, scope: .channel, "the broker closed the channel")
        }
        return BrokerError(
            operation, BrokerError.Code(rawValue: Int(close.reply_code)), scope: .channel,
            String(shown: close.reply_text))
    }

    /// Answers `connection.close`.
    func closeConnection(_ method: amqp_method_t, _ operation: String) -> BrokerError {
        var answer = amqp_connection_close_ok_t()
        amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer)
        guard let close = method.decoded?.load(as: amqp_connection_close_t.self) else {
            return fail(
                BrokerError(operation, .connectionLost, scope: .connection, "the broker closed the connection"))
        }
        return fail(
            BrokerError(
                operation, BrokerError.Code(rawValue: Int(close.reply_code)), scope: .connection,
                String(shown: close.reply_text)))
    }
}
