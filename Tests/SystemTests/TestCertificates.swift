// Certificates for TLS tests, made with openssl: good ones, and one for each way to be wrong.

import Foundation
import TestSupport
import Testing

/// An authority and what it signed, as PEM files in a folder that disappears with this value.
final class TestCertificates {
    private let folder: TemporaryFolder

    /// Makes the authority `ca`, and `other`, which signs nothing here.
    init() async throws {
        folder = try TemporaryFolder()
        for name in ["ca", "other"] {
            try await openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=workq test \(name)", "-keyout", key(name), "-out", certificate(name),
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        }
    }

    /// The path of a file of the folder, whether it exists or not.
    func path(_ name: String) -> String { folder.path(name) }
    func certificate(_ name: String) -> String { folder.path("\(name).pem") }
    func key(_ name: String) -> String { folder.path("\(name).key") }

    func write(_ text: String, to name: String) throws -> String { try folder.write(text, to: name) }

    /// A certificate and key `name` for the subject alternative name `host`, signed by `authority`.
    ///
    /// `validity` are the two dates, as `openssl ca` takes them, of one that isn't valid from now on.
    func sign(
        _ name: String, for host: String = "DNS:localhost", by authority: String = "ca",
        validity: (from: String, to: String)? = nil
    ) async throws {
        try await openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", key(name), "-out", path("\(name).csr"))
        let settings = try folder.write(
            """
            [ca]
            default_ca = tests
            [tests]
            new_certs_dir = \(folder.path)
            database = \(path("\(name).db"))
            rand_serial = yes
            default_md = sha256
            default_days = 2
            policy = any
            x509_extensions = leaf
            [any]
            commonName = supplied
            [leaf]
            basicConstraints = CA:FALSE
            subjectAltName = \(host)
            """, to: "\(name).cnf")
        _ = try folder.write("", to: "\(name).db")
        let dates = validity.map { ["-startdate", $0.from, "-enddate", $0.to] } ?? []
        try await Shell.run(
            [
                "openssl", "ca", "-batch", "-notext", "-config", settings, "-cert", certificate(authority), "-keyfile",
                key(authority), "-in", path("\(name).csr"), "-out", certificate(name),
            ] + dates)
    }

    func openssl(_ words: String...) async throws {
        try await Shell.run(["openssl"] + words)
    }
}

// What workq must say is the same for AMQP and for HTTPS.
extension TestCertificates {
    /// A certificate that is refused where `host` is asked for.
    struct Untrusted {
        let name: String
        var host = "localhost"
        /// What the refusal says.
        let words: String
        /// Whether another `--cacert` could help.
        var wantsAuthority = false
    }

    /// Makes one for each way to be wrong; `address` is right for 127.0.0.1.
    func makeUntrusted() async throws -> [Untrusted] {
        try await sign("expired", validity: ("20200101000000Z", "20200102000000Z"))
        try await sign("future", validity: ("20990101000000Z", "20990102000000Z"))
        try await sign("elsewhere", for: "DNS:broker.example.net")
        try await sign("partial", for: "DNS:local*")
        try await sign("address", for: "IP:127.0.0.1")
        try await sign("stranger", by: "other")
        return [
            Untrusted(name: "expired", words: "has expired"), Untrusted(name: "future", words: "not yet valid"),
            Untrusted(name: "elsewhere", words: "for another host than localhost"),
            Untrusted(name: "partial", words: "for another host than localhost"),
            Untrusted(name: "elsewhere", host: "127.0.0.1", words: "for another host than 127.0.0.1"),
            Untrusted(name: "address", words: "for another host than localhost"),
            Untrusted(name: "stranger", words: "its authority is unknown", wantsAuthority: true),
            Untrusted(name: "other", words: "it is self-signed", wantsAuthority: true),
        ]
    }

    /// Expects of each file that can't be used, given to a program that is to connect to the port, that it is 78 and
    /// named, and that nothing connects.
    func refuseUnusable(
        _ run: (_ options: [String], _ port: Int) async throws -> WorkqProcess.Result
    ) async throws {
        let (listener, port) = try LoopbackSocket.listen()
        defer { close(listener) }
        for (options, words) in try await makeUnusable() {
            let result = try await run(options, port)
            #expect(result.status == 78, "\(options): \(result)")
            for word in words { #expect(result.errors.contains(word), "\(options): \(result)") }
        }
        #expect(LoopbackSocket.accept(listener) == nil, "nobody has connected")
    }

    /// Options with files that can't be used, and what is said of each.
    private func makeUnusable() async throws -> [(options: [String], words: [String])] {
        try await sign("client")
        let (certificate, encrypted) = (certificate("client"), key("encrypted"))
        try await openssl("pkcs8", "-topk8", "-in", key("client"), "-passout", "pass:secret", "-out", encrypted)
        let empty = try write("", to: "empty.pem")
        return [
            (["--cacert", empty], ["no certificate in \(empty)"]),
            (["--cacert", key("client")], ["no certificate in"]),
            (["--cacert", "/nowhere/ca.pem"], ["/nowhere/ca.pem: no such file"]),
            (["--cert", certificate, "--key", encrypted], [encrypted, "is encrypted", "openssl pkey"]),
            (["--cert", certificate, "--key", key("ca")], ["another certificate's key"]),
        ]
    }

    /// OpenSSL's variables, each with a value that makes `ca` trusted.
    func trustVariables() async throws -> [(name: String, value: String)] {
        let folder = path("authorities")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: certificate("ca"), toPath: "\(folder)/ca.pem")
        try await openssl("rehash", folder)
        return [("SSL_CERT_FILE", certificate("ca")), ("SSL_CERT_DIR", folder)]
    }
}

/// A TLS server on this machine that speaks no AMQP: enough to be trusted or not.
final class TLSServer {
    let port: Int
    private let process: WorkqProcess

    /// Starts `openssl s_server` with the certificate `name`, and waits until it listens.
    init(_ certificates: TestCertificates, _ name: String, options: [String] = []) async throws {
        let (listener, port) = try LoopbackSocket.listen()
        close(listener)
        self.port = port
        process = try Shell.start(
            [
                "-C", certificates.path(""), "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert",
                certificates.certificate(name), "-key", certificates.key(name), "-quiet",
            ] + options)
        try await eventually("openssl s_server listens") {
            guard process.isRunning else { throw Failure(process.errors) }
            guard let socket = try? LoopbackSocket.connect(port: port) else { return false }
            close(socket)
            return true
        }
    }
}
