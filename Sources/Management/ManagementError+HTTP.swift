// What goes wrong below a reply, and what it means to a user.

import Broker
import CCurl
import Posix

extension ManagementError {
    /// The error behind what a session or the reply's receiver threw.
    init(_ operation: String, _ error: any Error, _ request: HTTPRequest, _ parameters: ManagementParameters) {
        switch error {
        case let fault as ReplyFault: self.init(operation, fault)
        case let failure as HTTPFailure: self.init(operation, failure, request, parameters)
        default: self.init(operation, .connectionLost, "\(error)")
        }
    }

    static func timedOut(_ operation: String, _ parameters: ManagementParameters) -> ManagementError {
        ManagementError(operation, .timedOut, "no whole answer within \(parameters.timeout)")
    }

    private init(_ operation: String, _ fault: ReplyFault) {
        switch fault {
        case .notQueues: self.init(operation, .notManagementAPI, Self.notTheAPI)
        case .cutOff: self.init(operation, .connectionLost, "the reply was cut off")
        case .tooLarge: self.init(operation, .tooLarge, "the reply is longer than any list of queues")
        case .noMemory: self.init(operation, .outOfResources, "out of memory")
        }
    }

    private init(
        _ operation: String, _ failure: HTTPFailure, _ request: HTTPRequest, _ parameters: ManagementParameters
    ) {
        let tls = request.tls
        switch failure.code {
        case CURLE_OPERATION_TIMEDOUT:
            self = Self.late(operation, failure, request, parameters)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_URL_MALFORMAT:
            self.init(operation, .hostNotFound, "the host's name can't be resolved")
        case CURLE_COULDNT_CONNECT:
            self.init(operation, .unreachable, Self.text(failure))
        // An answer that is no HTTP is HTTP 0.9 to libcurl, which isn't allowed.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            self.init(operation, .notManagementAPI, Self.notTheAPI)
        case CURLE_PARTIAL_FILE:
            self.init(operation, .connectionLost, "the reply was cut off")
        case CURLE_GOT_NOTHING:
            self.init(operation, .connectionLost, "the connection was closed before the reply was complete")
        case CURLE_PEER_FAILED_VERIFICATION:
            self.init(operation, .tlsFailed, Self.text(verification: failure.verification))
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            self.init(operation, .tlsFailed, "no TLS session: \(failure.explanation)")
        case CURLE_SSL_CACERT_BADFILE:
            self.init(
                operation, .badCertificateFile,
                "no CA certificates can be read from \(tls.caCertificateFile ?? "where this system keeps them")")
        case CURLE_SSL_CERTPROBLEM:
            let certificate = tls.certificateFile ?? ""
            self.init(
                operation, .badCertificateFile,
                "the certificate \(certificate) with the key \(tls.keyFile ?? certificate) can't be used")
        case CURLE_OUT_OF_MEMORY:
            self.init(operation, .outOfResources, "out of memory")
        default:
            self.init(operation, .connectionLost, "the connection was lost (\(Self.text(failure)))")
        }
    }

    /// Which of a request's time limits has passed.
    private static func late(
        _ operation: String, _ failure: HTTPFailure, _ request: HTTPRequest, _ parameters: ManagementParameters
    ) -> ManagementError {
        // libcurl's milliseconds may end a little before ours do.
        guard request.deadline - .now > .milliseconds(10) else { return .timedOut(operation, parameters) }
        let limit = parameters.connectTimeout
        return failure.hasConnected
            ? ManagementError(operation, .tlsFailed, "no TLS session within \(limit)")
            : ManagementError(operation, .unreachable, "no answer within \(limit)")
    }

    private static func text(_ failure: HTTPFailure) -> String {
        failure.systemError == 0 ? failure.explanation : SystemError.text(failure.systemError)
    }

    /// OpenSSL's verdict on a certificate.
    private static func text(verification code: Int) -> String {
        switch code {
        // The certificate itself is good then.
        case 0: "the certificate is for another host"
        case 9: "the certificate is not yet valid"
        case 10: "the certificate has expired"
        case 18, 19: "the certificate can't be trusted: it is self-signed"
        case 2, 20, 21: "the certificate can't be trusted: its authority is unknown"
        default: "the certificate can't be trusted (OpenSSL's error \(code))"
        }
    }
}
