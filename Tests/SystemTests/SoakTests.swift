// Everything at once, for as long as one likes: `make soak` runs it for ten minutes, the other tests for half a minute.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@Suite("soak", .serialized)
struct SoakTests {
    @Test(
        "N2 N3 W1 R3 workers are killed and the broker restarts and crashes under load: no task is lost, none is made up",
        arguments: ["classic", "quorum"])
    func soak(type: String) async throws {
        let seconds = ProcessInfo.processInfo.environment["WORKQ_SOAK_SECONDS"].flatMap(Int.init) ?? 15
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let soak = try Soak(broker, length: .seconds(seconds), onQuorumQueue: type == "quorum")
        try await soak.run()
        let report = try await soak.report()
        let summary = "\(soak.killCount) workers killed, broker ended \(soak.brokerEndCount) times\n\(report)"
        print(summary)
        #expect(report.isSound, "\(summary)")
        #expect(report.duplicateCount <= soak.duplicateLimit, "\(summary)\nat most \(soak.duplicateLimit) may be")
        #expect(!soak.sent.isEmpty && soak.killCount > 0 && soak.brokerEndCount == Soak.brokerEnds, "\(summary)")
    }
}

/// Tasks of random length and outcome on a broker of their own, with workers that come and go.
private final class Soak {
    /// How often the broker is ended, by turns in an orderly way and as in a crash.
    static let brokerEnds = 3
    private static let workerCount = 3
    private static let jobs = 4
    private static let batchSize = 60
    private static let mostWaiting = 1_000

    private let length: Duration
    private let fixture: Fixture
    private let folder: TemporaryFolder
    private var workers: [WorkqProcess] = []
    /// What the sender of each task was told.
    private(set) var sent: [Int: Checker.Outcome] = [:]
    private(set) var killCount = 0
    private(set) var brokerEndCount = 0
    private var generator = SystemRandomNumberGenerator()

    /// With a quorum queue whose limit is low, and whose dead letters are the worker's.
    init(_ broker: ThrowawayBroker, length: Duration, onQuorumQueue: Bool) throws {
        self.length = length
        folder = try TemporaryFolder()
        fixture = try Fixture(broker)
        _ = fixture.retryQueue("200ms")
        if onQuorumQueue {
            let dead = "\(fixture.queue).dead"
            let channel = try fixture.channel()
            try channel.declareQueue(ShortString(dead), type: .classic)
            try channel.declareQueue(
                ShortString(fixture.queue), type: .quorum,
                arguments: [
                    "x-delivery-limit": .int64(5), "x-dead-letter-exchange": .text(""),
                    "x-dead-letter-routing-key": .text(dead), "x-dead-letter-strategy": .text("at-least-once"),
                    "x-overflow": .text("reject-publish"),
                ])
        }
        try workers = (0..<Self.workerCount).map { _ in try startWorker() }
    }

    /// A killed worker takes its running tasks along, and a broker those of all workers. Each may have been done, or
    /// copied to the retry queue, without having been acknowledged.
    var duplicateLimit: Int { 2 * Self.jobs * (killCount + Self.workerCount * brokerEndCount) }

    /// Notes a task as done and succeeds, most of the time.
    private static let command = """
        read -r number
        chance=$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')
        sleep "0.$chance"
        case $chance in
        1[0-3]?) exit 1 ;;
        14?) exit 75 ;;
        15?) exit 65 ;;
        16?) kill -SEGV $$ ;;
        170) kill -KILL $PPID ;;
        esac
        echo "$number" >> "$0"
        """

    private func startWorker() throws -> WorkqProcess {
        try fixture.start(
            "work", fixture.queue, "--quiet", "--jobs", "\(Self.jobs)", "--retry-delay", "200ms", "--max-attempts",
            "1000", "--retry-for", "5m", "--", "sh", "-c", Self.command, folder.path("done"))
    }

    /// Publishes, kills and restarts until the time is up and everything was done that is to be done.
    func run() async throws {
        let start = ContinuousClock.now
        var nextKill = start + .seconds(2)
        var restart: Task<Void, any Error>?
        while ContinuousClock.now < start + length || brokerEndCount < Self.brokerEnds || killCount == 0 {
            // Workers that never catch up would be busy for long after the time is up.
            if fixture.ready() ?? 0 < Self.mostWaiting { try await publish() }
            try await replaceKilledWorkers()
            if ContinuousClock.now >= nextKill {
                try await killWorker()
                nextKill = .now + .milliseconds(.random(in: 1_000...4_000, using: &generator))
            }
            if brokerEndCount < Self.brokerEnds,
                ContinuousClock.now > start + length / (Self.brokerEnds + 1) * (brokerEndCount + 1)
            {
                try await restart?.value
                restart = restartBroker(crashing: brokerEndCount % 2 == 1)
                brokerEndCount += 1
            }
            try await Task.sleep(for: .milliseconds(500))
        }
        try await restart?.value
    }

    private func publish() async throws {
        let numbers = sent.count..<sent.count + Self.batchSize
        let lines = numbers.map { "\($0)\n" }.joined()
        let result = try await fixture.run(
            "publish", "--lines", fixture.queue, "--confirm-timeout", "10s", input: .text(lines))
        for number in numbers { sent[number] = result.status == 0 ? .confirmed : .unknown }
    }

    private func killWorker() async throws {
        let index = Int.random(in: workers.indices, using: &generator)
        workers[index].signal(SIGKILL)
        _ = try await workers[index].wait()
        workers[index] = try startWorker()
        killCount += 1
    }

    /// Some commands kill their worker.
    private func replaceKilledWorkers() async throws {
        for index in workers.indices where !isAlive(workers[index].pid) {
            let result = try await workers[index].wait()
            #expect(result.status == 128 + SIGKILL, "\(result)")
            workers[index] = try startWorker()
            killCount += 1
        }
    }

    private func restartBroker(crashing: Bool) -> Task<Void, any Error> {
        let broker = fixture.broker
        return Task {
            if crashing { try await broker.kill() }
            try await broker.restart()
        }
    }

    /// Lets the workers finish, and compares what went in with what came out.
    func report() async throws -> Checker.Report {
        let queues = [fixture.queue, fixture.retryQueue("200ms")]
        let deadline = ContinuousClock.now + length + .seconds(120)
        while !queues.allSatisfy({ fixture.ready($0) ?? 0 == 0 }), ContinuousClock.now < deadline {
            try await replaceKilledWorkers()
            try await Task.sleep(for: .milliseconds(500))
        }
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers {
            let result = try await worker.wait()
            #expect(result.status == 0 || result.status == 128 + SIGKILL, "\(result)")
        }
        // What the workers gave back, and what was waiting for its next attempt.
        let rest = try await fixture.run(
            "work", fixture.queue, "--idle-timeout", "3s", "--", "sh", "-c", "cat >> \"$0\"; echo >> \"$0\"",
            folder.path("done"))
        #expect(rest.status == 0, "\(rest)")
        let dead = try await fixture.run("work", "\(fixture.queue).dead", "--drain")
        #expect(dead.status == 0, "\(dead)")
        for name in queues { #expect(fixture.ready(name) ?? 0 == 0) }
        let lines = folder.read("done").split(separator: "\n").map(String.init) + dead.lines
        return Checker.check(sent: sent, seen: lines.map { Int($0) ?? -1 })
    }
}
