// Errors decide in one place whether trying again can help, and what people read.

import CRabbitMQ
import Testing

@testable import Broker

@Suite("Broker errors") struct BrokerErrorTests {
    private static func error(_ code: BrokerError.Code) -> BrokerError {
        BrokerError("publish", code, scope: .connection, "some reason")
    }

    @Test("what the broker's health alone can cure is worth another try")
    func retriable() {
        let codes: [BrokerError.Code] = [
            .hostNotFound, .unreachable, .timedOut, .connectionLost, .connectionForced, .internalError, .outOfResources,
        ]
        for code in codes { #expect(Self.error(code).isRetriable) }
    }

    @Test("C2 a queue whose node is down is missing only for now")
    func nodeDown() {
        let text = "NOT_FOUND - home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or inaccessible"
        #expect(BrokerError("consume", .notFound, scope: .channel, text).isRetriable)
    }

    @Test("S1 what somebody must change first is not, and neither is a code that no list knows")
    func notRetriable() {
        let codes: [BrokerError.Code] = [
            .accessRefused, .notAllowed, .notFound, .preconditionFailed, .resourceLocked, .notImplemented,
            .contentTooLarge, .noRoute, .tlsFailed, .protocolViolation, .invalidInput, .badCertificateFile,
            BrokerError.Code(rawValue: 599), BrokerError.Code(rawValue: 0), BrokerError.Code(rawValue: -99),
        ]
        for code in codes { #expect(!Self.error(code).isRetriable) }
    }

    @Test("the message is one line with operation, reason and the broker's code, never workq's own number")
    func message() {
        #expect(Self.error(.notFound).message == "cannot publish: some reason (404)")
        #expect(Self.error(.unreachable).message == "cannot publish: some reason")
    }

    @Test("librabbitmq's statuses become codes that say whether to try again")
    func libraryStatus() {
        let codes: [(amqp_status_enum, BrokerError.Code)] = [
            (AMQP_STATUS_TIMEOUT, .timedOut), (AMQP_STATUS_HEARTBEAT_TIMEOUT, .connectionLost),
            (AMQP_STATUS_CONNECTION_CLOSED, .connectionLost), (AMQP_STATUS_SOCKET_ERROR, .connectionLost),
            (AMQP_STATUS_TCP_ERROR, .connectionLost), (AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED, .hostNotFound),
            (AMQP_STATUS_BAD_AMQP_DATA, .protocolViolation), (AMQP_STATUS_UNKNOWN_METHOD, .protocolViolation),
            (AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD, .accessRefused),
            (AMQP_STATUS_SSL_ERROR, .connectionLost), (AMQP_STATUS_NO_MEMORY, .outOfResources),
            (AMQP_STATUS_UNEXPECTED_STATE, .protocolViolation), (AMQP_STATUS_TABLE_TOO_BIG, .connectionLost),
        ]
        for (status, code) in codes {
            let error = BrokerError(status: status.rawValue, "read")
            #expect(error.code == code)
            #expect(error.scope == .connection)
            #expect(!error.text.isEmpty)
            #expect(error.text == error.text.lowercasedFirst)
        }
    }

    @Test("N14, S1 during a login errors say what is wrong with the login")
    func login() {
        #expect(Self.error(.accessRefused).duringLogin(vhost: "v").text.contains("password is wrong"))
        #expect(Self.error(.notAllowed).duringLogin(vhost: "prod").text.contains("prod"))
        #expect(Self.error(.protocolViolation).duringLogin(vhost: "v").text.contains("no AMQP broker"))
        #expect(Self.error(.timedOut).duringLogin(vhost: "v") == Self.error(.timedOut))
        for code in [BrokerError.Code.accessRefused, .notAllowed, .protocolViolation, .connectionLost] {
            #expect(Self.error(code).duringLogin(vhost: "v").code == code)
        }
    }
}
