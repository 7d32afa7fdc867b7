// workq bench --keep and --consumers-only on a real broker: consumers measured alone, and nobody else's tasks touched.

import Foundation
import TestSupport
import Testing

@Suite("bench of consumers only", .serialized, .timeLimit(.minutes(5)))
struct BenchKeptTests {
    /// A number in a bench's JSON, by the names that lead to it; nil where it is null.
    private static func number(_ result: WorkqProcess.Result, _ path: String...) throws -> Double? {
        var value: Any? = try JSONSerialization.jsonObject(with: Data(result.output))
        for name in path { value = (value as? [String: Any])?[name] }
        return (value as? NSNumber)?.doubleValue
    }

    /// A queue with so many messages that a bench has left.
    private static func kept(_ fixture: Fixture, _ count: Int, _ type: String = "classic") async throws {
        let result = try await fixture.run(
            "bench", "--keep", "--queue", fixture.queue, "--messages", "\(count)", "--warm-up", "0", "--producers", "2",
            "--size", "333", "--queue-type", type, "--format", "json")
        try #require(result.status == 0, "\(result)")
        try await fixture.holds(count)
    }

    @Test(
        "consumers take what an earlier run has kept, all of it, once and in order", arguments: ["classic", "quorum"])
    func all(type: String) async throws {
        let fixture = try Fixture()
        try await Self.kept(fixture, 5_000, type)
        let result = try await fixture.run(
            "bench", "--consumers-only", "--queue", fixture.queue, "--consumers", "2", "--format", "json", "--fail-if",
            "consume-rate < 1")
        #expect(result.status == 0, "\(result)")
        #expect(try Self.number(result, "integrity", "received") == 5_000)
        #expect(try Self.number(result, "integrity", "lost") == 0 && Self.number(result, "integrity", "reordered") == 0)
        #expect(
            try Self.number(result, "consume", "messages") == 5_000 && Self.number(result, "parameters", "size") == 333)
        #expect(try Self.number(result, "consume", "rate") ?? 0 > 100 && Self.number(result, "integrity", "sent") == 0)
        #expect(try Self.number(result, "end_to_end_latency_microseconds", "count") == 0)
        #expect(fixture.ready() == 0, "the queue is still there")
        let again = try await fixture.run("bench", "--consumers-only", "--queue", fixture.queue)
        #expect(again.status == 65 && again.errors.contains("has no messages"), "\(again)")
    }

    @Test("a time that is too short for all of them loses none, and the rest stays")
    func time() async throws {
        let fixture = try Fixture()
        try await Self.kept(fixture, 20_000)
        let result = try await fixture.run(
            "bench", "--consumers-only", "--queue", fixture.queue, "--prefetch", "1", "--duration", "1s")
        #expect(result.status == 0 && result.text.contains("received of 20,000"), "\(result)")
        try await eventually("the rest is there") { (1..<20_000).contains(fixture.ready() ?? 0) }
        let rest = try await fixture.run("bench", "--consumers-only", "--queue", fixture.queue)
        #expect(rest.status == 0 && rest.text.contains("messages arrived, once and in order"), "\(rest)")
    }

    @Test("what bench hasn't sent ends the run, and stays on the queue")
    func foreign() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["somebody's task"])
        let result = try await fixture.run("bench", "--consumers-only", "--queue", fixture.queue)
        #expect(result.status == 65 && result.errors.contains("it holds what bench hasn't sent"), "\(result)")
        try await fixture.holds(1)
    }

    @Test("a queue that others consume from, or that isn't there, is 65")
    func unusable() async throws {
        let fixture = try Fixture()
        let missing = try await fixture.run("bench", "--consumers-only", "--queue", fixture.queue)
        #expect(missing.status == 65 && missing.errors.contains("bench --keep --queue"), "\(missing)")
        let worker = try fixture.start("work", fixture.queue, "--", "cat")
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        let used = try await fixture.run("bench", "--consumers-only", "--queue", fixture.queue)
        #expect(used.status == 65 && used.errors.contains("1 consumer already"), "\(used)")
        worker.signal(SIGTERM)
        #expect(try await worker.wait().status == 0)
    }

    @Test("a run with --keep that is interrupted deletes its queue")
    func interrupted() async throws {
        let fixture = try Fixture()
        let bench = try fixture.start("bench", "--keep", "--queue", fixture.queue, "--duration", "60s")
        try await eventually("it sends") { (fixture.ready() ?? 0) > 0 }
        bench.signal(SIGINT)
        #expect(try await bench.wait().status == 128 + SIGINT)
        #expect(fixture.ready() == nil)
    }

    @Test(
        "what goes with sending doesn't go with consumers only",
        arguments: [
            (["--consumers-only"], "--consumers-only needs --queue"), (["--keep"], "--keep needs --queue"),
            (["--keep", "--consumers", "2", "--queue", "q"], "exclude each other"),
            (["--consumers-only", "--queue", "q", "--rate", "5"], "nothing is sent"),
            (["--consumers-only", "--queue", "q", "--hdr", "f"], "nothing is sent"),
            (["--consumers-only", "--queue", "q", "--consumers", "0"], "at least one consumer"),
            (["--consumers-only", "--queue", "q", "--fail-if", "p99 > 1ms"], "needs producers"),
            (["--consumers-only", "--keep", "--queue", "q"], "exclude each other"),
        ])
    func refused(words: [String], says: String) async throws {
        let result = try await WorkqProcess.run(["bench"] + words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains(says), "\(result)")
    }
}
