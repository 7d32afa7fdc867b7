// What bench says is true: rates of the measured time, stalls in the latencies, and files that lose nothing.

import Foundation
import TestSupport
import Testing

@Suite("bench tells the truth", .serialized, .timeLimit(.minutes(5)))
struct BenchTruthTests {
    /// A number at a path of keys in the report.
    private func number(_ result: WorkqProcess.Result, _ path: String...) throws -> Double {
        var value = try JSONSerialization.jsonObject(with: Data(result.output))
        for key in path { value = try #require((value as? [String: Any])?[key], "\(path) of \(result)") }
        return try #require((value as? NSNumber)?.doubleValue)
    }

    @Test("Q11 a warm-up's backlog doesn't lower the rate: it agrees with its own series")
    func backlog() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "bench", "--queue", fixture.queue, "--producers", "24", "--warm-up", "1s", "--duration", "3s", "--format",
            "json", "-q")
        #expect(result.status == 0, "\(result)")
        let object = try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any]
        let series = try #require(object?["publish_series"] as? [String: Any])
        // The series goes on after the measured time, until all is confirmed.
        let counts = try #require(series["messages"] as? [Int])
        let interval = try #require(series["interval_seconds"] as? Double)
        let measured = counts.prefix(Int(3 / interval))
        let expected = Double(measured.reduce(0, +)) / 3
        let rate = try number(result, "publish", "rate")
        #expect(abs(rate / expected - 1) < 0.2, "\(rate) of \(expected)")
        #expect(try number(result, "publish", "seconds") == 3)
    }

    @Test("Q11 what was due and never sent, because the broker stalled at the end, is in the latencies")
    func stall() async throws {
        let fixture = try Fixture()
        var stalled: WorkqProcess.Result?
        // On a busy machine the stall may come when the run is over: then it is tried again.
        for _ in 0..<3 where stalled == nil {
            let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
            defer { proxy.stop() }
            let bench = try WorkqProcess(
                [
                    "bench", "--queue", fixture.queue, "--rate", "200", "--window", "10", "--warm-up", "0",
                    "--duration", "8s", "--format", "json",
                ], environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:\(proxy.port)/"])
            try await bench.says("s  confirmed")
            proxy.mode = .blackhole
            let isInTime = !["5s", "6s", "7s", "8s"].contains { bench.errors.contains("\($0)  confirmed") }
            // Longer than late messages are sent at all.
            if isInTime { try await Task.sleep(for: .seconds(11)) }
            proxy.mode = .pass
            let result = try await bench.wait()
            if isInTime { stalled = result }
        }
        let result = try #require(stalled, "the stall never came in time")
        #expect(result.status == 0, "\(result)")
        for kind in ["confirm_latency_microseconds", "end_to_end_latency_microseconds"] {
            #expect(try number(result, kind, "p90") > 2_000_000, "\(kind) \(result)")
            #expect(try number(result, kind, "count") > 1_550, "\(kind) \(result)")
        }
    }

    @Test("Q11 a full disk costs no summary, and the percentiles of an earlier run stay until there are new ones")
    func percentileFile() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let old = try folder.write("old", to: "hdr")
        let nowhere = try await WorkqProcess.run(
            ["bench", "--hdr", old], environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
        #expect(nowhere.status == 69 && folder.read("hdr") == "old", "\(nowhere)")
        let words = ["bench", "--queue", fixture.queue, "--messages", "200", "--warm-up", "0", "-q", "--hdr"]
        let full = try await WorkqProcess.run(words + ["/dev/full"], environment: fixture.environment)
        #expect(full.status == 74 && full.text.contains("arrived, once and in order"), "\(full)")
        let done = try await WorkqProcess.run(words + [old], environment: fixture.environment)
        #expect(done.status == 0 && folder.read("hdr").contains("Percentile"), "\(done)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("hdr") } == ["hdr"])
    }

    @Test("Q11 a run that ended early is no baseline, and a figure that isn't there fails")
    func baseline() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let bench = try fixture.start(
            "bench", "--queue", fixture.queue, "--duration", "1h", "--warm-up", "0", "--format", "json")
        try await bench.says("s  confirmed")
        bench.signal(SIGTERM)
        let early = try await bench.wait()
        let file = try folder.write(early.output, to: "early.json")
        let refused = try await fixture.run("bench", "--baseline", file, "--duration", "1s")
        #expect(refused.status == 65 && refused.errors.contains("ended early"), "\(refused)")
        let missing = try await fixture.run(
            "bench", "--consumers", "0", "--messages", "10", "--fail-if", "consume-rate<1000")
        #expect(missing.status == 64 && missing.errors.contains("needs consumers"), "\(missing)")
    }
}
