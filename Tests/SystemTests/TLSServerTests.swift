// Certificates, files and servers of each kind that is wrong, shown by a server that is not a broker.

import Foundation
import TestSupport
import Testing

@Suite("TLS of a server", .serialized, .timeLimit(.minutes(5)))
struct TLSServerTests {
    /// `workq publish` to a TLS server. One that is trusted has nothing to say, until the time to connect is over.
    private func publish(
        to server: TLSServer, host: String = "localhost", authority: TestCertificates? = nil,
        connectTimeout: String = "3s", environment: [String: String] = [:]
    ) async throws -> WorkqProcess.Result {
        let trust = authority.map { ["--cacert", $0.certificate("ca")] } ?? []
        let url = ["WORKQ_URL": "amqps://guest:guest@\(host):\(server.port)"]
        return try await WorkqProcess.run(
            ["publish", "q", "x", "--connect-timeout", connectTimeout] + trust,
            environment: url.merging(environment) { $1 }, timeout: .seconds(60))
    }

    private static func isTrusted(_ result: WorkqProcess.Result) -> Bool {
        result.status == 69 && !result.errors.contains("certificate")
    }

    @Test("S9 each kind of untrusted certificate is 78 and told in words of its own, --cacert only where it helps")
    func wrongCertificates() async throws {
        let certificates = try await TestCertificates()
        for kind in try await certificates.makeUntrusted() {
            let server = try await TLSServer(certificates, kind.name)
            let result = try await publish(
                to: server, host: kind.host, authority: certificates, connectTimeout: "20s")
            #expect(result.status == 78 && result.errors.contains(kind.words), "\(kind): \(result)")
            #expect(result.errors.contains("--cacert") == kind.wantsAuthority, "\(kind): \(result)")
        }
        // It gets as far as the login where the certificate's address is the one that was asked for.
        let server = try await TLSServer(certificates, "address")
        let result = try await publish(to: server, host: "127.0.0.1", authority: certificates)
        #expect(Self.isTrusted(result), "\(result)")
    }

    @Test("S9 the authorities that SSL_CERT_FILE and SSL_CERT_DIR name are trusted")
    func systemStore() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        let server = try await TLSServer(certificates, "server")
        for (name, value) in try await certificates.trustVariables() {
            let result = try await publish(to: server, environment: [name: value])
            #expect(Self.isTrusted(result), "\(name): \(result)")
        }
    }

    @Test("S12 files that can't be used are 78 before anything connects, and no pass phrase is asked for")
    func files() async throws {
        try await TestCertificates().refuseUnusable { options, port in
            // What a pass phrase would be read from without a terminal; none of it may be eaten.
            try await WorkqProcess.run(
                ["publish", "q", "--lines"] + options, input: .bytes(Array("secret\n1\n2\n".utf8)),
                environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(port)"], timeout: .seconds(60))
        }
    }

    @Test("S9 the server is told the name that was asked for, also though workq connects to an address")
    func serverName() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        try await certificates.sign("unnamed", for: "DNS:unnamed.example.net")
        // The server shows the right certificate only to those who name it.
        let server = try await TLSServer(
            certificates, "unnamed",
            options: [
                "-servername", "localhost", "-cert2", certificates.certificate("server"), "-key2",
                certificates.key("server"),
            ])
        let result = try await publish(to: server, authority: certificates)
        #expect(Self.isTrusted(result), "\(result)")
    }

    @Test("S10 a server that only speaks TLS 1.1 is refused, also where the system's settings allow it")
    func oldVersion() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        let options = ["-cipher", "ALL:@SECLEVEL=0"]
        let settings = try certificates.write(
            """
            openssl_conf = main
            [main]
            ssl_conf = ssl
            [ssl]
            system_default = lenient
            [lenient]
            MinProtocol = TLSv1
            CipherString = ALL:@SECLEVEL=0
            """, to: "lenient.cnf")
        let old = try await TLSServer(certificates, "server", options: options + ["-tls1_1"])
        do {
            // The settings do allow it: openssl's own client connects.
            try await Shell.run(
                [
                    "openssl", "s_client", "-connect", "localhost:\(old.port)", "-tls1_1", "-cipher", options[1],
                    "-CAfile", certificates.certificate("ca"), "-verify_return_error",
                ], environment: ["OPENSSL_CONF": settings])
        } catch {
            return  // This OpenSSL has no TLS 1.1 any more.
        }
        let lenient = ["OPENSSL_CONF": settings]
        let refused = try await publish(to: old, authority: certificates, connectTimeout: "20s", environment: lenient)
        #expect(refused.status == 78 && refused.errors.contains("TLS"), "\(refused)")
        // The same server with TLS 1.2 gets as far as the login.
        let server = try await TLSServer(certificates, "server", options: options + ["-tls1_2"])
        let result = try await publish(to: server, authority: certificates, environment: lenient)
        #expect(Self.isTrusted(result), "\(result)")
    }

    @Test("N14 a server that never answers the TLS handshake is 69 within the connect timeout")
    func silentServer() async throws {
        let peer = try ScriptedPeer(timeout: .seconds(60)) { try $0.silence() }
        let process = try WorkqProcess(
            ["publish", "q", "x", "--connect-timeout", "1s", "--insecure"],
            environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(peer.port)"])
        let (result, time) = try await process.end(within: .seconds(60))
        #expect(result.status == 69 && result.errors.contains("no answer in time"), "\(result)")
        #expect(time < .seconds(30))
    }
}
