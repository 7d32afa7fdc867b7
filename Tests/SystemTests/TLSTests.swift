// TLS with certificates that are right, and with each kind that is wrong.

import Foundation
import TestSupport
import Testing

@Suite("TLS", .serialized, .timeLimit(.minutes(5)))
struct TLSTests {
    /// A broker with a TLS listener on `localhost`, which asks for a client's certificate but does without.
    private final class Site {
        let certificates: TestCertificates
        let broker: ThrowawayBroker
        let port: Int

        init() async throws {
            certificates = try await TestCertificates()
            try await certificates.sign("server")
            try await certificates.sign("client")
            let (listener, port) = try LoopbackSocket.listen()
            close(listener)
            self.port = port
            let settings = """
                listeners.ssl.1 = 127.0.0.1:\(port)
                ssl_options.cacertfile = \(certificates.certificate("ca"))
                ssl_options.certfile = \(certificates.certificate("server"))
                ssl_options.keyfile = \(certificates.key("server"))
                ssl_options.verify = verify_peer
                ssl_options.fail_if_no_peer_cert = false
                """
            broker = try await onOwnThread { try ThrowawayBroker(settings: settings) }
        }

        var url: String { "amqps://guest:guest@localhost:\(port)" }
        var authority: [String] { ["--cacert", certificates.certificate("ca")] }

        /// `workq publish` of one task over TLS.
        func publish(
            _ options: [String], url: String? = nil, environment: [String: String] = [:]
        ) async throws -> WorkqProcess.Result {
            let login = ["WORKQ_URL": url ?? self.url].merging(environment) { $1 }
            return try await WorkqProcess.run(
                ["publish", "tls", "task"] + options, environment: login, timeout: .seconds(60))
        }
    }

    @Test("S9 S10 S12 a broker with TLS: what is trusted, what isn't, and what is said about it")
    func broker() async throws {
        let site = try await Site()
        try await trusted(site)
        try await untrusted(site)
        try await parameters(site)
        try await clientCertificates(site)
        try await faults(site)
        let broker = site.broker
        try await broker.stop()
    }

    private func trusted(_ site: Site) async throws {
        let result = try await site.publish(site.authority)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let body = (0..<1 << 20).map { _ in UInt8.random(in: 0...255) }
        let large = try await WorkqProcess.run(
            ["publish", "large"] + site.authority, input: .bytes(body), environment: ["WORKQ_URL": site.url])
        #expect(large.status == 0, "\(large)")
        let worker = try await WorkqProcess.run(
            ["work", "large", "--drain", "--heartbeat", "1"] + site.authority + ["--", "sh", "-c", "sleep 3; cat"],
            environment: ["WORKQ_URL": site.url])
        #expect(worker.status == 0 && worker.output == body, "status \(worker.status) \(worker.errors)")
    }

    private func untrusted(_ site: Site) async throws {
        let unknown = try await site.publish([])
        #expect(unknown.status == 78 && unknown.errors.contains("certificate"), "\(unknown)")
        #expect(unknown.errors.contains("--cacert"), "\(unknown)")
        let other = try await site.publish(["--cacert", site.certificates.certificate("other")])
        #expect(other.status == 78 && other.errors.contains("certificate can't be trusted"), "\(other)")
        let address = try await site.publish(site.authority, url: "amqps://guest:guest@127.0.0.1:\(site.port)")
        #expect(address.status == 78 && address.errors.contains("for another host"), "\(address)")
        #expect(address.errors.contains("connect by name"), "\(address)")
        let worker = try await WorkqProcess.run(
            ["work", "tls", "--", "true"], environment: ["WORKQ_URL": site.url], timeout: .seconds(60))
        #expect(worker.status == 78, "\(worker)")
        for _ in 1...2 {
            let insecure = try await site.publish(["--insecure"], url: "amqps://guest:guest@127.0.0.1:\(site.port)")
            #expect(insecure.status == 0 && insecure.errors.contains("warning"), "\(insecure)")
            #expect(insecure.errors.contains("not verified"), "\(insecure)")
        }
    }

    private func parameters(_ site: Site) async throws {
        let file = try #require(
            site.certificates.certificate("ca").addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let trusted = try await site.publish([], url: "\(site.url)/?cacertfile=\(file)")
        #expect(trusted.status == 0 && trusted.errors.isEmpty, "\(trusted)")
        let unverified = try await site.publish([], url: "\(site.url)/?verify=verify_none")
        #expect(unverified.status == 0 && unverified.errors.contains("not verified"), "\(unverified)")
        let missing = try await site.publish([], url: "\(site.url)/?cacertfile=/nowhere/ca.pem")
        #expect(missing.status == 78 && missing.errors.contains("/nowhere/ca.pem: no such file"), "\(missing)")
        let verified = try await site.publish([], url: "\(site.url)/?verify=verify_peer")
        #expect(verified.status == 78, "\(verified)")
    }

