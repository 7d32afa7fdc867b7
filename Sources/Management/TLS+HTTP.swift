// Certificates and verification for HTTPS, from the same options as for AMQP.

import Broker
import NIOSSL
import Posix

extension ConnectionParameters.TLS {
    /// The same settings for the HTTP client: TLS 1.2 at least, verification on unless it is turned off.
    func httpConfiguration(_ operation: String) throws(ManagementError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if !verifiesPeer { configuration.certificateVerification = .none }
        if let file = caCertificateFile {
            try Self.checkReadable(file, operation)
            configuration.trustRoots = .file(file)
        }
        if let certificate = certificateFile {
            let key = keyFile ?? certificate
            try Self.checkReadable(certificate, operation)
            try Self.checkReadable(key, operation)
            do {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            } catch {
                throw ManagementError(
                    operation, .badCertificateFile, "the certificate \(certificate) with the key \(key) can't be used")
            }
        }
        return configuration
    }

    private static func checkReadable(_ file: String, _ operation: String) throws(ManagementError) {
        guard access(file, R_OK) != 0 else { return }
        throw ManagementError(operation, .badCertificateFile, "can't read \(file): \(String(cString: strerror(errno)))")
    }
}
