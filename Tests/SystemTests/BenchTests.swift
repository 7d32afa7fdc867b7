// workq bench on a real broker: counts that add up, and a queue that never stays behind.

import Foundation
import TestSupport
import Testing

@Suite("bench", .serialized, .timeLimit(.minutes(5)))
struct BenchTests {
    /// The JSON of a bench, as far as these tests look.
    private struct Report: Decodable {
        struct Flow: Decodable {
            var messages: Int
            var rate: Double
        }
        struct Latency: Decodable {
            var count: Int
            var min: Int
            var p50: Int
            var max: Int
        }
        struct Integrity: Decodable {
            var sent: Int
            var confirmed: Int
            var received: Int
            var lost: Int?
            var duplicated: Int
            var reordered: Int
            var unconfirmed: Int
        }
        struct Interruption: Decodable {
            var kind: String
            var text: String
        }
        struct Series: Decodable {
            var messages: [Int]
        }
        var publish: Flow
        var consume: Flow?
        var confirmLatencyMicroseconds: Latency
        var endToEndLatencyMicroseconds: Latency?
        var integrity: Integrity
        var interruption: Interruption?
        var publishSeries: Series

        init(_ result: WorkqProcess.Result) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            do {
                self = try decoder.decode(Report.self, from: Data(result.output))
            } catch {
                throw Failure("no report: \(error)\n\(result)")
            }
        }
    }

    @Test("a number of messages: all are counted, in order, and the queue is gone")
    func counts() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "bench", "--queue", fixture.queue, "--messages", "3001", "--producers", "2", "--consumers", "3",
            "--warm-up", "1s", "--format", "json")
        #expect(result.status == 0, "\(result)")
        let report = try Report(result)
        #expect(report.publish.messages == 3_001 && report.consume?.messages == 3_001, "\(result)")
        #expect(report.confirmLatencyMicroseconds.count == 3_001 && report.endToEndLatencyMicroseconds?.count == 3_001)
        let integrity = report.integrity
        #expect(integrity.sent > 3_001, "the warm-up counts for integrity")
        #expect(integrity.confirmed == integrity.sent && integrity.received == integrity.sent, "\(result)")
        #expect(integrity.lost == 0 && integrity.duplicated == 0 && integrity.reordered == 0, "\(result)")
        #expect(report.interruption == nil)
        #expect(report.publishSeries.messages.reduce(0, +) <= integrity.confirmed)
        #expect(result.errors.contains("bench on RabbitMQ"), "\(result)")
        #expect(fixture.ready() == nil, "the queue is gone")
    }

    @Test("without consumers the messages are counted on the queue, of either type, which lasts as long as the run")
    func withoutConsumers() async throws {
        let fixture = try Fixture()
        for type in ["classic", "quorum"] {
            let result = try await fixture.run(
                "bench", "--queue", fixture.queue, "--consumers", "0", "--duration", "6s", "--rate", "300", "--warm-up",
                "0", "--expires", "1s", "--queue-type", type, "--format", "json")
            #expect(result.status == 0, "\(result)")
            let report = try Report(result)
            #expect(report.consume == nil && report.integrity.lost == 0, "\(result)")
            // 1,800 by the schedule; a busy machine may be behind it at the end.
            #expect((900...1_801).contains(report.publish.messages), "\(result)")
            #expect(fixture.ready() == nil)
        }
    }

    @Test("with --rate the messages are spread over the time, and the summary is plain text")
    func rate() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let result = try await fixture.run(
            "bench", "--queue", fixture.queue, "--rate", "500", "--duration", "2s", "--warm-up", "0", "-q", "--size",
            "1k", "--transient", "--hdr", folder.path("hdr"))
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.text.contains("1,024-byte transient messages"), "\(result)")
        #expect(result.text.contains("messages arrived, once and in order"), "\(result)")
        #expect(result.output.allSatisfy { $0 == 0x0A || (0x20..<0x7F).contains($0) }, "O13 \(result)")
        #expect(folder.read("hdr").contains("1/(1-Percentile)"))
    }

    @Test("a baseline is compared with, and a condition that holds is status 1")
    func baseline() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        func bench(_ more: String...) async throws -> WorkqProcess.Result {
            try await WorkqProcess.run(
                ["bench", "--queue", fixture.queue, "--messages", "500", "--warm-up", "0", "-q"] + more,
                environment: fixture.environment)
        }
        let before = try await bench("--format", "json", "--fail-if", "p99<1us")
        #expect(before.status == 0, "\(before)")
        let file = try folder.write(before.output, to: "before.json")
        let same = try await bench("--baseline", file, "--fail-if", "p99>+1000000%", "--fail-if", "reordered>0")
        #expect(same.status == 0, "\(same)")
        let worse = try await bench("--baseline", file, "--fail-if", "p99>-100%", "--fail-if", "publish-rate<1")
        #expect(worse.status == 1 && worse.errors.contains("failed: p99>-100%: p99 is "), "\(worse)")
        #expect(!worse.errors.contains("publish-rate"), "\(worse)")
        let other = try await bench("--baseline", file, "--window", "10")
        #expect(other.status == 0 && other.errors.contains("other parameters"), "\(other)")
    }

    @Test("wrong values and files are found before anything connects")
    func usage() async throws {
        let folder = try TemporaryFolder()
        let notJSON = try folder.write("x", to: "not.json")
        for (words, status, hint) in [
            (
                ["--fail-if", "p99>+x%", "--baseline", notJSON], 64,
                "at character 5: \"+x%\" is no percentage"
            ),
            (["--fail-if", "p99>+5%"], 64, "needs a --baseline"), (["--size", "10"], 64, "from 24"),
            (["--messages", "5", "--duration", "1s"], 64, "exclude each other"),
            (["--baseline", notJSON], 65, "doesn't hold the results"),
            (["--baseline", folder.path("none")], 66, "cannot read"),
            (["--hdr", folder.path + "/no/such"], 73, "create"),
        ] as [([String], Int32, String)] {
            let result = try await WorkqProcess.run(
                ["bench"] + words, environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
            #expect(result.status == status && result.errors.contains(hint), "\(result)")
        }
        let unreachable = try await WorkqProcess.run(
            ["bench"], environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
        #expect(unreachable.status == 69, "\(unreachable)")
    }

    // MARK: - The queue

    @Test("O14 a queue that exists is refused and left as it is")
    func existingQueue() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["a", "b"])
        let result = try await fixture.run("bench", "--queue", fixture.queue, "--duration", "1s")
        #expect(result.status == 65 && result.errors.contains("exists already"), "\(result)")
        #expect(fixture.ready() == 2 && fixture.consumers() == 0)
    }

    @Test("O14 ended by a signal, the queue is gone and the figures are shown", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(signal: Int32) async throws {
        let fixture = try Fixture()
        let bench = try fixture.start(
            "bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0", "--format", "json")
        try await eventually("two seconds are told") { bench.count(of: "s  confirmed") >= 2 }
        #expect(fixture.ready() != nil)
        bench.signal(signal)
        let (result, time) = try await bench.end(within: .seconds(60))
        #expect(result.status == 128 + signal && time < .seconds(25), "\(time) \(result)")
        let report = try Report(result)
        #expect(report.interruption?.kind == "signal" && report.integrity.lost == nil, "\(result)")
        #expect(report.publish.messages > 0)
        #expect(fixture.ready() == nil, "the queue is gone")
    }

    @Test("O14 after kill -9 the queue expires")
    func killed() async throws {
        let fixture = try Fixture()
        let bench = try fixture.start(
            "bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0", "--expires", "30s")
        try await bench.says("s  confirmed")
        bench.signal(SIGKILL)
        #expect(try await bench.wait().status == 128 + SIGKILL)
        // Asking over AMQP would count as a use of the queue, and put the expiry off.
        func isListed() async throws -> Bool {
            let names = try await fixture.broker.ctl("-q", "list_queues", "name").split(separator: "\n")
            return names.contains { $0 == fixture.queue }
        }
        #expect(try await isListed(), "nobody was left to delete it")
        try await eventually("the queue has expired", within: .seconds(120)) { try await !isListed() }
    }

    @Test("messages that vanish are counted as lost, and are an error")
    func lost() async throws {
        let fixture = try Fixture()
        // One consumer that gets one message at a time is slower than the producer: some always wait.
        let bench = try fixture.start(
            "bench", "--queue", fixture.queue, "--duration", "6s", "--warm-up", "0", "--prefetch", "1", "--format",
            "json")
        try await eventually("two seconds are told") { bench.count(of: "s  confirmed") >= 2 }
        _ = try fixture.channel().purgeQueue(.init(fixture.queue))
        let result = try await bench.wait(timeout: .seconds(200))
        #expect(result.status == 3 && result.errors.contains("confirmed messages were lost"), "\(result)")
        let integrity = try Report(result).integrity
        #expect(integrity.lost ?? 0 > 0 && integrity.duplicated == 0, "\(result)")
        #expect(integrity.received + (integrity.lost ?? 0) == integrity.confirmed, "\(result)")
        #expect(fixture.ready() == nil)
    }

    @Test("a queue that somebody deletes ends the run")
    func deletedQueue() async throws {
        let fixture = try Fixture()
        let bench = try fixture.start("bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0")
        try await bench.says("s  confirmed")
        try fixture.channel().deleteQueue(.init(fixture.queue))
        let (result, _) = try await bench.end(within: .seconds(30))
        #expect(result.status == 65 && result.errors.contains("deleted the queue"), "\(result)")
        #expect(result.text.contains("ENDED EARLY"), "\(result)")
    }
}