    private func clientCertificates(_ site: Site) async throws {
        let certificates = site.certificates
        let (certificate, key) = (certificates.certificate("client"), certificates.key("client"))
        let both = try await site.publish(site.authority + ["--cert", certificate, "--key", key])
        #expect(both.status == 0, "\(both)")
        let encoded = try [certificates.certificate("ca"), certificate, key].map {
            try #require($0.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        }
        let url = "\(site.url)/?cacertfile=\(encoded[0])&certfile=\(encoded[1])&keyfile=\(encoded[2])"
        let parameters = try await site.publish([], url: url)
        #expect(parameters.status == 0, "\(parameters)")

        let garbage = try certificates.write("-----BEGIN PRIVATE KEY-----\nnonsense\n", to: "garbage.key")
        let empty = try certificates.write("", to: "empty.key")
        try await certificates.openssl(
            "pkcs8", "-topk8", "-in", key, "-passout", "pass:secret", "-out", certificates.key("encrypted"))
        let unusable = [
            [certificate, certificates.key("server")], [certificate, garbage], [certificate, empty],
            [certificate, "/"],
            [certificate, certificates.key("encrypted")], [garbage, key], [certificate, certificate],
        ]
        for pair in unusable {
            let result = try await site.publish(site.authority + ["--cert", pair[0], "--key", pair[1]])
            #expect(result.status == 78 && result.errors.contains(pair[1]), "\(result)")
        }
        let absent = try await site.publish(site.authority + ["--cert", certificate, "--key", "/nowhere/key"])
        #expect(absent.status == 78 && absent.errors.contains("/nowhere/key: no such file"), "\(absent)")
        let withoutKey = try await site.publish(site.authority + ["--cert", certificate])
        #expect(withoutKey.status == 78 && withoutKey.errors.contains("key"), "\(withoutKey)")
        let authority = try await site.publish(["--cacert", garbage])
        #expect(authority.status == 78 && authority.errors.contains(garbage), "\(authority)")
        try await certificates.sign("stranger", by: "other")
        let stranger = try await site.publish(
            site.authority + ["--cert", certificates.certificate("stranger"), "--key", certificates.key("stranger")])
        #expect([69, 78].contains(stranger.status) && !stranger.errors.isEmpty, "the broker refuses it: \(stranger)")
        guard geteuid() != 0 else { return }
        chmod(key, 0)
        let unreadable = try await site.publish(site.authority + ["--cert", certificate, "--key", key])
        #expect(unreadable.status == 78 && unreadable.errors.contains("\(key): permission denied"), "\(unreadable)")
    }

    /// What else may happen to a connection, now with TLS around it.
    private func faults(_ site: Site) async throws {
        let plain = try await site.publish([], url: "amqp://guest:guest@localhost:\(site.port)")
        #expect(plain.status == 69, "N14 plain AMQP to a TLS port: \(plain)")
        let faults: [TCPProxy.Mode] = [
            .blackhole, .stallRead(.toUpstream), .throttle(bytesPerTick: 1, tick: .milliseconds(10)),
            .cut(after: 0, .toUpstream), .reset(after: 0, .toUpstream),
        ]
        for fault in faults {
            let proxy = try TCPProxy(
                upstreamPort: site.port, mode: .throttle(bytesPerTick: 65_536, tick: .milliseconds(5)))
            let publish = try WorkqProcess(
                ["publish", "stalled", "--confirm-timeout", "2s"] + site.authority,
                input: .bytes([UInt8](repeating: 0x61, count: 16 << 20)),
                environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(proxy.port)"])
            try await eventually("a part of the task is sent") { proxy.traffic(.toUpstream).read > 1 << 20 }
            proxy.mode = fault
            let (result, time) = try await publish.end(within: .seconds(60))
            #expect(result.status == 76 && time < .seconds(30), "\(fault) \(time) \(result)")
            #expect(result.errors.contains("The outcome is unknown"), "\(fault) \(result)")
        }
        try await reconnects(site)
    }

    /// A worker that was connected once comes back, also past a TLS handshake that breaks off.
    private func reconnects(_ site: Site) async throws {
        let proxy = try TCPProxy(upstreamPort: site.port)
        let worker = try WorkqProcess(
            ["work", "-v", "worker"] + site.authority + ["--", "cat"],
            environment: ["WORKQ_URL": "amqps://guest:guest@localhost:\(proxy.port)"])
        let fixture = try Fixture(site.broker)
        func isConsuming() -> Bool {
            (try? fixture.channel().status(ofQueue: "worker"))?.consumers == 1
        }
        try await eventually("the worker consumes", isConsuming)
        // The first fault breaks the connection and an attempt, the second one another attempt.
        for (fault, breaks) in [(TCPProxy.Mode.reset(after: 0, .toClient), 2), (.cut(after: 100, .toClient), 3)] {
            proxy.mode = fault
            try await eventually("it tries in vain", within: .seconds(40)) {
                guard isAlive(worker.pid) else { throw Failure("the worker left after \(fault): \(worker.errors)") }
                return worker.count(of: "Trying again") >= breaks
            }
        }
        proxy.mode = .pass
        try await eventually("the worker consumes again", within: .seconds(40), isConsuming)
        let result = try await site.publish(site.authority)
        #expect(result.status == 0)
        try await worker.leave()
    }

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
                ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "3s"],
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
                ["publish", "q", "x", "--cacert", certificates.certificate("ca"), "--connect-timeout", "3s"],
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
