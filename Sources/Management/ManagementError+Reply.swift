// What refusals, and the client library's many errors, mean to a user.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Posix

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ManagementError {
    /// The body of the API's refusals.
    private struct Refusal: Decodable {
        var error: String
        var reason: String?
    }

    /// The error behind a status that isn't 200.
    init(_ operation: String, status: Int, body: [UInt8], vhost: String?) {
        let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(body))
        let reason = refusal?.reason ?? refusal?.error
        switch (status, refusal?.error) {
        case (401, "not_authorised"):
            self.init(operation, .missingRight, Self.missingRight(reason, vhost: vhost))
        case (401, _):
            self.init(operation, .wrongLogin, "the user name or the password is wrong")
        case (403, _):
            self.init(operation, .missingRight, "access refused" + (reason.map { ": \($0)" } ?? ""))
        case (404, _?):
            self.init(operation, .notFound, vhost.map { "no such vhost: \($0)" } ?? "no such path")
        case (300..<400, _):
            self.init(operation, .notManagementAPI, "it points to another address, where workq won't take the login")
        case (500..., _):
            self.init(
                operation, .serverError, "the API failed with status \(status)" + (reason.map { ": \($0)" } ?? ""))
        default:
            self.init(operation, .notManagementAPI, "\(Self.notTheAPI) (it answered with status \(status))")
        }
    }

    private static let notTheAPI = "what answers there isn't RabbitMQ's management API"

    private static func missingRight(_ reason: String?, vhost: String?) -> String {
        // "Not management user" is RabbitMQ's text for a user without one of the management plugin's tags.
        guard reason?.contains("vhost") != true, reason?.contains("virtual host") != true else {
            return "the user has no permissions on vhost \"\(vhost ?? "/")\""
        }
        return "the user lacks the tag management" + (reason.map { " (\($0))" } ?? "")
    }

    /// The error behind what the HTTP client or the reply's receiver threw.
    init(_ operation: String, _ error: any Error, _ parameters: ManagementParameters) {
        let (code, text): (Code, String) =
            switch error {
            case let fault as ReplyFault: Self.meaning(fault)
            case let error as HTTPClientError: Self.meaning(error, parameters)
            case let error as NIOConnectionError: Self.meaning(error)
            case let error as IOError: Self.meaning(error)
            case let error as NIOSSLExtraError where error == .failedToValidateHostname:
                (.tlsFailed, "the certificate is for another host")
            case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
                (
                    .tlsFailed,
                    "no TLS session: the certificate can't be trusted, has expired, or the port has no TLS"
                )
            case is HTTPParserError: (.notManagementAPI, Self.notTheAPI)
            case let error as ChannelError where error.isConnectTimeout: (.unreachable, "no answer in time")
            default: (.connectionLost, "the connection was lost (\(error))")
            }
        self.init(operation, code, text)
    }

    private static func meaning(_ fault: ReplyFault) -> (Code, String) {
        switch fault {
        case .notQueues: (.notManagementAPI, notTheAPI)
        case .cutOff: (.connectionLost, "the reply was cut off")
        case .tooLarge: (.tooLarge, "the reply is longer than any list of queues")
        }
    }

    private static func meaning(_ error: HTTPClientError, _ parameters: ManagementParameters) -> (Code, String) {
        switch error {
        case .deadlineExceeded, .readTimeout, .getConnectionFromPoolTimeout:
            (.timedOut, "no whole answer within \(parameters.timeout)")
        case .connectTimeout: (.unreachable, "no answer within \(parameters.connectTimeout)")
        case .tlsHandshakeTimeout: (.tlsFailed, "no TLS session within \(parameters.connectTimeout)")
        case .remoteConnectionClosed: (.connectionLost, "the connection was closed before the reply was complete")
        default: (.connectionLost, "the connection was lost (\(error.shortDescription))")
        }
    }

    private static func meaning(_ error: NIOConnectionError) -> (Code, String) {
        guard let failure = error.connectionErrors.last?.error else {
            return (.hostNotFound, "the host's name can't be resolved")
        }
        switch failure {
        case let failure as IOError: return (.unreachable, meaning(failure).1)
        case let failure as ChannelError where failure.isConnectTimeout: return (.unreachable, "no answer in time")
        default: return (.unreachable, "\(failure)")
        }
    }

    private static func meaning(_ error: IOError) -> (Code, String) {
        let text = String(cString: strerror(error.errnoCode))
        let isUnreachable = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EACCES].contains(error.errnoCode)
        return (isUnreachable ? .unreachable : .connectionLost, text.prefix(1).lowercased() + text.dropFirst())
    }
}

extension ChannelError {
    fileprivate var isConnectTimeout: Bool {
        if case .connectTimeout = self { true } else { false }
    }
}
