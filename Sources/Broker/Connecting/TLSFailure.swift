// Why a TLS session can't be trusted or made, in words that are the same for AMQP and HTTPS.

import COpenSSL
import Posix

/// A failed TLS handshake, as far as OpenSSL knows why.
package struct TLSFailure: Equatable {
    /// What is wrong, fit to stand behind a colon.
    package var text: String
    /// Whether the certificate may be good and its authority only isn't known here: naming it may help.
    package var isUnknownAuthority = false

    /// What verifying the certificate of `host` came to; `code` is one of OpenSSL's X509_V_ERR numbers. nil for
    /// X509_V_OK.
    package init?(verifyError code: Int, host: String) {
        switch Int32(truncatingIfNeeded: code) {
        case X509_V_OK:
            return nil
        case X509_V_ERR_CERT_HAS_EXPIRED:
            text = "the certificate has expired"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            text = "the certificate is not yet valid. Is this machine's clock right?"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            text = "the certificate can't be trusted: it is self-signed"
            isUnknownAuthority = true
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            text = "the certificate can't be trusted: its authority is unknown here"
            isUnknownAuthority = true
        case X509_V_ERR_HOSTNAME_MISMATCH:
            text = Self.text(otherHostThan: host, isAddress: false)
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            text = Self.text(otherHostThan: host, isAddress: true)
        case X509_V_ERR_CERT_REVOKED:
            text = "the certificate was revoked"
        default:
            text = "the certificate can't be trusted: \(String(cString: X509_verify_cert_error_string(code)))"
        }
    }

    package init(text: String, isUnknownAuthority: Bool = false) {
        self.text = text
        self.isUnknownAuthority = isUnknownAuthority
    }

    /// A good certificate that doesn't name `host`.
    package init(otherHostThan host: String) {
        var address = in6_addr()
        let isAddress = inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
        text = Self.text(otherHostThan: host, isAddress: isAddress)
    }

    private static func text(otherHostThan host: String, isAddress: Bool) -> String {
        "the certificate is for another host than \(host)" + (isAddress ? "; if it names one, connect by name" : "")
    }

    /// What OpenSSL keeps of this thread's handshake, which didn't come to verifying; nil when the connection just
    /// ended.
    package init?(showsCertificate: Bool) {
        self.init(
            reason: workq_tls_reason(), text: workq_tls_reason_text().map { String(cString: $0) },
            showsCertificate: showsCertificate)
    }

    /// What an OpenSSL error of this reason (an SSL_R number) and text means; nil for those of a connection that just
    /// ended. `showsCertificate` says whether the client has one.
    package init?(reason: Int32, text words: String?, showsCertificate: Bool) {
        switch reason {
        case 0, SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return nil
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG,
            SSL_R_RECORD_TOO_SMALL, SSL_R_BAD_PROTOCOL_VERSION_NUMBER:
            text = "the port doesn't speak TLS"
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE,
            SSL_R_VERSION_TOO_LOW:
            text = "the other side speaks no TLS of version 1.2 or later"
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            text = "the other side wants a client's certificate (--cert and --key)"
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
            SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
            SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, SSL_R_TLSV1_ALERT_ACCESS_DENIED:
            text =
                showsCertificate
                ? "the other side refuses the client's certificate"
                : "the other side refuses the handshake; it may want a client's certificate (--cert and --key)"
        case SSL_R_TLSV1_UNRECOGNIZED_NAME:
            text = "the other side doesn't know itself by this name"
        default:
            // What the system says of a broken connection has no words of OpenSSL's.
            guard let words else { return nil }
            text = "no TLS session: \(words)"
        }
    }
}
