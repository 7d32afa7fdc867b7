// What purge and delete must never do: lose a task because a queue was of another kind, or its figures were old.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("removal tells the truth", .timeLimit(.minutes(5)))
struct RemovalTruthTests {
    private static let noManagement = ["WORKQ_API_URL": "http://127.0.0.1:1"]

    /// A queue that the management API declares: with flags and arguments that workq never gives.
    private func declare(_ name: String, _ object: String, on broker: ThrowawayBroker) async throws {
        try await Shell.run([
            "curl", "-sSf", "-X", "PUT", "-H", "content-type: application/json", "-d", object,
            "\(broker.apiURL)/api/queues/%2F/\(name)",
        ])
    }

    private func bodies(_ path: String) throws -> [Int] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let body = try #require(object?["body"] as? String)
            return try #require(Int(body))
        }
    }

    @Test(
        "Q1 the end of a backup doesn't end an auto-delete queue: nothing is lost, whatever the end",
        arguments: ["done", "TERM", "KILL", "full disk"])
    func autoDelete(end: String) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let path = folder.path("tasks.ndjson")
        try await declare(fixture.queue, #"{"durable":true,"auto_delete":true}"#, on: fixture.broker)
        try await fixture.publish((1...20_000).map(String.init))
        try await fixture.holds(20_000)
        switch end {
        case "done":
            let result = try await fixture.run("purge", fixture.queue, "--backup", path)
            #expect(result.status == 0 && result.text == "\(fixture.queue)\t20000\n", "\(result)")
        case "full disk":
            let script = "trap '' XFSZ; ulimit -f 200; \"$0\" purge \"$1\" --backup \"$2\" 2>&1; echo \"status $?\""
            let text = try await Shell.run(
                ["sh", "-c", script, WorkqProcess.executable, fixture.queue, path], environment: fixture.environment)
            #expect(text.contains("status 3\n"), "\(text)")
        default:
            let process = try fixture.start("purge", fixture.queue, "--backup", path)
            try await eventually("some tasks are in the file") {
                folder.read("tasks.ndjson").utf8.count > 1_000
            }
            process.signal(end == "TERM" ? SIGTERM : SIGKILL)
            let result = try await process.wait()
            #expect(result.status == (end == "TERM" ? 143 : 137), "\(result)")
        }
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let whole = text.hasSuffix("\n") ? text : String(text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]) + "\n"
        try whole.write(toFile: path, atomically: false, encoding: .utf8)
        let saved = Set(try bodies(path))
        let rest = 20_000 - saved.count
        try await eventually("the queue is there, with the rest") { (fixture.ready() ?? -1) >= rest }
        let drained = try await fixture.run("work", "--drain", fixture.queue)
        let seen = saved.union(drained.lines.compactMap { Int($0) })
        #expect(seen == Set(1...20_000), "\(20_000 - seen.count) are lost")
    }

    @Test(
        "Q1 a worker that will leave by itself says first that an auto-delete queue goes with it",
        arguments: [["--drain"], ["--count", "1"], ["--move-to"], ["--idle-timeout", "5s"]], [true, false])
    func autoDeleteIsTold(limit: [String], isAutoDelete: Bool) async throws {
        let fixture = try Fixture()
        let target = limit == ["--move-to"] ? [fixture.anotherQueue("target"), "--drain"] : ["--log-format", "json"]
        func isTold() async throws -> Bool {
            try await declare(fixture.queue, #"{"durable":true,"auto_delete":\#(isAutoDelete)}"#, on: fixture.broker)
            try await fixture.publish(["1"])
            let result = try await WorkqProcess.run(
                ["work", fixture.queue] + limit + target, environment: fixture.environment)
            try #require(result.status == 0, "\(result)")
            return result.errors.contains("is an auto-delete queue")
        }
        // A busy API may need more than the second that it has.
        if isAutoDelete { try await eventually("it is told", isTold) } else { #expect(try await !isTold()) }
        let silent = try await fixture.run(
            "work", fixture.queue, "--drain", environment: ["WORKQ_API_URL": "http://127.0.0.1:1"])
        #expect(!silent.errors.contains("auto-delete") && !silent.errors.contains("127.0.0.1:1"), "\(silent)")
    }

    @Test("Q1 tasks of a queue with a single active consumer are saved", arguments: ["classic", "quorum"])
    func singleActiveConsumer(type: String) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let arguments = #"{"x-single-active-consumer":true,"x-queue-type":"\#(type)"}"#
        try await declare(fixture.queue, #"{"durable":true,"arguments":\#(arguments)}"#, on: fixture.broker)
        try await fixture.publish(["1", "2"])
        try await fixture.holds(2)
        let result = try await fixture.run("purge", fixture.queue, "--backup", folder.path("file"))
        #expect(try result.status == 0 && bodies(folder.path("file")) == [1, 2], "\(result)")
    }

    @Test("Q2 a quorum queue whose worker runs its task is not deleted, however old the figures are")
    func quorumInUse() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", "--queue-type", "quorum", fixture.queue, "x").status == 0)
        let worker = try fixture.start("work", fixture.queue, "--", "sleep", "120")
        try await eventually("the task is taken") { fixture.consumers() == 1 && fixture.ready() == 0 }
        for words in [["--if-empty"], ["--if-unused"], ["--if-empty", "--if-unused"]] {
            let result = try await WorkqProcess.run(
                ["delete", fixture.queue] + words, environment: fixture.environment)
            #expect(result.status == 65 && result.output.isEmpty, "\(result)")
        }
        #expect(fixture.ready() == 0, "the queue is there")
        worker.signal(SIGKILL)
        _ = try await worker.wait()
        try await fixture.holds(1)
    }

    @Test("Q2 a quorum queue is deleted when nobody holds a task: at once unused, after a second look with a worker")
    func quorumEmpty() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        for name in [fixture.queue, other] { try fixture.channel().declareQueue(ShortString(name), type: .quorum) }
        let unused = try await fixture.run("delete", "--if-empty", other)
        #expect(unused.status == 0 && unused.text == "\(other)\t0\n", "\(unused)")
        #expect(!unused.errors.contains("looks again"), "\(unused)")
        let worker = try fixture.start("work", fixture.queue, "--", "true")
        try await eventually("the queue is in use") { fixture.consumers() == 1 }
        let blind = try await fixture.run("delete", "--if-empty", fixture.queue, environment: Self.noManagement)
        #expect(blind.status == 65 && blind.errors.contains("isn't known"), "\(blind)")
        let looked = try await fixture.run("delete", "--if-empty", fixture.queue)
        #expect(looked.status == 0 && looked.errors.contains("looks again"), "\(looked)")
        worker.signal(SIGKILL)
    }

    @Test(
        "Q3 a condition that can't be checked refuses: a classic queue without the management API",
        arguments: ["consumer", "cancelled consumer", "nobody"])
    func classicWithoutManagement(holder: String) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        try await fixture.publish(["1"])
        let channel = try fixture.channel()
        if holder != "nobody" {
            let tag = try channel.consume(ShortString(fixture.queue))
            try await fixture.holds(0)
            if holder == "cancelled consumer" { try channel.cancel(tag) }
        } else {
            _ = try await fixture.run("purge", fixture.queue)
        }
        let words = [["--if-empty"], ["--backup", folder.path("file")], ["--if-empty", "--if-unused"]]
        for words in words {
            let result = try await WorkqProcess.run(
                ["delete", fixture.queue] + words,
                environment: fixture.environment.merging(Self.noManagement) { $1 })
            #expect(result.status == 65 && result.output.isEmpty, "\(result)")
        }
        #expect(fixture.ready() != nil, "the queue is there")
        let known = try await fixture.run("delete", "--if-empty", fixture.queue)
        #expect(known.status == (holder == "nobody" ? 0 : 65), "\(known)")
    }

    @Test("Q14 the queues of retries, delayed and dead tasks are mentioned, and --with-retries takes them too")
    func withRetries() async throws {
        let fixture = try Fixture()
        let companions = ["\(fixture.queue).retry.1h", "\(fixture.queue).delay.2h"]
        let dead = "\(fixture.queue).dead"
        let strangers = ["\(fixture.queue).retry.often", "\(fixture.queue)x.retry.1h"]
        let channel = try fixture.channel()
        func make() async throws {
            for name in [fixture.queue, dead] + companions + strangers {
                try channel.declareQueue(ShortString(name), type: .classic)
                try channel.publish(
                    [0x31], exchange: "", routingKey: ShortString(name), mandatory: true,
                    properties: MessageProperties())
            }
            try await eventually("all hold one") {
                ([fixture.queue, dead] + companions + strangers).allSatisfy { (fixture.ready($0) ?? 0) > 0 }
            }
        }
        defer { for name in companions + strangers { _ = try? fixture.channel().deleteQueue(ShortString(name)) } }
        for (command, participle) in [("purge", "purged"), ("delete", "deleted")] {
            try await make()
            let alone = try await fixture.run(command, fixture.queue)
            #expect(alone.status == 0 && alone.text == "\(fixture.queue)\t1\n", "\(participle) \(alone)")
            for name in companions + [dead] { #expect(alone.errors.contains("\"\(name)\""), "\(alone)") }
            #expect(alone.errors.contains("stay with 3 tasks; --with-retries"), "\(alone)")
            try await make()
            let all = try await fixture.run(command, fixture.queue, "--with-retries")
            #expect(all.status == 0 && all.lines.last == "\(fixture.queue)\t1", "\(all)")
            #expect(
                Set(all.lines.map { String($0.split(separator: "\t")[0]) }) == Set([fixture.queue, dead] + companions))
            #expect(!all.errors.contains("--with-retries"), "\(all)")
            for name in strangers { #expect((fixture.ready(name) ?? 0) > 0, "\(name) is not of the queue") }
        }
    }

    @Test("Q9 an API that hangs keeps a purge waiting for two seconds at most", .timeLimit(.minutes(1)))
    func hangingAPI() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        try await fixture.holds(1)
        let peer = try ScriptedPeer { peer in
            _ = try peer.expectRequest()
            try peer.silence()
        }
        defer { peer.stop() }
        let start = ContinuousClock.now
        let result = try await fixture.run(
            "purge", fixture.queue, environment: ["WORKQ_API_URL": "http://guest:guest@127.0.0.1:\(peer.port)"])
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t1\n", "\(result)")
        #expect(result.errors.contains("isn't known"), "\(result)")
        #expect(ContinuousClock.now - start < .seconds(15))
    }
}
