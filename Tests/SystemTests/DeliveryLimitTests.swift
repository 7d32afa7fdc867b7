// Quorum queues count deliveries and drop a task at their limit. What workers do must not take one there.

import Foundation
import TestSupport
import Testing

@Suite("delivery limits", .serialized, .timeLimit(.minutes(5)))
struct DeliveryLimitTests {
    private func quorumFixture(limit: Int, tasks: Int) async throws -> Fixture {
        let fixture = try Fixture()
        let text = (1...tasks).map { "\($0)\n" }.joined()
        let result = try await fixture.run(
            "publish", "--lines", "--queue-type", "quorum", "--queue-arg", "x-delivery-limit=\(limit)", fixture.queue,
            input: .text(text))
        try #require(result.status == 0, "\(result)")
        try await fixture.holds(tasks)
        return fixture
    }

    @Test("R1 a worker that takes one task leaves the others as they are, however often that is done")
    func oneByOne() async throws {
        let fixture = try await quorumFixture(limit: 3, tasks: 10)
        var lines: [String] = []
        for _ in 1...10 {
            let result = try await fixture.run(
                "work", fixture.queue, "--count", "1", "--idle-timeout", "5s", "--", "sh", "-c",
                "printf '%s:' $WORKQ_REDELIVERED; cat")
            #expect(result.status == 0, "\(result)")
            lines += result.lines
        }
        #expect(lines == (1...10).map { "0:\($0)" })
    }

    @Test("R1 printed tasks that a count leaves are left alone too")
    func printed() async throws {
        let fixture = try await quorumFixture(limit: 1, tasks: 9)
        var lines: [String] = []
        for _ in 1...3 {
            lines += try await fixture.run("work", fixture.queue, "--count", "3", "--idle-timeout", "5s").lines
        }
        #expect(lines == (1...9).map(String.init))
    }

    @Test("R2 pauses, and workers that stop and start, cost no task its place", arguments: [2, 20])
    func pauses(limit: Int) async throws {
        let fixture = try await quorumFixture(limit: limit, tasks: 4)
        for _ in 1...(limit == 2 ? 6 : 1) {
            let worker = try fixture.start(
                "work", fixture.queue, "--prefetch", "4", "--kill-after", "5s", "--", "sleep", "60")
            try await eventually("one runs, three wait") { worker.children.count == 1 && fixture.ready() == 0 }
            for _ in 1...4 {
                worker.signal(SIGTSTP)
                try await worker.says("paused")
                worker.signal(SIGCONT)
                try await worker.says("going on")
            }
            worker.signal(SIGTERM)
            try await worker.says("leaving")
            try await worker.signalAgain(SIGTERM)
            let result = try await worker.wait()
            #expect(result.status == 0, "\(result)")
            try await fixture.holds(4)
        }
        let left = try await fixture.run("work", fixture.queue, "--drain")
        #expect(Set(left.lines) == ["1", "2", "3", "4"], "\(left)")
    }

    @Test("R3 a task that kills its worker is dead-lettered with that reason after its last attempt, and others go on")
    func workerKiller() async throws {
        let fixture = try await quorumFixture(limit: 20, tasks: 2)
        let folder = try TemporaryFolder()
        let script = "read -r task; echo $task $WORKQ_ATTEMPT >> \"$0\"; [ $task = 2 ] || kill -9 $PPID"
        var last: WorkqProcess.Result?
        for _ in 1...12 where last?.status != 1 {
            last = try await fixture.run(
                "work", fixture.queue, "--max-attempts", "3", "--drain", "--", "sh", "-c", script, folder.path("log"))
        }
        #expect(last?.status == 1, "\(String(describing: last))")
        #expect(last?.errors.contains("each worker that tried it, attempt 3 of 3, dead-lettered") == true)
        let log = folder.read("log").split(separator: "\n").map(String.init)
        #expect(log.filter { $0.hasPrefix("1 ") } == ["1 1", "1 2", "1 3"])
        #expect(log.contains { $0.hasPrefix("2 ") })
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--count", "1", "--", "env")
        for line in ["WORKQ_HEADER_X_WORKQ_REASON=killed the worker", "WORKQ_HEADER_X_WORKQ_ATTEMPTS=3"] {
            #expect(dead.lines.contains(line), "\(line) is not in \(dead)")
        }
    }

    @Test("R3 looks spend no attempt: tasks looked at often are tried as often as others", arguments: [1, 3, 5])
    func lookedAt(maximum: Int) async throws {
        let fixture = try await quorumFixture(limit: 100, tasks: 20)
        for look in 1...11 {
            let words = look % 2 == 0 ? ["--peek", "20"] : ["--where", "size > 100"]
            let result = try await WorkqProcess.run(
                ["work", fixture.queue] + words, environment: fixture.environment)
            #expect(result.status == 0 && result.errors.isEmpty == (look < 11), "\(result)")
            try await fixture.holds(20)
        }
        let folder = try TemporaryFolder()
        let worker = try fixture.start(
            "work", fixture.queue, "--max-attempts", "\(maximum)", "--retry-delay", "100ms", "--", "sh", "-c",
            "cat >> \"$0\"; echo >> \"$0\"; exit 1", folder.path("log"))
        try await eventually("all are dead-lettered", within: .seconds(150)) {
            fixture.ready("\(fixture.queue).dead") == 20
        }
        worker.signal(SIGTERM)
        _ = try await worker.wait()
        let tries = folder.read("log").split(separator: "\n")
        #expect(tries.count == 20 * maximum && Set(tries).count == 20, "\(tries.count)")
        let dead = try await fixture.run(
            "work", "\(fixture.queue).dead", "--where", "x-workq-reason == 'status 1'")
        #expect(dead.lines.count == 20, "\(dead)")
    }

    @Test("R3 a quorum queue that a worker creates keeps what the broker would drop")
    func created() async throws {
        let fixture = try Fixture()
        let worker = try fixture.start("work", fixture.queue, "--queue-type", "quorum", "--", "true")
        try await eventually("the queue is there") { fixture.consumers() == 1 }
        worker.signal(SIGTERM)
        _ = try await worker.wait()
        let arguments = try await fixture.broker.ctl("list_queues", "--quiet", "name", "type", "arguments")
        let line = arguments.split(separator: "\n").first { $0.hasPrefix(fixture.queue) } ?? ""
        #expect(line.contains("quorum") && line.contains("\(fixture.queue).dead"), "\(line)")
    }
}
