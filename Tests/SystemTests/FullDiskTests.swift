// A full disk under everything that workq writes for later: what it says it has kept is there, and the rest is told.

import Foundation
import TestSupport
import Testing

/// A disk of a megabyte that a script sees as `$DISK`, and nobody else: it is in a mount namespace of the script's own,
/// which takes root or the right to a user namespace, and is gone with the script. workq is `$WORKQ`.
private struct SmallDisk {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    static let isPossible: Bool = {
        guard let disk = try? SmallDisk() else { return false }
        return (try? disk.start("true", [:]).waitBlocking())?.status == 0
    }()

    /// Runs a script; what is on the disk at its end is then in `folder`/left.
    func run(_ script: String, _ environment: [String: String]) async throws -> WorkqProcess.Result {
        try await start(script, environment).wait()
    }

    private func start(_ script: String, _ environment: [String: String]) throws -> WorkqProcess {
        let disk = folder.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mounted = """
            mount -t tmpfs -o size=1m tmpfs "$DISK" || exit
            (\(script))
            status=$?
            cp -r "$DISK" "$DISK/../left"
            exit $status
            """
        let asRoot = geteuid() == 0 ? [] : ["--map-root-user"]
        return try Shell.start(
            ["unshare"] + asRoot + ["--mount", "sh", "-c", mounted],
            environment: environment.merging(["DISK": disk, "WORKQ": WorkqProcess.executable]) { $1 })
    }
}

@Suite(
    "full disks", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: SmallDisk.isPossible, "a small disk is mounted only by root, or in a user namespace"))
struct FullDiskTests {
    private static let nobody = "amqp://guest:guest@127.0.0.1:1"
    private static let body = String(repeating: "x", count: 400_000)

    @Test("P17 a task for which the spool has no room isn't kept and told, and those before it are whole")
    func spool() async throws {
        let fixture = try Fixture()
        let disk = try SmallDisk()
        try disk.folder.write(Self.body, to: "body")
        let result = try await disk.run(
            """
            for task in 1 2 3; do
                "$WORKQ" publish --url \(Self.nobody) "$QUEUE" --spool "$DISK/spool" --spool-name c < "$DISK/../body"
                echo $?
            done
            find "$DISK/spool" -name '*.tmp' | wc -l
            "$WORKQ" publish --flush --spool "$DISK/spool" --spool-name c -v
            """, fixture.environment.merging(["QUEUE": fixture.queue]) { $1 })
        #expect(result.status == 0 && result.lines == ["0", "0", "73", "0"], "\(result)")
        #expect(result.errors.contains("no space left on device"), "\(result)")
        #expect(result.errors.contains("2 tasks delivered"), "\(result)")
        let tasks = try await fixture.take(2)
        #expect(tasks.allSatisfy { $0.body == Array(Self.body.utf8) })
    }

    @Test("P17 without room for the file of unsent tasks publish says so, and leaves no half of one")
    func unsent() async throws {
        let disk = try SmallDisk()
        try disk.folder.write(Self.body + "\n" + Self.body + "\n" + Self.body + "\n", to: "body")
        let result = try await disk.run(
            """
            "$WORKQ" publish --url \(Self.nobody) --lines q --unsent "$DISK/rest" < "$DISK/../body"
            """, [:])
        #expect(result.status == 73 && result.errors.contains("no space left on device"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 1"), "\(result)")
        let left = try FileManager.default.contentsOfDirectory(atPath: disk.folder.path("left"))
        #expect(left == [])
    }

    @Test(
        "Q15 when a backup finds no more room, what isn't in it is still on the queue", arguments: ["purge", "delete"])
    func backup(command: String) async throws {
        let fixture = try Fixture()
        let disk = try SmallDisk()
        let filling = String(repeating: ".", count: 500)
        try await fixture.publish((1...3_000).map { "\($0) \(filling)" })
        try await fixture.holds(3_000)
        let result = try await disk.run(
            """
            "$WORKQ" \(command) "$QUEUE" --backup "$DISK/backup"
            """, fixture.environment.merging(["QUEUE": fixture.queue]) { $1 })
        #expect(result.status == 3 && result.errors.contains("no space left on device"), "\(result)")
        let saved = try disk.folder.read("left/backup").split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object?["body"] as? String)
        }
        try await eventually("what wasn't saved is on the queue") { (fixture.ready() ?? 0) >= 3_000 - saved.count }
        let rest = try await fixture.run("work", fixture.queue, "--drain")
        func number(_ task: String) -> Int { task.split(separator: " ").first.flatMap { Int($0) } ?? -1 }
        let sent = (1...3_000).map { ($0, Checker.Outcome.confirmed) }
        let report = Checker.check(
            sent: Dictionary(uniqueKeysWithValues: sent), seen: (saved + rest.lines).map(number))
        #expect(report.isSound && saved.count > 1_000, "\(saved.count) saved. \(report)")
    }

    @Test("W11 grouped output for which TMPDIR has no more room is 74, and the task goes back")
    func groupedOutput() async throws {
        let fixture = try Fixture()
        let disk = try SmallDisk()
        try await fixture.publish(["x"])
        let result = try await disk.run(
            """
            TMPDIR=$DISK "$WORKQ" work "$QUEUE" --output group -- sh -c 'head -c 3000000 /dev/zero; sleep 60'
            """, fixture.environment.merging(["QUEUE": fixture.queue]) { $1 })
        #expect(result.status == 74 && result.errors.contains("no space left on device"), "\(result.errors)")
        try await fixture.holds(1)
    }

    @Test(
        "results for which the disk has no more room are 74, and the task goes back, whatever the command's status is",
        arguments: ["head -c 3000000 /dev/zero; sleep 60", "head -c 3000000 /dev/zero >&2; exit 0", "true"])
    func results(script: String) async throws {
        let fixture = try Fixture()
        let disk = try SmallDisk()
        try await fixture.publish(["x"])
        let fills = script == "true"
        let result = try await disk.run(
            """
            \(fills ? "head -c 3000000 /dev/zero > $DISK/filling" : "")
            "$WORKQ" work "$QUEUE" --drain --results "$DISK/results" -- sh -c '\(script)'
            """, fixture.environment.merging(["QUEUE": fixture.queue]) { $1 })
        #expect(result.status == 74, "\(result.errors)")
        #expect(result.errors.contains("cannot write to the results in"), "\(result.errors)")
        #expect(result.errors.contains("no space left on device"), "\(result.errors)")
        try await fixture.holds(1)
    }
}
