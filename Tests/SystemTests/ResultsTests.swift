// What workers keep of their commands, with the real binary on a real broker.

import Foundation
import TestSupport
import Testing

@Suite("results in files", .serialized, .timeLimit(.minutes(5)))
struct ResultsTests {
    /// What was kept of one command.
    private struct Kept {
        var name: String
        var output: String
        var errors: String
        var end: [String: Any]?
    }

    /// What is in the folder `results`, in the order of the jobs.
    private static func kept(_ folder: TemporaryFolder) throws -> [Kept] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("results"))
        return try names.map { name in
            let end = folder.read("results/\(name)/end.json")
            return Kept(
                name: name, output: folder.read("results/\(name)/stdout"),
                errors: folder.read("results/\(name)/stderr"),
                end: end.isEmpty ? nil : try JSONSerialization.jsonObject(with: Data(end.utf8)) as? [String: Any])
        }.sorted { ($0.end?["job"] as? Int ?? 0) < ($1.end?["job"] as? Int ?? 0) }
    }

    @Test("output, errors and end of each command are in a folder of its own, whatever a task's id is")
    func kept() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        for id in ["../../../escaped", "/etc/x", "plain"] {
            #expect(try await fixture.run("publish", "--message-id", id, fixture.queue, "of \(id)").status == 0)
        }
        let result = try await fixture.run(
            "work", fixture.queue, "-j", "2", "--drain", "--results", folder.path("results"), "--", "sh", "-c",
            "cat; printf '\\0 no newline'; echo trouble >&2")
        #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
        let kept = try Self.kept(folder)
        #expect(kept.map { $0.end?["message_id"] as? String } == ["../../../escaped", "/etc/x", "plain"])
        for (index, one) in kept.enumerated() {
            #expect(one.name.contains(try Regex("^[0-9]{8}T[0-9]{6}\\.[0-9]{3}Z-\(index + 1)-[0-9]+@")), "\(one.name)")
            #expect(one.output == "of \(one.end?["message_id"] ?? "")\0 no newline" && one.errors == "trouble\n")
            #expect(one.end?["status"] as? Int == 0 && one.end?["verdict"] as? String == "ack")
            #expect(one.end?["attempt"] as? Int == 1 && one.end?["queue"] as? String == fixture.queue)
            let times = ["started", "time"].map { one.end?[$0] as? String ?? "" }
            #expect(times[0].hasPrefix("20") && times == times.sorted(), "\(times)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results"])
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path("results/\(kept[0].name)/stdout"))
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    @Test("how a command failed is kept with each attempt, and its last words still go to the dead-letter queue")
    func failures() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        _ = fixture.retryQueue("100ms")
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "2", "--retry-delay", "100ms", "--idle-timeout", "10s",
            "--results",
            folder.path("results"), "--timeout", "5s", "--", "sh", "-c",
            "echo $WORKQ_ATTEMPT; echo why >&2; [ $WORKQ_ATTEMPT = 2 ] || exit 7; sleep 60")
        #expect(result.status == 1, "\(result)")
        let kept = try Self.kept(folder)
        #expect(kept.map(\.output) == ["1\n", "2\n"])
        #expect(kept.map { $0.end?["verdict"] as? String } == ["retry", "dead-letter"])
        #expect(kept.map { $0.end?["result"] as? String } == ["exit", "timeout"])
        #expect(kept.first?.end?["status"] as? Int == 7)
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--drain", "--ndjson")
        #expect(dead.text.contains(#""x-workq-stderr":"why\n""#), "\(dead)")
    }

    @Test("a batch has one folder, with how many tasks it had")
    func batch() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["1", "2", "3"])
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "3", "--drain", "--results", folder.path("results"), "--", "cat")
        #expect(result.status == 0, "\(result)")
        let kept = try Self.kept(folder)
        #expect(kept.map(\.output) == ["1\n2\n3\n"] && kept.first?.end?["tasks"] as? Int == 3)
    }

    @Test("a command that can't be started leaves no folder")
    func notStarted() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let program = try folder.write("no program", to: "program", mode: 0o755)
        let result = try await fixture.run(
            "work", fixture.queue, "--drain", "--results", folder.path("results"), "--", program)
        #expect(result.status == 78, "\(result)")
        #expect(try Self.kept(folder).isEmpty)
        try await fixture.holds(1)
    }

    @Test("a folder that can't be made is told before a task is taken")
    func unusable() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try folder.write("", to: "file")
        try await fixture.publish(["x"])
        for place in [folder.path("missing/results"), folder.path("file")] {
            let result = try await fixture.run("work", fixture.queue, "--drain", "--results", place, "--", "cat")
            #expect(result.status == 73 && result.errors.contains(place), "\(result)")
        }
        try await fixture.holds(1)
    }

    @Test("a folder that goes away ends the worker, and its task is given back")
    func removed() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["1", "2"])
        let result = try await fixture.run(
            "work", fixture.queue, "--results", folder.path("results"), "--", "rm", "-rf", folder.path("results"))
        #expect(result.status == 74 && result.errors.contains("cannot write to the results in"), "\(result)")
        try await fixture.holds(2)
    }
}
