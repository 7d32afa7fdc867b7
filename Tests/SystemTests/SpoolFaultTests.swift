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

    private func flush(_ fixture: Fixture, _ folder: String) async throws -> WorkqProcess.Result {
        try await fixture.run(
            "publish", "--flush", "--spool", folder, "--spool-name", "c", "-v", timeout: .seconds(20))
    }

    @Test("P4 a foreign file, pipe, folder or link with a segment's name is set aside and told, and blocks nothing")
    func foreignFiles() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let spool = folder.path("spool")
        try await keep(["--spool", spool, fixture.queue, "1"])
        let segment = folder.read("spool/000000000001.tasks")
        _ = try folder.write("", to: "spool/999999999999.tasks")
        mkfifo("\(spool)/000000000002.tasks", 0o600)
        mkdir("\(spool)/000000000003.tasks", 0o700)
        _ = try folder.write(segment, to: "elsewhere")
        symlink(folder.path("elsewhere"), "\(spool)/000000000004.tasks")
        _ = try folder.write(String(segment.dropLast(5)), to: "spool/000000000005.tasks")
        // These were never the spool's.
        let others = ["999999999999999.tasks", "notes", "1.tasks", "00000000000x.tasks"]
        for name in others { _ = try folder.write("foreign", to: "spool/\(name)") }
        try await keep(["--spool", spool, fixture.queue, "2"])
        let first = try await flush(fixture, spool)
        #expect(first.status == 3 && first.errors.contains("2 tasks delivered"), "\(first)")
        #expect(first.errors.components(separatedBy: ".tasks.bad").count == 6, "\(first)")
        #expect(first.errors.contains("no regular file") && first.errors.contains("bytes behind"), "\(first)")
        let files = try FileManager.default.contentsOfDirectory(atPath: spool)
        #expect(files.filter { $0.hasSuffix(".bad") }.count == 5 && Set(files).isSuperset(of: others), "\(files)")
        // The next ones have a number beside the file that has the last.
        try await keep(["--spool", spool, fixture.queue, "3"])
        let second = try await flush(fixture, spool)
        #expect(second.status == 0 && second.errors.contains("1 task delivered"), "\(second)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "1\n2\n3\n")
    }

    @Test("P4 tasks that were set aside are published by the manual's command")
    func refusedAgain() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await keep(["--spool", folder.path, "--exchange", "typo", "--header", "a=1", "--message-id", "id", "x"])
        #expect(try await flush(fixture, folder.path).status == 65)
        let name = try #require(folder.files.first { $0.hasSuffix(".refused") })
        let lines = folder.read(name).split(separator: "\n").dropFirst().map { $0 + "\n" }.joined()
        let published = try await fixture.run("publish", "--ndjson", fixture.queue, input: .text(lines))
        #expect(published.status == 0, "\(published)")
        let worked = try await fixture.run(
            "work", fixture.queue, "--drain", "--", "sh", "-c", "echo $WORKQ_MESSAGE_ID $WORKQ_HEADER_A; cat")
        #expect(worked.text == "id 1\nx", "\(worked)")
    }

    @Test("P4 a folder that others could put tasks into is refused, and --flush makes none")
    func foreignFolders() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let missing = try await flush(fixture, folder.path("nodir"))
        #expect(missing.status == 66 && folder.files.isEmpty, "\(missing)")
        let file = try await flush(fixture, folder.write("", to: "file"))
        #expect(file.status == 66, "\(file)")
        mkdir(folder.path("open"), 0o700)
        chmod(folder.path("open"), 0o777)
        for arguments in [["--flush"], [fixture.queue, "x"]] {
            let open = try await WorkqProcess.run(
                ["publish", "--spool", folder.path("open")] + arguments, environment: fixture.environment)
            #expect(open.status == 78 && open.errors.contains("chmod o-w"), "\(open)")
        }
        #expect(fixture.ready() ?? 0 == 0)
    }

    @Test("P4 a task that is larger than a file may be is told and not kept, and what a crash left is swept")
    func fileLimit() async throws {
        let folder = try TemporaryFolder()
        let body = try folder.write(String(repeating: "x", count: 3 << 20), to: "body")
        mkdir(folder.path("spool"), 0o700)
        _ = try folder.write("half", to: "spool/000000000007.tasks.tmp")
        let limited = try Shell.start(
            [
                "bash", "-c", "ulimit -f 1000; exec \"$@\"", "bash", WorkqProcess.executable, "publish", "--spool",
                folder.path("spool"), "--url", "amqp://guest:guest@127.0.0.1:1", "q", "--connect-timeout", "1s",
            ], input: .file(body))
        let result = try await limited.wait()
        #expect(result.status == 73 && result.errors.contains("cannot write"), "\(result)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("spool"))
        #expect(files.sorted() == ["delivery.lock", "lock"])
    }
}
