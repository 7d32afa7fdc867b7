// What goes wrong below a reply, and what it means to a user.

import Broker
import CCurl
import Posix
import Text

extension ManagementError {
    /// The error behind what a session or the reply's receiver threw.
    init(_ operation: String, _ error: any Error, _ request: HTTPRequest, _ parameters: ManagementParameters) {
        switch error {
        case let fault as ReplyFault: self.init(operation, fault)
        case let failure as HTTPFailure: self.init(operation, failure, request, parameters)
        default: self.init(operation, .connectionLost, "\(error)")
        }
    }

    static func timedOut(_ operation: String, _ limit: TimeLimit) -> ManagementError {
        ManagementError(operation, .timedOut, "no whole answer within \(limit.text)")
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
        if let failure = failure.tlsFailure(request) {
            self.init(operation, failure.isUnknownAuthority ? .unknownAuthority : .tlsFailed, failure.text)
            return
        }
        switch failure.code {
        case CURLE_OPERATION_TIMEDOUT:
            // Which limit has passed; libcurl's milliseconds may end a little before ours do.
            self =
                request.limit.deadline - .now > .milliseconds(10)
                ? ManagementError(operation, .unreachable, "no answer within \(parameters.connectTimeout)")
                : .timedOut(operation, request.limit)
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
        case CURLE_SSL_CONNECT_ERROR:
            self.init(operation, .connectionLost, "the connection was closed during the TLS handshake")
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

    private static func text(_ failure: HTTPFailure) -> String {
        failure.systemError == 0 ? failure.explanation : SystemError.text(failure.systemError)
    }
}

extension HTTPFailure {
    /// What has gone wrong with TLS, nil for everything else.
    fileprivate func tlsFailure(_ request: HTTPRequest) -> TLSFailure? {
        if code == CURLE_PEER_FAILED_VERIFICATION { return verificationFailure(of: request.host) }
        guard [CURLE_SSL_CONNECT_ERROR, CURLE_RECV_ERROR, CURLE_SEND_ERROR].contains(code) else { return nil }
        // libcurl takes OpenSSL's error, and leaves its text: error:0A00010B:SSL routines::wrong version number.
        guard let start = explanation.ranges(of: "error:").last?.upperBound else { return nil }
        let fields = explanation[start...].split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, fields[0].utf8.count == 8, let packed = UInt32(fields[0], radix: 16),
            packed & Self.systemErrors == 0
        else { return nil }
        return TLSFailure(
            reason: Int32(packed & Self.reasons), text: String(fields[3].prefix { $0 != "," }),
            showsCertificate: request.tls.certificateFile != nil)
    }

    /// How OpenSSL packs errors: this bit is set in the system's, and these are the reason in its own.
    private static let systemErrors: UInt32 = 1 << 31
    private static let reasons: UInt32 = 1 << 23 - 1

    private func verificationFailure(of host: String) -> TLSFailure? {
        // Only libcurl with OpenSSL begins like this, and only its verdicts are numbers of OpenSSL's.
        if explanation.hasPrefix("SSL certificate problem"),
            let failure = TLSFailure(verifyError: verification, host: host)
        {
            return failure
        }
        // libcurl compares names itself, once the certificate is found to be good.
        return explanation.hasPrefix("SSL: ")
            ? TLSFailure(otherHostThan: host)
            : TLSFailure(text: "the certificate can't be trusted: \(explanation)", isUnknownAuthority: true)
    }
}
