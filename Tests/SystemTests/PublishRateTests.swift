// publish --rate: not faster than asked for, and awake all the time.

import Foundation
import TestSupport
import Testing

@Suite("publish rate", .timeLimit(.minutes(5)))
struct PublishRateTests {
    @Test("--rate spreads the tasks evenly over their time")
    func spread() async throws {
        let fixture = try Fixture()
        let start = ContinuousClock.now
        let process = try fixture.start(
            "publish", "--lines", "--rate", "4/s", "--print-id", fixture.queue, input: .text("1\n2\n3\n4\n5\n6\n7\n"))
        // When each was confirmed, as its id is printed at once.
        var moments: [ContinuousClock.Instant] = []
        try await eventually("seven ids are printed") {
            let count = process.output.split(separator: "\n").count
            while moments.count < count { moments.append(.now) }
            return count == 7
        }
        let result = try await process.wait()
        #expect(result.status == 0, "\(result)")
        #expect(ContinuousClock.now - start > .milliseconds(1_450))
        // No burst: the fourth isn't there before its time, counted from the start.
        #expect(moments[3] - start > .milliseconds(700) && moments[6] - start > .milliseconds(1_450))
        try await fixture.holds(7)
    }

    @Test("a rate is reached where the broker takes more than that, and never passed", arguments: [100, 5_000])
    func average(rate: Int) async throws {
        let fixture = try Fixture()
        let tasks = WorkqProcess.Input.text((0..<rate * 4).map { "\($0)\n" }.joined())
        func time(_ options: String...) async throws -> Duration {
            let start = ContinuousClock.now
            let result = try await WorkqProcess.run(
                ["publish", "--lines", fixture.queue] + options, input: tasks, environment: fixture.environment)
            #expect(result.status == 0, "\(result)")
            return ContinuousClock.now - start
        }
        // Start and login are in both times; what holds the broker up beyond the slack is in one of them only.
        let limit = Duration.milliseconds(4_600) + (try await time())
        var paced = try await time("--rate", "\(rate)/s")
        for _ in 0..<5 where paced >= limit { paced = min(paced, try await time("--rate", "\(rate)/s")) }
        // Less the half second that may be made up for, and the last task's own interval.
        #expect(paced > .milliseconds(3_480))
        #expect(paced < limit, "\(paced)")
    }

    @Test("a signal ends a long wait for a turn, and the task that waited is among the unsent ones")
    func signal() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let process = try fixture.start(
            "publish", "--lines", "--rate", "1/h", "--unsent", folder.path("rest"), fixture.queue,
            input: .text("a\nb\nc\n"))
        try await fixture.holds(1)
        process.signal(SIGTERM)
        let result = try await process.wait(timeout: .seconds(20))
        #expect(result.status == 128 + SIGTERM && result.errors.contains("1 confirmed"), "\(result)")
        #expect(try String(contentsOfFile: folder.path("rest"), encoding: .utf8) == "b\nc\n")
    }

    @Test("heartbeats go on between two tasks")
    func heartbeats() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", "--lines", "--rate", "8/m", "--heartbeat", "2s", fixture.queue, input: .text("a\nb\n"))
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        try await fixture.holds(2)
    }

    @Test("--flush delivers a spool at the rate")
    func flush() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let away = ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"]
        let kept = try await fixture.run(
            "publish", "--lines", "--spool", folder.path("spool"), "--spool-name", "x", fixture.queue,
            input: .text("1\n2\n3\n4\n"), environment: away)
        #expect(kept.status == 0, "\(kept)")
        let start = ContinuousClock.now
        let result = try await fixture.run(
            "publish", "--flush", "--spool", folder.path("spool"), "--spool-name", "x", "--rate", "5/s")
        #expect(result.status == 0 && ContinuousClock.now - start > .milliseconds(600), "\(result)")
        try await fixture.holds(4)
    }

    @Test(
        "a rate that is none, or that one task has no use for, is 64 before anything is connected to",
        arguments: [
            (["--lines", "--rate", "5"], "so many in a time"), (["--lines", "--rate", "0/s"], "so many in a time"),
            (["--lines", "--rate", "2000000/s"], "up to 1000000/s"), (["--lines", "--rate="], "so many in a time"),
            (["--rate", "5/s"], "--rate needs --lines, --null, --ndjson or --flush"),
        ])
    func refused(options: [String], message: String) async throws {
        let result = try await WorkqProcess.run(
            ["publish", "queue"] + options, input: .text("x"),
            environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains(message), "\(result)")
    }
}
