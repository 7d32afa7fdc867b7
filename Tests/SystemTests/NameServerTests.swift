// Names whose server stays silent, and hosts whose first address does.

import Foundation
import TestSupport
import Testing

/// The machine's hosts and name server as one process sees them. Needs root's right to mount.
private final class Names {
    private let folder: TemporaryFolder

    init(hosts: String = "127.0.0.1 localhost\n", nameServer: String) throws {
        folder = try TemporaryFolder()
        _ = try folder.write(hosts, to: "hosts")
        _ = try folder.write("nameserver \(nameServer)\n", to: "resolv.conf")
        _ = try folder.write("hosts: files dns\n", to: "nsswitch.conf")
    }

    /// Starts workq in a mount namespace of its own, where /etc has these files.
    func start(_ arguments: String..., environment: [String: String]) throws -> WorkqProcess {
        let script = """
            for file in hosts resolv.conf nsswitch.conf; do
                mount --bind "\(folder.path)/$file" "$(readlink -f /etc/$file)" || exit 99
            done
            exec "$0" "$@"
            """
        return try WorkqProcess(
            ["--mount", "sh", "-c", script, WorkqProcess.executable] + arguments, environment: environment,
            executable: "/usr/bin/unshare")
    }
}

@Suite("names and addresses", .enabled(if: geteuid() == 0, "only root may mount"), .timeLimit(.minutes(3)))
struct NameServerTests {
    @Test(
        "N13 a name server that never answers is given up within the connect timeout",
        arguments: [["publish", "q", "x"], ["purge", "q", "--yes"], ["work", "q", "--drain"], ["bench"]])
    func silentNameServer(arguments: [String]) async throws {
        // A bound socket that nobody reads: questions are taken, and not answered.
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        let server = "127.0.\(UInt8.random(in: 1...250)).\(UInt8.random(in: 2...250))"
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(53).bigEndian
        inet_pton(AF_INET, server, &place.sin_addr)
        let isBound = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isBound)
        let names = try Names(nameServer: server)
        let process = try names.start(
            arguments[0], "--connect-timeout", "500ms", arguments.dropFirst().first ?? "--quiet",
            arguments.dropFirst(2).first ?? "--quiet",
            environment: ["WORKQ_URL": "amqp://user:secret@broker.test"])
        let (result, time) = try await process.end(within: .seconds(30))
        #expect(result.status == 69 && result.errors.contains("name server doesn't answer"), "\(result)")
        #expect(time < .seconds(9), "the system itself gives up after ten seconds: \(time)")
        withExtendedLifetime(names) {}
    }

    @Test("N13 a host's second address is tried when the first doesn't answer, with TLS and without")
    func secondAddress() async throws {
        let fixture = try Fixture()
        let certificates = try await TestCertificates()
        try await certificates.sign("server", for: "DNS:two.test")
        let server = try await TLSServer(certificates, "server")
        for (scheme, port, status) in [("amqp", fixture.broker.port, Int32(0)), ("amqps", server.port, 69)] {
            let hole = try BlackHole(port: port)
            let names = try Names(hosts: "::1 two.test\n127.0.0.1 two.test\n", nameServer: "127.0.0.3")
            let process = try names.start(
                "publish", fixture.queue, "x", "--connect-timeout", "16s", "--cacert", certificates.certificate("ca"),
                environment: ["WORKQ_URL": "\(scheme)://guest:guest@two.test:\(port)"])
            let (result, time) = try await process.end(within: .seconds(30))
            // openssl's server takes no login, and getting so far shows that its certificate was taken.
            #expect(result.status == status && !result.errors.contains("certificate"), "\(result)")
            #expect(time > .seconds(1.5), "the first address was tried, for its part of the time: \(time)")
            if status == 69 {
                #expect(result.errors.contains("login") || result.errors.contains("in time"), "\(result)")
            }
            withExtendedLifetime((hole, names)) {}
        }
    }
}
