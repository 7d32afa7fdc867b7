// What commands print, and the signals that steer a worker, with the real binary on a real broker.

import Foundation
import TestSupport
import Testing

@Suite("output and signals", .serialized, .timeLimit(.minutes(5)))
struct OutputTests {
    @Test("with several jobs, lines of different commands don't mix, and a tag names the job")
    func wholeLines() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["a", "b", "c", "d"])
        let script =
            "read -r n; for i in 1 2 3 4 5; do printf %s $n; sleep 0.02; printf '%s\\n' $n$i; done; printf end$n"
        let result = try await fixture.run("work", fixture.queue, "-j4", "--tag", "--drain", "--", "sh", "-c", script)
        #expect(result.status == 0, "\(result)")
        let expected = ["a", "b", "c", "d"].enumerated().flatMap { index, name in
            (1...5).map { "\(index + 1): \(name)\(name)\($0)" } + ["\(index + 1): end\(name)"]
        }
        #expect(result.lines.sorted() == expected.sorted(), "\(result)")
    }

    @Test(
        "R12 lines of several commands stay whole whatever their length, and a tag stands before each and nowhere else",
        arguments: [["--output", "line"], ["--tag"], ["--output", "group", "--tag"]])
    func longLines(options: [String]) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["a", "b", "c", "d"])
        // Pieces of the commands come between each other; the third line has as many bytes as one read.
        let script = """
            read -r n; line() { head -c $1 /dev/zero | tr '\\0' $n; sleep .1; head -c $2 /dev/zero | tr '\\0' $n; echo; }
            line 1 0; line 70000 70001; line 65536 0; line 1500000 1500000; printf %s $n
            """
        let result = try await WorkqProcess.run(
            ["work", fixture.queue, "-j4", "--drain"] + options + ["--", "sh", "-c", script],
            environment: fixture.environment.merging(["TMPDIR": folder.path]) { $1 })
        #expect(result.status == 0, "\(result)")
        let isTagged = options.contains("--tag")
        let expected = ["a", "b", "c", "d"].enumerated().flatMap { index, name in
            [1, 140_001, 65_536, 3_000_000, 1].map {
                (isTagged ? "\(index + 1): " : "") + String(repeating: name, count: $0)
            }
        }
        let isWhole = result.lines.sorted() == expected.sorted()
        #expect(isWhole, "\(result.lines.map { "\($0.prefix(10))… \($0.utf8.count)" })")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test("R12 a record of the JSON log is a line of its own behind half a line of a command's, without raw controls")
    func wholeRecords() async throws {
        let fixture = try Fixture()
        let id = "\u{9b}31m\u{1b}é"
        let published = try await fixture.run("publish", fixture.queue, "--message-id", id, "x")
        #expect(published.status == 0, "\(published)")
        let result = try await fixture.run(
            "work", fixture.queue, "--log-format", "json", "--max-attempts", "1", "--drain", "--", "sh", "-c",
            "printf oops >&2; exit 1")
        let lines = result.errors.split(separator: "\n")
        #expect(lines.contains("oops") && !result.errors.contains("\u{9b}"), "\(result)")
        let records = lines.filter { $0 != "oops" }.map { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
        #expect(records.allSatisfy { $0 != nil }, "\(result)")
        #expect(records.contains { ($0 as? [String: Any])?["message_id"] as? String == id }, "\(result)")
    }

    @Test("grouped output of several jobs comes whole, each stream on its own, and long output leaves no file behind")
    func groups() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["a", "b", "c", "d"])
        let script = """
            read -r n; printf 'start %s\n' $n; printf 'error %s' $n >&2
            for i in 1 2 3 4 5; do head -c 40000 /dev/zero | tr '\\0' $n; sleep 0.02; done; printf '\nend %s\n' $n
            """
        let result = try await fixture.run(
            "work", fixture.queue, "-j4", "--output", "group", "--drain", "--", "sh", "-c", script,
            environment: ["TMPDIR": folder.path])
        #expect(result.status == 0, "\(result)")
        let lines = result.lines
        try #require(lines.count == 12, "\(lines.map { $0.prefix(10) })")
        for index in stride(from: 0, to: 12, by: 3) {
            let name = String(lines[index].suffix(1))
            #expect(lines[index] == "start \(name)" && lines[index + 2] == "end \(name)")
            #expect(lines[index + 1] == String(repeating: name, count: 200_000))
        }
        #expect(Set(lines.filter { $0.hasPrefix("start") }).count == 4)
        for name in ["a", "b", "c", "d"] { #expect(result.errors.contains("error \(name)")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test("grouped output can be tagged, completes a last line, and doesn't wait for what a command leaves behind")
    func taggedGroups() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let started = ContinuousClock.now
        let result = try await fixture.run(
            "work", fixture.queue, "--output", "group", "--tag", "--drain", "--", "sh", "-c",
            "echo one; printf two; sleep 60 & exit 0")
        #expect(result.status == 0 && result.lines == ["1: one", "1: two"], "\(result)")
        #expect(ContinuousClock.now - started < .seconds(50))
    }

    @Test("W10 a hundred megabytes of grouped output pass through in bounded memory")
    func longGroup() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--output", "group", "--drain", "--", "head", "-c", "100000000", "/dev/zero",
            environment: ["TMPDIR": folder.path])
        #expect(result.status == 0 && result.output.count == 100_000_000)
        #expect((1..<32 << 10).contains(result.residentKiB), "\(result.residentKiB) KiB")
    }

    @Test("W11 grouped output that finds no room in TMPDIR is 74, and the task goes back")
    func noRoomForGroup() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--output", "group", "--", "sh", "-c", "head -c 1000000 /dev/zero; sleep 30",
            environment: ["TMPDIR": "/nonexistent"], timeout: .seconds(60))
        #expect(result.status == 74, "\(result)")
    }

    @Test("W10 a command that writes a gigabyte: bounded memory, heartbeats go on")
    func gigabyte() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let folder = try TemporaryFolder()
        let script = """
            mkfifo "$2.pipe"
            wc -c < "$2.pipe" > "$2" &
            "$0" work "$1" --output line --heartbeat 1 --drain -- head -c 1000000000 /dev/zero > "$2.pipe" & pid=$!
            while [ -e /proc/$pid ]; do grep VmHWM /proc/$pid/status > "$2.new" 2>/dev/null && mv "$2.new" "$2.memory"; sleep 0.05; done
            wait
            """
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue, folder.path("count")],
            environment: fixture.environment, timeout: .seconds(120))
        // One line that never ends comes in pieces, and is completed at its end.
        #expect(folder.read("count").trimmingCharacters(in: .whitespacesAndNewlines) == "1000000001")
        let memory = folder.read("count.memory").split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
        #expect((1..<32 << 10).contains(memory ?? 0), "\(memory ?? 0) KiB")
        try await fixture.holds(0)
    }

    @Test("W11 commands whose output can't be written are ended, their tasks go back, and the status is 74")
    func lostOutput() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2", "3"])
        let script = "\"$0\" work \"$1\" -j2 --drain -- sh -c 'echo hello; sleep 5' > /dev/full; [ $? -eq 74 ]"
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        try await fixture.holds(3)
    }

    @Test("W11 a last line that can't be written is 74, however soon the worker leaves")
    func lostLastLine() async throws {
        let fixture = try Fixture()
        let script = "\"$0\" work \"$1\" --count 1 --output line -- echo result > /dev/full; [ $? -eq 74 ]"
        for number in 1...20 {
            try await fixture.publish(["\(number)"])
            try await Shell.run(
                ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        }
    }

    @Test("a standard stream that is closed from the start never becomes the broker's connection or a pipe")
    func closedStreams() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let folder = try TemporaryFolder()
        let script =
            "\"$0\" work \"$1\" --drain --output inherit -- sh -c 'ls -l /proc/self/fd > \"$0\"' \"$2\" >&- 2>&-"
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue, folder.path("descriptors")],
            environment: fixture.environment)
        let descriptors = folder.read("descriptors")
        #expect(descriptors.contains("2 -> /dev/null") && !descriptors.contains("socket:"), "\(descriptors)")
        try await fixture.holds(0)
    }

    @Test("TSTP pauses: new tasks go to others; CONT goes on; USR1 tells the state")
    func pause() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let worker = try fixture.start(
            "work", fixture.queue, "--", "sh", "-c", "cat >> \"$0\"; echo >> \"$0\"", folder.path("log"))
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        worker.signal(SIGTSTP)
        try await eventually("the worker is paused") { fixture.consumers() == 0 }
        try await fixture.publish(["x"])
        worker.signal(SIGUSR1)
        try await worker.says("connected, paused, 0 running")
        #expect(fixture.ready() == 1 && folder.read("log").isEmpty)
        worker.signal(SIGCONT)
        try await eventually("the task is done") { folder.read("log") == "x\n" }
        worker.signal(SIGTERM)
        #expect(try await worker.wait().status == 0)
    }

    @Test("a worker leaves when it was idle for long enough, and when its time is over")
    func leaving() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let idle = try await fixture.run("work", fixture.queue, "--idle-timeout", "5s", "--", "true")
        #expect(idle.status == 0 && fixture.ready() == 0, "\(idle)")
        let started = ContinuousClock.now
        let timed = try await fixture.run("work", fixture.queue, "--max-time", "5s", "--", "true")
        #expect(timed.status == 0 && ContinuousClock.now - started >= .seconds(5), "\(timed)")
    }

    @Test("W3 with a grace time, commands are ended when it is over")
    func grace() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let worker = try fixture.start(
            "work", fixture.queue, "--grace", "1s", "--", "sh", "-c", "echo start > \"$0\"; exec sleep 60",
            folder.path("log"))
        try await eventually("the command runs") { folder.read("log") == "start\n" }
        worker.signal(SIGTERM)
        #expect(try await worker.wait(timeout: .seconds(20)).status == 0)
        try await fixture.holds(1)
    }
}
