// workq publish on a real broker.

import Foundation
import TestSupport
import Testing

@Suite("publish", .serialized, .timeLimit(.minutes(5)))
struct PublishTests {
    @Test("a task given as an operand is confirmed on a durable queue that is created, silently")
    func operand() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", fixture.queue, "hello")
        #expect(result.status == 0, "\(result)")
        #expect(result.output.isEmpty && result.errors.isEmpty, "\(result)")
        try await fixture.holds(1)
        let listed = try await fixture.broker.ctl("-q", "list_queues", "name", "durable", "type")
        let type = ThrowawayBroker.usualQueueType.rawValue
        #expect(listed.contains("\(fixture.queue)\ttrue\t\(type)"), "\(listed)")
    }

    @Test("a task that comes back for want of a queue is sent again at once, with no heartbeat to wake anybody")
    func returnedAtOnce() async throws {
        let fixture = try Fixture()
        for round in 1...5 {
            let queue = "\(fixture.queue).\(round)"
            let result = try await fixture.run("publish", queue, "hello", "--heartbeat", "0")
            #expect(result.status == 0, "\(result)")
        }
        let lines = try await fixture.run(
            "publish", "--lines", "\(fixture.queue).lines", "--heartbeat", "0", input: .text("a\nb\nc\n"))
        #expect(lines.status == 0, "\(lines)")
    }

    @Test("M2 a random MiB with NULs and invalid UTF-8 comes back byte for byte, from standard input")
    func randomBytes() async throws {
        let fixture = try Fixture()
        var generator = SeededGenerator()
        let body = generator.bytes(1 << 20)
        #expect(try await fixture.run("publish", fixture.queue, input: .bytes(body)).status == 0)
        let result = try await fixture.run("work", fixture.queue, "--count", "1", "--", "cat")
        #expect(result.status == 0 && result.output == body, "status \(result.status), \(result.output.count) bytes")
    }

    @Test(
        "M4 a body that fills its frames exactly isn't held back for a rest that doesn't come",
        arguments: [1, 2].map { $0 * (131_072 - 8) })
    func exactFrames(size: Int) async throws {
        let fixture = try Fixture()
        func time(_ command: String, _ option: String, input: [UInt8] = []) async throws -> Duration {
            let start = ContinuousClock.now
            let result = try await fixture.run(command, fixture.queue, option, input: .bytes(input))
            #expect(result.status == 0, "\(result)")
            return ContinuousClock.now - start
        }
        let body: [UInt8] = Array(repeating: 0x61, count: size)
        var publishing: [Duration] = []
        var purging: [Duration] = []
        var (best, other) = (Duration.seconds(60), Duration.zero)
        // Linux would send the last segment after 200 ms each time. Both are as late as the machine is busy.
        for round in 1...40 where round <= 10 || best >= other + .milliseconds(150) {
            publishing.append(try await time("publish", "--quiet", input: body))
            purging.append(try await time("purge", "--yes"))
            (best, other) = (try #require(publishing.min()), try #require(purging.min()))
        }
        #expect(best < other + .milliseconds(150), "\(publishing) \(purging)")
    }

    @Test("M1 an empty standard input is an empty task where that is meant, and its command sees nothing either")
    func emptyTask() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", fixture.queue, "--allow-empty", input: .text("")).status == 0)
        try await fixture.holds(1)
        let result = try await fixture.run("work", fixture.queue, "--count", "1", "--", "wc", "-c")
        #expect(result.text == "0\n", "\(result)")
    }

    @Test("M5 lines are tasks, the last one without a newline too, and empty ones unless they are skipped")
    func lines() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", "--lines", fixture.queue, input: .text("a\n\nb")).status == 0)
        try await fixture.holds(3)
        #expect(
            try await fixture.run("publish", "-l", "--skip-empty", fixture.queue, input: .text("\n\nc\n")).status == 0)
        let result = try await fixture.run("work", "--drain", fixture.queue)
        #expect(result.text == "a\n\nb\nc\n", "\(result)")
    }

    @Test("tasks separated by NUL may hold newlines")
    func nullSeparated() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", "-0", fixture.queue, input: .text("a\nb\0c\0")).status == 0)
        let result = try await fixture.run("work", "--drain", "-0", fixture.queue)
        #expect(result.text == "a\nb\0c\0", "\(result)")
    }

    @Test("standard input isn't touched when the task is an operand, so a loop around it keeps its lines")
    func loopKeepsItsLines() async throws {
        let fixture = try Fixture()
        let script = "printf '1\\n2\\n3\\n' | while read -r n; do \"$0\" publish \"$1\" \"task $n\" || exit; done"
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
        #expect(try await fixture.run("work", "--drain", fixture.queue).text == "task 1\ntask 2\ntask 3\n")
    }

    @Test("M8 a missing queue is 65 with --no-create, and nothing is created")
    func noCreate() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", "--no-create", fixture.queue, "x")
        #expect(result.status == 65 && result.errors.contains("unroutable"), "\(result)")
        #expect(fixture.ready() == nil)
        let stream = try await fixture.run(
            "publish", "--no-create", "--lines", fixture.queue, input: .text("a\nb\nc\n"))
        #expect(stream.status == 65 && stream.errors.contains("0 confirmed, 1 returned"), "\(stream)")
        let unconfirmed = try await fixture.run("publish", "--no-create", "--no-confirm", fixture.queue, "x")
        #expect(unconfirmed.status == 65, "\(unconfirmed)")
    }

    @Test("without confirms a missing queue is created all the same")
    func noConfirmCreates() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", "--no-confirm", "-l", fixture.queue, input: .text("a\nb\nc\n"))
        #expect(result.status == 0, "\(result)")
        try await fixture.holds(3)
    }

    @Test("M9 a full queue that rejects is 75, or 3 when some tasks were confirmed before")
    func nacked() async throws {
        let fixture = try Fixture()
        try fixture.channel().declareQueue(
            .init(fixture.queue), type: .classic,
            arguments: ["x-max-length": .int32(2), "x-overflow": .text("reject-publish")])
        let partly = try await fixture.run("publish", "--lines", fixture.queue, input: .text("1\n2\n3\n4\n"))
        #expect(partly.status == 3 && partly.errors.contains("2 confirmed"), "\(partly)")
        let refused = try await fixture.run("publish", fixture.queue, "5")
        #expect(refused.status == 75 && refused.errors.contains("full"), "\(refused)")
    }

    @Test("an existing queue is used as it is, whatever its type and arguments are")
    func existingQueue() async throws {
        let fixture = try Fixture()
        try fixture.channel().declareQueue(.init(fixture.queue), type: .quorum, arguments: ["x-max-length": .int32(9)])
        let result = try await fixture.run("publish", fixture.queue, "x")
        #expect(result.status == 0, "\(result)")
    }

    @Test("M5 an input that can't be read is 66, and nothing is published")
    func unreadableInput() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", fixture.queue, input: .file("/"))
        #expect(result.status == 66 && result.errors.contains("is a directory"), "\(result)")
        #expect(fixture.ready() == nil)
    }

    @Test("the first of many tasks creates the queue, and the order is kept")
    func orderOnCreation() async throws {
        let fixture = try Fixture()
        let numbers = (1...2_000).map(String.init)
        try await fixture.publish(numbers)
        #expect(try await fixture.run("work", "--drain", fixture.queue).lines == numbers)
    }

    @Test("M7 an interrupt stops reading, waits for confirms and says how far it came", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let pipe = folder.path("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        // Opened for both, so that opening waits for nobody and the other end never sees an end.
        let writer = try #require(FileHandle(forUpdatingAtPath: pipe))
        try writer.write(contentsOf: Data("1\n2\n3\n".utf8))
        let process = try fixture.start("publish", "--lines", fixture.queue, input: .file(pipe))
        try await eventually("three tasks are there") { fixture.ready() == 3 }
        process.signal(signal)
        let result = try await process.wait()
        #expect(result.status == 128 + signal && result.errors.contains("3 confirmed"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 4"), "\(result)")
    }

    @Test("P15 a line that no broker takes is refused as it is read: memory and time don't depend on its length")
    func endlessLine() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        // A hole, which takes no room on the disk.
        let file = try folder.write("", to: "input")
        truncate(file, 4 << 30)
        let result = try await fixture.run("publish", "--lines", fixture.queue, input: .file(file))
        #expect(result.status == 65 && result.errors.contains("longer than"), "\(result)")
        // As much as a task may be, and once more as the buffer grows.
        #expect(result.residentKiB < 1_200 << 10, "\(result.residentKiB) KiB")
    }
}