/// These have a broker of their own.
@Suite("bench and a broker in trouble", .serialized, .timeLimit(.minutes(5)))
struct BenchTroubleTests {
    @Test("O15 N11 an alarm stops the run, which says so; a broker that dies is told too, with the figures until then")
    func trouble() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let blocked = try fixture.start("bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0")
        try await blocked.says("s  confirmed")
        try await broker.ctl("set_vm_memory_high_watermark", "0.00001")
        let (result, _) = try await blocked.end(within: .seconds(60))
        #expect(result.status == 75, "\(result)")
        #expect(result.errors.contains("blocks publishers (low on memory)"), "\(result)")
        #expect(result.text.contains("ENDED EARLY") && result.text.contains("messages/s"), "\(result)")
        #expect(!result.text.contains("once and in order"), "\(result)")
        #expect(fixture.ready() == nil, "the queue is gone, alarm or not")
        try await broker.ctl("set_vm_memory_high_watermark", "0.4")

        let orphan = try fixture.start("bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0")
        try await eventually("two seconds are told") { orphan.count(of: "s  confirmed") >= 2 }
        try await broker.kill()
        let (end, time) = try await orphan.end(within: .seconds(60))
        #expect(end.status == 69 && time < .seconds(30), "\(time) \(end)")
        #expect(end.errors.contains("the run ended early"), "\(end)")
        #expect(end.errors.contains("is left behind, and expires 1m after its last use"), "\(end)")
        #expect(end.text.contains("ENDED EARLY") && end.text.contains("not known"), "\(end)")
        try await broker.stop()
    }
}
