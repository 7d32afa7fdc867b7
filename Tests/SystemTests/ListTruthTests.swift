// What list-queues says is true: live where it can be, known to be unknown where not, and said in time.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("lists tell the truth", .timeLimit(.minutes(5)))
struct ListTruthTests {
    @Test(
        "Q4 a column of the statistics leaves the counts live, and named queues' consumers are live", .needsLiveCounts)
    func liveBesideStatistics() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...501).map(String.init))
        try await fixture.holds(501)
        let words = ["--queue", fixture.queue, "--crit", "messages>100 and consumers==0"]
        let idle = try await WorkqProcess.run(["list-queues"] + words, environment: fixture.environment)
        #expect(idle.status == 2 && idle.text.contains("messages 501, consumers 0"), "\(idle)")
        _ = try fixture.channel()
        let worker = try fixture.start("work", fixture.queue, "--", "sleep", "30")
        try await eventually("it is used") { fixture.consumers() == 1 }
        let used = try await WorkqProcess.run(["list-queues"] + words, environment: fixture.environment)
        #expect(used.status == 0, "\(used)")
        let row = try await fixture.run(
            "list-queues", "--match", "^\(fixture.queue)$", "name", "messages", "memory", "policy")
        #expect(row.lines.last?.hasPrefix("\(fixture.queue)\t501\t") == true, "\(row)")
        worker.signal(SIGKILL)
    }

    @Test("Q5 a stream's tasks are counted, and don't make a check unknown", .needsLiveCounts)
    func streams() async throws {
        let fixture = try Fixture()
        let stream = fixture.anotherQueue("stream")
        try await Shell.run([
            "curl", "-sSf", "-X", "PUT", "-H", "content-type: application/json", "-d",
            #"{"durable":true,"arguments":{"x-queue-type":"stream"}}"#,
            "\(fixture.broker.apiURL)/api/queues/%2F/\(stream)",
        ])
        try await fixture.publish(["1"])
        #expect(try await fixture.run("publish", "--lines", stream, input: .text("1\n2\n3\n")).status == 0)
        let pattern = "^\(fixture.queue)"
        for (limit, status) in [(2, Int32(1)), (100, 0)] {
            var result = try await fixture.run("list-queues", "--match", pattern, "--warn", "messages > \(limit)")
            // Statistics come every 5 seconds, and of a stream that has just got its tasks they may be of before.
            for _ in 0..<60 where result.status != status {
                try await Task.sleep(for: .milliseconds(250))
                result = try await fixture.run("list-queues", "--match", pattern, "--warn", "messages > \(limit)")
            }
            #expect(result.status == status, "\(result)")
        }
        let classic = try await fixture.run(
            "list-queues", "--match", pattern, "--type", "classic", "--warn", "messages > 100")
        #expect(classic.status == 0, "\(classic)")
    }

    @Test("Q7 a broker that hangs doesn't put a deadline off", .timeLimit(.minutes(1)), arguments: ["1s", "1500ms"])
    func deadline(time: String) async throws {
        let peer = try ScriptedPeer { peer in
            _ = try peer.expectRequest()
            try peer.silence()
        }
        defer { peer.stop() }
        let (result, elapsed) = try await WorkqProcess(
            ["list-queues", "--queue", "q", "--wait", "messages==0", "--deadline", time],
            environment: [
                "WORKQ_URL": "amqp://guest:guest@127.0.0.1:1",
                "WORKQ_API_URL": "http://guest:guest@127.0.0.1:\(peer.port)",
            ]
        ).end(within: .seconds(50))
        #expect(result.status == 75 && elapsed < .seconds(20), "\(elapsed) \(result)")
    }

    @Test("Q7 an API that is away for some seconds is waited out, named queue or not")
    func outage() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let port = try #require(URL(string: fixture.broker.apiURL)?.port)
        let proxy = try TCPProxy(upstreamPort: port)
        defer { proxy.stop() }
        let wait = try fixture.start(
            "list-queues", "--queue", fixture.queue, "--wait", "messages == 0", "--deadline", "30s", "--interval",
            "200ms", environment: ["WORKQ_API_URL": "http://guest:guest@127.0.0.1:\(proxy.port)"])
        try await eventually("it has asked") { proxy.traffic(.toClient).forwarded > 0 }
        proxy.mode = .reset(after: 0, .toUpstream)
        try await wait.says("Trying again")
        _ = try fixture.channel().purgeQueue(ShortString(fixture.queue))
        proxy.mode = .pass
        let result = try await wait.wait()
        #expect(result.status == 0, "\(result)")
    }

    @Test("Q7 tasks that will come back are waited for with --with-retries, and only then")
    func retries() async throws {
        let fixture = try Fixture()
        let retry = fixture.retryQueue("1h")
        let channel = try fixture.channel()
        for name in [fixture.queue, retry] { try channel.declareQueue(ShortString(name), type: .classic) }
        try channel.publish(
            [0x31], exchange: "", routingKey: ShortString(retry), mandatory: true, properties: MessageProperties())
        try await eventually("it waits") { fixture.ready(retry) == 1 }
        let words = ["--queue", fixture.queue, "--wait", "messages == 0", "--deadline", "5s", "--interval", "200ms"]
        let alone = try await WorkqProcess.run(["list-queues"] + words, environment: fixture.environment)
        #expect(alone.status == 0, "\(alone)")
        let all = try await WorkqProcess.run(
            ["list-queues", "--with-retries"] + words, environment: fixture.environment)
        #expect(all.status == 75 && all.errors.contains("\"\(retry)\" has messages 1"), "\(all)")
        _ = try channel.purgeQueue(ShortString(retry))
        let done = try await WorkqProcess.run(
            ["list-queues", "--with-retries"] + words + ["--deadline", "20s"], environment: fixture.environment)
        #expect(done.status == 0, "\(done)")
        let usage = try await fixture.run("list-queues", "--with-retries")
        #expect(usage.status == 64, "\(usage)")
    }

    @Test(
        "Q8 a missing queue hides nobody's state, ranges stand behind values, a certificate is a state of its own",
        .needsLiveCounts)
    func checks() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...20).map(String.init))
        try await fixture.holds(20)
        let missing = "\(fixture.queue)-missing"
        let words = ["list-queues", "--queue", missing, "--queue", fixture.queue, "--warn", "messages>5"]
        let both = try await WorkqProcess.run(
            words + ["--crit", "messages>=10 or messages_ready<0"], environment: fixture.environment)
        #expect(both.status == 2 && both.text.contains("there is no queue \"\(missing)\""), "\(both)")
        #expect(both.text.contains("'\(fixture.queue) messages'=20;5;@10:;0"), "\(both)")
        let unknown = try await WorkqProcess.run(
            ["list-queues", "--queue", missing, "--warn", "messages>5"], environment: fixture.environment)
        #expect(unknown.status == 3 && unknown.text.hasPrefix("QUEUES UNKNOWN"), "\(unknown)")
        let noTLS = try await WorkqProcess.run(
            ["list-queues", "--warn", "messages>5"],
            environment: fixture.environment.merging([
                "WORKQ_API_URL": fixture.broker.apiURL.replacingOccurrences(of: "http://", with: "https://")
            ]) { $1 })
        #expect(noTLS.status == 3 && noTLS.text.hasPrefix("QUEUES UNKNOWN"), "\(noTLS)")
    }

    @Test("Q6 --watch of a queue that doesn't exist is 65")
    func watchMissing() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("list-queues", "--watch", "--queue", "\(fixture.queue)-missing")
        #expect(result.status == 65 && result.output.isEmpty, "\(result)")
        #expect(result.errors.contains("\(fixture.queue)-missing"), "\(result)")
    }

    @Test(
        "Q14 a word that is no column is answered with what was meant",
        arguments: [
            (["name,messages"], "name messages"), (["thumbnails"], "--queue thumbnails"),
            (["mesages"], "did you mean messages?"),
            (["--watch", "1s"], "--interval 1s"),
        ])
    func mistakes(words: [String], hint: String) async throws {
        let result = try await WorkqProcess.run(
            ["list-queues"] + words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains(hint) && result.errors.count < 300, "\(result)")
    }

    @Test("Q14 one long name doesn't make the rows of a terminal wrap", arguments: [40, 80, 200] as [UInt16])
    func longName(width: UInt16) async throws {
        let fixture = try Fixture()
        let long = fixture.anotherQueue(String(repeating: "n", count: 200))
        for name in [fixture.queue, long] { try fixture.channel().declareQueue(ShortString(name), type: .classic) }
        let terminal = try ScreenTerminal(width: width, height: 24)
        let list = try WorkqProcess(
            [
                "-c", "exec \"$0\" list-queues --match \"$1\" >\"$2\"", WorkqProcess.executable, fixture.queue,
                terminal.path,
            ],
            environment: fixture.environment, executable: "/bin/sh")
        let result = try await list.wait()
        #expect(result.status == 0, "\(result)")
        // A header of two lines, the queues, and their total.
        var lines: [Substring] = []
        try await eventually("all lines have come") {
            lines = terminal.text().replacing(/\u{1B}\[[0-9;]*m/, with: "").split(whereSeparator: \.isNewline)
            return lines.count >= 5
        }
        #expect(lines.count == 5 && lines.allSatisfy { $0.count <= Int(width) }, "\(lines)")
    }
}
