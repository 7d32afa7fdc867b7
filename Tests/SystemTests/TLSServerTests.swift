// Certificates, files and servers of each kind that is wrong, shown by a server that is not a broker.

import Foundation
import TestSupport
import Testing

@Suite("TLS of a server", .serialized, .timeLimit(.minutes(5)))
struct TLSServerTests {
    @Test("S9 each kind of untrusted certificate is 78 and told in words of its own, --cacert only where it helps")
    func wrongCertificates() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("expired", validity: ("20200101000000Z", "20200102000000Z"))
        try await certificates.sign("future", validity: ("20990101000000Z", "20990102000000Z"))
        try await certificates.sign("elsewhere", for: "DNS:broker.example.net")
        try await certificates.sign("partial", for: "DNS:local*")
        try await certificates.sign("address", for: "IP:127.0.0.1")
        try await certificates.sign("stranger", by: "other")
        let kinds = [
            ("expired", "localhost", "has expired"), ("future", "localhost", "not yet valid"),
            ("elsewhere", "localhost", "for another host than localhost"),
            ("partial", "localhost", "for another host than localhost"),
            ("elsewhere", "127.0.0.1", "for another host than 127.0.0.1"),
            ("address", "localhost", "for another host than localhost"),
            ("stranger", "localhost", "its authority is unknown"), ("other", "localhost", "it is self-signed"),
        ]
        for (name, host, words) in kinds {
            let server = try await TLSServer(certificates, name)
            let result = try await WorkqProcess.run(
                ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "20s"],
                environment: ["WORKQ_URL": "amqps://guest:guest@\(host):\(server.port)"], timeout: .seconds(60))
            #expect(result.status == 78 && result.errors.contains(words), "\(name): \(result)")
            let helps = name == "stranger" || name == "other"
            #expect(result.errors.contains("--cacert") == helps, "\(name): \(result)")
        }
        // It gets as far as the login where the certificate's address is the one that was asked for.
        let server = try await TLSServer(certificates, "address")
        let result = try await WorkqProcess.run(
            ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "3s"],
            environment: ["WORKQ_URL": "amqps://guest:guest@127.0.0.1:\(server.port)"], timeout: .seconds(60))
        #expect(result.status == 69 && !result.errors.contains("certificate"), "\(result)")
    }

    @Test("S9 the authorities that SSL_CERT_FILE and SSL_CERT_DIR name are trusted")
    func systemStore() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        let server = try await TLSServer(certificates, "server")
        let folder = certificates.path("authorities")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: certificates.certificate("ca"), toPath: "\(folder)/ca.pem")
        try await certificates.openssl("rehash", folder)
        for (variable, value) in [("SSL_CERT_FILE", certificates.certificate("ca")), ("SSL_CERT_DIR", folder)] {
            let result = try await WorkqProcess.run(
                ["publish", "q", "x", "--connect-timeout", "3s"],
                environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(server.port)", variable: value],
                timeout: .seconds(60))
            #expect(result.status == 69 && !result.errors.contains("certificate"), "\(variable): \(result)")
        }
    }

    @Test("S12 files that can't be used are 78 before anything connects, and no pass phrase is asked for")
    func files() async throws {
        let certificates = try await TestCertificates()
        try await certificates.sign("client")
        try await certificates.openssl(
            "pkcs8", "-topk8", "-in", certificates.key("client"), "-passout", "pass:secret", "-out",
            certificates.key("encrypted"))
        let empty = try certificates.write("", to: "empty.pem")
        let (certificate, encrypted) = (certificates.certificate("client"), certificates.key("encrypted"))
        let (listener, port) = try LoopbackSocket.listen()
        defer { close(listener) }
        let kinds = [
            (["--cacert", empty], ["no certificate in \(empty)"]),
            (["--cacert", certificates.key("client")], ["no certificate in"]),
            (["--cert", certificate, "--key", encrypted], [encrypted, "is encrypted", "openssl pkey"]),
            (["--cert", certificate, "--key", certificates.key("ca")], ["another certificate's key"]),
        ]
        for (options, words) in kinds {
            // What a pass phrase would be read from without a terminal; none of it may be eaten.
            let result = try await WorkqProcess.run(
                ["publish", "q", "--lines"] + options, input: .bytes(Array("secret\n1\n2\n".utf8)),
                environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(port)"], timeout: .seconds(60))
            #expect(result.status == 78, "\(options): \(result)")
            for word in words { #expect(result.errors.contains(word), "\(options): \(result)") }
        }
        #expect(LoopbackSocket.accept(listener) == nil, "nobody has connected")
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
        let result = try await WorkqProcess.run(
            ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "3s"],
            environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(server.port)"], timeout: .seconds(60))
        #expect(result.status == 69 && !result.errors.contains("certificate"), "\(result)")
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
        func publish(to server: TLSServer) async throws -> WorkqProcess.Result {
            try await WorkqProcess.run(
                ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "10s"],
                environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(server.port)", "OPENSSL_CONF": settings],
                timeout: .seconds(60))
        }
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
        let refused = try await publish(to: old)
        #expect(refused.status == 78 && refused.errors.contains("TLS"), "\(refused)")
        // The same server with TLS 1.2 gets as far as the login.
        let server = try await TLSServer(certificates, "server", options: options + ["-tls1_2"])
        let result = try await publish(to: server)
        #expect(result.status == 69, "\(result)")
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
