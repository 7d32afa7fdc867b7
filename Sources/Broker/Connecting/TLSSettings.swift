// Applies certificates and verification to librabbitmq's TLS socket.

import CRabbitMQ
import Posix

/// The TLS part of the connection parameters, ready for librabbitmq.
struct TLSSettings {
    private let settings: ConnectionParameters.TLS

    /// Where systems keep the bundle of authorities that they trust: librabbitmq has no default before 0.14.
    private static let systemBundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem", "/opt/homebrew/etc/ca-certificates/cert.pem",
    ]

    init(_ settings: ConnectionParameters.TLS) {
        self.settings = settings
    }

    /// Sets versions, authorities, the client's certificate and what is verified.
    func apply(to socket: OpaquePointer, _ operation: String) throws(BrokerError) {
        try check(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST), operation, "TLS 1.2")
        amqp_ssl_socket_set_verify_peer(socket, settings.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, settings.verifiesPeer ? 1 : 0)
        if let file = settings.caCertificateFile {
            try checkReadable(file, operation)
            try check(amqp_ssl_socket_set_cacert(socket, file), operation, "the CA certificates in \(file)")
        } else if settings.verifiesPeer {
            guard let bundle = Self.systemBundles.first(where: { access($0, R_OK) == 0 }) else {
                throw BrokerError(
                    operation, .badCertificateFile, scope: .client,
                    "this system has no CA certificates where they usually are; name them with --cacert")
            }
            try check(amqp_ssl_socket_set_cacert(socket, bundle), operation, "the CA certificates in \(bundle)")
        }
        if let certificate = settings.certificateFile {
            let key = settings.keyFile ?? certificate
            try checkReadable(certificate, operation)
            try checkReadable(key, operation)
            try check(
                amqp_ssl_socket_set_key(socket, certificate, key), operation,
                "the certificate \(certificate) with the key \(key)")
        }
    }

    private func checkReadable(_ file: String, _ operation: String) throws(BrokerError) {
        guard access(file, R_OK) != 0 else { return }
        let reason = String(cString: strerror(errno)).lowercasedFirst
        throw BrokerError(operation, .badCertificateFile, scope: .client, "can't read \(file): \(reason)")
    }

    private func check(_ status: Int32, _ operation: String, _ what: String) throws(BrokerError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        throw BrokerError(operation, .badCertificateFile, scope: .client, "OpenSSL can't use \(what)")
    }
}
