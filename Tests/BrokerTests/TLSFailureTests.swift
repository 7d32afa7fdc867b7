// What is said of TLS sessions that can't be trusted or made.

import COpenSSL
import Testing

@testable import Broker

@Suite("TLS failures") struct TLSFailureTests {
    @Test("S9 a certificate that verifies is no failure, and each that doesn't has words of its own")
    func verification() throws {
        #expect(TLSFailure(verifyError: 0, host: "h") == nil)
        let codes = [
            X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH,
            X509_V_ERR_CERT_REVOKED, X509_V_ERR_INVALID_CA,
        ]
        let failures = try codes.map { try #require(TLSFailure(verifyError: Int($0), host: "broker.test")) }
        #expect(Set(failures.map(\.text)).count == codes.count)
        let helped = zip(codes, failures).filter(\.1.isUnknownAuthority).map(\.0)
        #expect(
            helped == [X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY],
            "an authority helps only where none is known")
    }

    @Test("S9, S10 a handshake that fails is told by its reason, and one that just ends is none of TLS's")
    func handshake() throws {
        func text(_ reason: Int32, showsCertificate: Bool = false) -> String? {
            TLSFailure(reason: reason, text: "words", showsCertificate: showsCertificate)?.text
        }
        #expect(text(0) == nil && text(SSL_R_UNEXPECTED_EOF_WHILE_READING) == nil)
        #expect(TLSFailure(reason: 2, text: nil, showsCertificate: false) == nil)
        #expect(text(SSL_R_WRONG_VERSION_NUMBER)?.contains("doesn't speak TLS") == true)
        #expect(text(SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)?.contains("1.2 or later") == true)
        #expect(text(SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)?.contains("--cert") == true)
        #expect(text(SSL_R_TLSV1_ALERT_UNKNOWN_CA, showsCertificate: true)?.contains("refuses the client's") == true)
        #expect(text(SSL_R_NO_SHARED_CIPHER) == "no TLS session: words")
    }
}
