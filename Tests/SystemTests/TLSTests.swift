// A broker with TLS, and what is said where it can't be trusted.

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
        let check = try await site.publish(site.authority + ["--check"])
        #expect(check.status == 0, "\(check)")
        #expect(check.text.contains("TLSv1.3; the certificate is for localhost; it has 1 day left"), "\(check)")
        #expect(check.text.contains("takes connections at port \(site.port)"), "\(check)")
        var generator = SeededGenerator()
        let body = generator.bytes(1 << 20)
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
        let check = try await site.publish(["--check"])
        #expect(check.status == 78 && check.text.contains("note    tls "), "\(check)")
        #expect(check.text.contains("the certificate is for localhost; it has 1 day left"), "\(check)")
        #expect(check.text.contains("FAILED  tls") && !check.text.contains("login"), "\(check)")
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
}
