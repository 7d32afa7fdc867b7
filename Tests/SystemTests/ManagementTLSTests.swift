// HTTPS to the management API with certificates that are right, and with each kind that is wrong.

import Foundation
import TestSupport
import Testing

@Suite("management TLS", .serialized, .timeLimit(.minutes(3)))
struct ManagementTLSTests {
    /// `workq list-queues` at a TLS server. No broker listens where it would look for one.
    private func list(
        _ options: [String], port: Int, host: String = "localhost", environment: [String: String] = [:]
    ) async throws -> WorkqProcess.Result {
        let variables = [
            "WORKQ_URL": "amqp://guest:guest@127.0.0.1:1", "WORKQ_API_URL": "https://guest:guest@\(host):\(port)",
        ]
        return try await WorkqProcess.run(
            ["list-queues", "--connect-timeout", "20s", "--timeout", "30s"] + options,
            environment: variables.merging(environment) { $1 }, timeout: .seconds(60))
    }

    /// What a server that trusts nobody's name sends for a question for the queues of the vhost `/`.
    private static let replyFile = "api/queues/%2F?disable_stats=true&enable_queue_totals=true"

    /// Certificates in a folder from which `openssl s_server -HTTP` answers as the API does.
    private func site() async throws -> TestCertificates {
        let certificates = try await TestCertificates()
        try FileManager.default.createDirectory(
            atPath: certificates.path("api/queues"), withIntermediateDirectories: true)
        let reply = #"[{"name":"q","vhost":"/","type":"classic","messages_ready":5,"messages_unacknowledged":0}]"#
        _ = try certificates.write(
            "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n\(reply)", to: Self.replyFile)
        return certificates
    }

    private static func isAnswer(_ result: WorkqProcess.Result) -> Bool {
        result.status == 0 && result.errors.isEmpty && result.lines.last == "q\t5\t0"
    }

    @Test("S9 each kind of untrusted certificate is 78 and told in words of its own, --cacert only where it helps")
    func untrusted() async throws {
        let certificates = try await site()
        let untrusted = try await certificates.makeUntrusted()
        let authority = ["--cacert", certificates.certificate("ca")]
        for kind in untrusted {
            let server = try await TLSServer(certificates, kind.name, options: ["-HTTP"])
            let result = try await list(authority, port: server.port, host: kind.host)
            #expect(result.status == 78 && result.errors.contains(kind.words), "\(kind): \(result)")
            #expect(result.output.isEmpty, "\(kind): \(result)")
            #expect(result.errors.contains("--cacert") == kind.wantsAuthority, "\(kind): \(result)")
            let insecure = try await list(["--insecure"], port: server.port, host: kind.host)
            #expect(insecure.status == 0 && insecure.errors.contains("not verified"), "\(kind): \(insecure)")
        }
        let server = try await TLSServer(certificates, "address", options: ["-HTTP"])
        let result = try await list(authority, port: server.port, host: "127.0.0.1")
        #expect(Self.isAnswer(result), "an IP address in a certificate is found: \(result)")
    }

    @Test("S9 --cacert, SSL_CERT_FILE and SSL_CERT_DIR are trusted, and --cacert beside nothing else")
    func trusted() async throws {
        let certificates = try await site()
        try await certificates.sign("server")
        let server = try await TLSServer(certificates, "server", options: ["-HTTP"])
        let named = try await list(["--cacert", certificates.certificate("ca")], port: server.port)
        #expect(Self.isAnswer(named), "\(named)")
        for (variable, value) in try await certificates.trustVariables() {
            let result = try await list([], port: server.port, environment: [variable: value])
            #expect(Self.isAnswer(result), "\(variable): \(result)")
            let other = try await list(
                ["--cacert", certificates.certificate("other")], port: server.port, environment: [variable: value])
            #expect(other.status == 78 && other.errors.contains("authority is unknown"), "\(variable): \(other)")
        }
    }

    @Test("S12 files that can't be used are 78 before anything connects, and no pass phrase is asked for")
    func files() async throws {
        try await TestCertificates().refuseUnusable { options, port in try await list(options, port: port) }
    }

    @Test("S12 a server that wants a client's certificate gets it, and one that gets none is told as that")
    func clientCertificates() async throws {
        let certificates = try await site()
        for name in ["server", "client"] { try await certificates.sign(name) }
        let authority = ["--cacert", certificates.certificate("ca")]
        for version in ["-tls1_3", "-tls1_2"] {
            let server = try await TLSServer(
                certificates, "server",
                options: [
                    "-HTTP", "-Verify", "1", "-verify_return_error", "-CAfile", certificates.certificate("ca"), version,
                ])
            let both = ["--cert", certificates.certificate("client"), "--key", certificates.key("client")]
            let result = try await list(authority + both, port: server.port)
            #expect(Self.isAnswer(result), "\(version): \(result)")
            let none = try await list(authority, port: server.port)
            #expect(none.status == 78 && none.errors.contains("--cert and --key"), "\(version): \(none)")
        }
    }

    @Test("S10 N14 a port without TLS, one with too old a TLS and one that never answers are told apart")
    func handshakes() async throws {
        let peer = try ScriptedPeer { peer in
            _ = try peer.receive(raw: 1)
            try peer.send(text: "HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        defer { peer.stop() }
        let plain = try await list([], port: peer.port)
        #expect(plain.status == 78 && plain.errors.contains("doesn't speak TLS"), "\(plain)")
        let closing = try ScriptedPeer { peer in
            _ = try peer.receive(raw: 1)
            peer.close()
        }
        defer { closing.stop() }
        let closed = try await list([], port: closing.port)
        #expect(closed.status == 69 && closed.errors.contains("during the TLS handshake"), "\(closed)")
        let silent = try ScriptedPeer(timeout: .seconds(60)) { try $0.silence() }
        defer { silent.stop() }
        let late = try await list(["--connect-timeout", "1s"], port: silent.port)
        #expect(late.status == 69 && late.errors.contains("no answer within"), "\(late)")

        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        let old = try await TLSServer(
            certificates, "server", options: ["-cipher", "ALL:@SECLEVEL=0", "-tls1_1"])
        let refused = try await list(["--cacert", certificates.certificate("ca")], port: old.port)
        #expect(refused.status == 78 && refused.errors.contains("1.2 or later"), "\(refused)")
    }
}
