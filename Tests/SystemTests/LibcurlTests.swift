// libcurl is for those who list queues: nobody else opens it, and without it the rest goes on.

import Foundation
import TestSupport
import Testing

@Suite("libcurl", .timeLimit(.minutes(2)))
struct LibcurlTests {
    /// What the loader says of the libraries that `workq` opens.
    private func libraries(_ fixture: Fixture, _ arguments: [String]) async throws -> String {
        let folder = try TemporaryFolder()
        let result = try await WorkqProcess.run(
            arguments,
            environment: fixture.environment.merging([
                "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": folder.path("libraries"),
            ]) { $1 })
        try #require(result.status == 0, "\(result)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return files.map { folder.read($0) }.joined()
    }

    /// A folder in which the loader finds these libraries before the system's.
    private static func libraryPath(_ libraries: [String: String]) throws -> (TemporaryFolder, [String: String]) {
        let folder = try TemporaryFolder()
        for (name, target) in libraries {
            if target.isEmpty {
                try folder.write("no library", to: name)
            } else {
                try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: target)
            }
        }
        return (folder, ["LD_LIBRARY_PATH": folder.path])
    }

    private static let noLibrary = ["libcurl.so.4": "", "libcurl-gnutls.so.4": ""]

    @Test("publish and work open no libcurl, and the program isn't linked to it")
    func unopened() async throws {
        let fixture = try Fixture()
        // A worker that leaves by itself asks whether its queue would go with it, if it may say so.
        for arguments in [["publish", fixture.queue, "x"], ["work", fixture.queue, "--drain", "-q", "--", "true"]] {
            let libraries = try await libraries(fixture, arguments)
            #expect(libraries.contains("librabbitmq") && !libraries.contains("libcurl"), "\(arguments)")
        }
        let listing = try await libraries(fixture, ["list-queues", "--queue", fixture.queue])
        #expect(listing.contains("libcurl"))
        let linked = try await Shell.run(["ldd", WorkqProcess.executable])
        #expect(linked.contains("librabbitmq") && !linked.contains("libcurl"), "\(linked)")
    }

    @Test("where libcurl is missing, listing is 69 and says what to install; named queues are asked for over AMQP")
    func missing() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let (folder, environment) = try Self.libraryPath(Self.noLibrary)
        defer { withExtendedLifetime(folder) {} }
        let all = try await fixture.list(environment: environment)
        #expect(all.status == 69 && all.output.isEmpty, "\(all)")
        #expect(all.errors == "workq: list-queues needs libcurl (apt-get install libcurl4)\n", "\(all)")
        let named = try await fixture.list("-s", "--queue", fixture.queue, environment: environment)
        #expect(named.status == 0 && named.lines == ["\(fixture.queue)\t2\t-"], "\(named)")
        #expect(named.errors.contains("libcurl isn't installed (apt-get install libcurl4)"), "\(named)")
        let watch = try await fixture.list("--watch", environment: environment)
        #expect(watch.status == 69 && watch.errors.contains("list-queues needs libcurl"), "\(watch)")
        let purge = try await fixture.run("purge", "--yes", "--match", "^\(fixture.queue)$", environment: environment)
        #expect(purge.status == 69 && purge.errors.contains("needs libcurl"), "\(purge)")
    }

    @Test(
        "libcurl with GnuTLS does where the one with OpenSSL is missing, and tells what can't be trusted",
        .needsLiveCounts)
    func otherTLS() async throws {
        let library = "/usr/lib/\(Self.architecture)-linux-gnu/libcurl-gnutls.so.4"
        guard FileManager.default.fileExists(atPath: library) else { return }
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let (folder, environment) = try Self.libraryPath(["libcurl.so.4": ""])
        defer { withExtendedLifetime(folder) {} }
        let result = try await fixture.list("-s", "--queue", fixture.queue, environment: environment)
        #expect(result.status == 0 && result.lines == ["\(fixture.queue)\t1\t0"], "\(result)")
        let certificates = try await TestCertificates()
        try await certificates.sign("server")
        try await certificates.sign("elsewhere", for: "DNS:broker.example.net")
        for (name, authority, words) in [("server", "other", "can't be trusted"), ("elsewhere", "ca", "certificate")] {
            let server = try await TLSServer(certificates, name)
            let url = ["WORKQ_API_URL": "https://guest:guest@localhost:\(server.port)"]
            let refused = try await WorkqProcess.run(
                ["list-queues", "--cacert", certificates.certificate(authority)],
                environment: environment.merging(url) { $1 })
            #expect(refused.status == 78 && refused.errors.contains(words), "\(name): \(refused)")
        }
    }

    private static var architecture: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }
}
