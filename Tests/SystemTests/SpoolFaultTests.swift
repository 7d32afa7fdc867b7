// A spool that cron jobs share: the rows P1 to P4 of the fault table.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("spool faults", .timeLimit(.minutes(5)))
struct SpoolFaultTests {
    private static let nobody = ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"]

    private func keep(_ arguments: [String], input: WorkqProcess.Input = .nothing) async throws {
        let result = try await WorkqProcess.run(
            ["publish", "--spool-name", "c"] + arguments, input: input, environment: Self.nobody)
        try #require(result.status == 0 && result.errors.contains("kept in"), "\(result)")
    }

    @Test("P1 a task that is refused is set aside and told, and all others and the own one are delivered")
    func refusedDestination() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await keep(["--spool", folder.path, "--exchange", "typo", "--routing-key", "k", "1"])
        try await keep(["--spool", folder.path, fixture.queue, "2"])
        try await keep(["--spool", folder.path, "--exchange", "typo", "--routing-key", "k", "3"])
        let first = try await fixture.run("publish", fixture.queue, "4", "--spool", folder.path, "--spool-name", "c")
        #expect(first.status == 3 && first.errors.contains("2 tasks of \(folder.path) for exchange"), "\(first)")
        #expect(first.errors.contains("no exchange 'typo'") && first.errors.contains("are set aside as"), "\(first)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "2\n4\n")
        #expect(folder.files.filter { $0.hasSuffix(".refused") }.count == 2, "\(folder.files)")
        let second = try await fixture.run("publish", fixture.queue, "5", "--spool", folder.path, "--spool-name", "c")
        #expect(second.status == 0 && second.errors.isEmpty, "\(second)")
    }

    @Test("P1 when the login or the vhost is refused, nothing is set aside")
    func refusedLogin() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let port = fixture.broker.port
        for (url, vhost) in [
            ("amqp://nobody:wrong@127.0.0.1:\(port)", "/"), ("amqp://guest:guest@127.0.0.1:\(port)", "no"),
        ] {
            try await keep(["--spool", folder.path, "-p", vhost, "q", "kept"])
            let result = try await WorkqProcess.run(
                ["publish", "-p", vhost, "q", "x", "--spool", folder.path, "--spool-name", "c"],
                environment: ["WORKQ_URL": url])
            #expect(result.status == 77, "\(result)")
        }
        #expect(folder.files.filter { $0.hasSuffix(".tasks") }.count == 2, "\(folder.files)")
        #expect(!folder.files.contains { $0.hasSuffix(".refused") || $0.hasSuffix(".bad") }, "\(folder.files)")
    }

    @Test("P2 tasks stay that are for another vhost or another broker, and are told")
    func otherPlaces() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await keep(["--spool", folder.path, "-p", "a/b", fixture.queue, "other vhost"])
        try await keep(["--spool", folder.path, "--spool-name", "d", fixture.queue, "other name"])
        let result = try await fixture.run(
            "publish", fixture.queue, "own", "--spool", folder.path, "--spool-name", "c")
        #expect(result.status == 0 && result.errors.contains("2 tasks for another vhost or broker stay"), "\(result)")
        // Without a name, the cluster is where the nodes are.
        let unnamed = try await fixture.run("publish", fixture.queue, "own", "--spool", folder.path)
        #expect(unnamed.status == 0 && unnamed.errors.contains("2 tasks"), "\(unnamed)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "own\nown\n")
        let named = try await fixture.run("publish", "--flush", "--spool", folder.path, "--spool-name", "d", "-v")
        #expect(named.status == 0 && named.errors.contains("1 task delivered"), "\(named)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "other name\n")
    }

    @Test("P3 a refused task in front makes the others no slower")
    func refusedInFront() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await keep(["--spool", folder.path, fixture.queue, "task"])
        let good = folder.read("000000000001.tasks")
        var times: [Duration] = []
        for isRefused in [false, true] {
            if isRefused { try await keep(["--spool", folder.path, "--exchange", "typo", "x"]) }
            let first = isRefused ? 2 : 1
            for number in first..<3_000 {
                let digits = String(number)
                let name = String(repeating: "0", count: 12 - digits.count) + digits + ".tasks"
                _ = try folder.write(good, to: name)
            }
            let start = ContinuousClock.now
            let result = try await fixture.run(
                "publish", "--flush", "--spool", folder.path, "--spool-name", "c", "-v")
            times.append(.now - start)
            #expect(result.status == (isRefused ? 3 : 0), "\(result)")
            #expect(result.errors.contains("\(3_000 - first) tasks delivered") || isRefused, "\(result)")
        }
        #expect(times[1] < times[0] * 4 + .seconds(1), "eight times as long, once: \(times)")
        #expect(!folder.files.contains { $0.hasSuffix(".tasks") }, "\(folder.files)")
    }
}
