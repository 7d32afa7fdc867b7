// Certificates for TLS tests, made with openssl: good ones, and one for each way to be wrong.

import Foundation
import TestSupport

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
