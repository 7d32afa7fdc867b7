// Applies certificates and verification to OpenSSL's contexts, and finds files that can't be used before anything
// connects.

import COpenSSL
import CRabbitMQ
import Posix

extension ConnectionParameters.TLS {
    /// Throws `badCertificateFile`, naming the file, when authorities, certificate or key can't be used.
    package func checkFiles(_ operation: String) throws(BrokerError) {
        guard let context = workq_tls_new() else {
            throw BrokerError(operation, .outOfResources, scope: .client, "no memory for TLS")
        }
        defer { workq_tls_free(context) }
        try load(into: context, operation)
    }

    /// Makes librabbitmq's socket trust and show what these settings say, and verify `host`. TLS 1.2 at least. Returns
    /// the socket's context, which lives as long as the socket.
    func apply(to socket: OpaquePointer, host: String, _ operation: String) throws(BrokerError) -> OpaquePointer {
        let failure = BrokerError(operation, .outOfResources, scope: .client, "no memory for TLS")
        guard let pointer = amqp_ssl_socket_get_context(socket) else { throw failure }
        let context = OpaquePointer(pointer)
        guard amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) == AMQP_STATUS_OK.rawValue,
            workq_tls_expect(context, host, verifiesPeer)
        else { throw failure }
        amqp_ssl_socket_set_verify_peer(socket, verifiesPeer ? 1 : 0)
        // OpenSSL compares names and IP addresses itself; the library knows names only, and is told an address.
        amqp_ssl_socket_set_verify_hostname(socket, 0)
        try load(into: context, operation)
        return context
    }

    private func load(into context: OpaquePointer, _ operation: String) throws(BrokerError) {
        if let file = caCertificateFile {
            try checkReadable(file, operation)
            guard workq_tls_trust(context, file) else {
                throw unusable("there is no certificate in \(file)", operation)
            }
        } else if verifiesPeer {
            // What is missing there is told when a certificate can't be verified.
            _ = workq_tls_trust(context, nil)
        }
        guard let certificate = certificateFile else { return }
        let key = keyFile ?? certificate
        try checkReadable(certificate, operation)
        try checkReadable(key, operation)
        let what = "the certificate \(certificate) can't be used with the key \(key): "
        switch workq_tls_identify(context, certificate, key) {
        case WORKQ_TLS_FILES_FIT: break
        case WORKQ_TLS_NO_CERTIFICATE: throw unusable(what + "the first holds no certificate in PEM", operation)
        case WORKQ_TLS_KEY_ENCRYPTED:
            throw unusable(
                what + "the key is encrypted, and workq asks for no pass phrase. "
                    + "'openssl pkey -in \(key) -out FILE' decrypts it",
                operation)
        case WORKQ_TLS_KEY_OF_ANOTHER: throw unusable(what + "it is another certificate's key", operation)
        default: throw unusable(what + "there is no key in PEM in the second", operation)
        }
    }

    private func checkReadable(_ file: String, _ operation: String) throws(BrokerError) {
        guard access(file, R_OK) != 0 else { return }
        throw unusable("can't read \(file): \(SystemError.last.text)", operation)
    }

    private func unusable(_ text: String, _ operation: String) -> BrokerError {
        BrokerError(operation, .badCertificateFile, scope: .client, text)
    }
}
