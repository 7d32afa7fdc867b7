// Publishing through outages: only what is unconfirmed is sent again, and nothing that was confirmed is lost.

import Foundation
import TestSupport
import Testing

@Suite("publish through outages", .serialized, .timeLimit(.minutes(30)))
struct PublishRetryTests {
    private static let patience = Duration.seconds(30)
    /// How often the broker is killed, and how many tasks go in each time: 20 and 50,000 for the full row.
    private static let kills = ProcessInfo.processInfo.environment["WORKQ_TEST_KILLS"].flatMap(Int.init) ?? 2
    private static let tasks = kills < 10 ? 20_000 : 50_000

    @Test("N1 a broker killed at any moment: publish outlives it, no confirmed task is lost, few come twice")
    func brokerKilled() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let text = (1...Self.tasks).map { "\($0)\n" }.joined()
        var generator = SeededGenerator()
        for round in 0..<Self.kills {
            // A lone node of RabbitMQ 4.0 that is killed doesn't find its newest quorum queues again.
            let publish = try fixture.start(
                "publish", "--queue-type", "classic", "--lines", "--retry-for", "2m", "-v", fixture.queue,
                input: .text(text))
            // Any moment will do: during the login, in the middle, at the end.
            try await Task.sleep(for: .milliseconds(.random(in: 20...2_000, using: &generator)))
            try await broker.kill()
            try await broker.restart()
            let result = try await publish.wait(timeout: .seconds(180))
            #expect(result.status == 0, "round \(round): \(result)")
            #expect(result.errors.contains("\(Self.tasks) tasks confirmed"), "round \(round): \(result)")
            let drained = try await fixture.run("work", "--drain", fixture.queue, timeout: .seconds(180))
            let report = Checker.check(
                sent: Dictionary(uniqueKeysWithValues: (1...Self.tasks).map { ($0, .confirmed) }),
                seen: drained.lines.compactMap { Int($0) })
            #expect(
                report.isSound && report.duplicateCount <= 1_000,
                "round \(round): \(report) \(drained.status) \(drained.errors)")
        }
        try await broker.stop()
    }

    @Test("M9 a full queue is waited for, and gets every task once there is room")
    func fullQueue() async throws {
        let fixture = try Fixture()
        try fixture.channel().declareQueue(
            .init(fixture.queue), type: .classic,
            arguments: ["x-max-length": .int32(2), "x-overflow": .text("reject-publish")])
        let publish = try fixture.start(
            "publish", "--lines", "--retry-for", "30s", "-v", fixture.queue, input: .text("1\n2\n3\n4\n5\n"))
        try await publish.says("as a full queue does")
        let result = try await fixture.run("work", "--count", "5", fixture.queue)
        #expect(result.lines.sorted() == ["1", "2", "3", "4", "5"], "\(result)")
        let published = try await publish.wait()
        #expect(published.status == 0 && published.errors.contains("5 tasks confirmed"), "\(published)")

        let impatient = try await fixture.run(
            "publish", "--lines", "--retry-for", "3s", fixture.queue, input: .text("1\n2\n3\n4\n"))
        #expect(impatient.status == 3 && impatient.errors.contains("2 confirmed, 2 refused;"), "\(impatient)")
    }

    @Test("M9 only what was refused is sent again, once the outcome of the others is known")
    func refusedForNow() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            let first = try (0..<3).map { _ in try peer.expectPublish() }
            try peer.nack(2)
            try peer.ack(3)
            try peer.nack(4)
            let second = try peer.accept()
            try second.acceptPublisher()
            let again = try (0..<3).map { _ in try second.expectPublish() }
            try second.check(again.prefix(2) == [first[0], first[2]], "2 and 4 again: \(again)")
            try second.check(again[2].text == "5", "then the next: \(again)")
            try second.ack(3, multiple: true)
            try second.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "queue", "--window", "3", "--retry-for", "20s", "-v"],
            input: .text("1\n2\n3\n4\n5\n"), environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("5 tasks confirmed"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N1 N3 after a lost connection only what is unconfirmed comes again, in order and with the same ids")
    func sameIDs() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            let first = try (0..<4).map { _ in try peer.expectPublish() }
            try peer.ack(3)
            peer.close()
            let second = try peer.accept()
            try second.acceptPublisher()
            let again = try (0..<4).map { _ in try second.expectPublish() }
            try second.check(again.prefix(3) == [first[0], first[2], first[3]], "2, 4 and 5 again: \(again)")
            try second.check(again[3].text == "6", "then the next: \(again)")
            try second.ack(4, multiple: true)
            try second.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "queue", "--window", "4", "--retry-for", "20s", "-v", "--print-id"],
            input: .text("1\n2\n3\n4\n5\n6\n"), environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("6 tasks confirmed"), "\(result)")
        #expect(result.errors.contains("Trying again for up to 20s") && result.lines.count == 6, "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N1 N15 a broker that stays away: 75 by the deadline, or 3 when some were confirmed, with what is unknown")
    func gaveUp() async throws {
        let start = ContinuousClock.now
        let never = try await WorkqProcess.run(
            ["publish", "queue", "x", "--retry-for", "2s"], environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"]
        )
        #expect(never.status == 75 && never.errors.contains("gave up after 2s"), "\(never)")
        #expect(ContinuousClock.now - start > .seconds(2))
        // One line for the outage, one for its end.
        #expect(never.errors.split(separator: "\n").count == 2, "\(never)")

        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            try peer.expectTasks(2)
        }
        let partly = try await WorkqProcess.run(
            ["publish", "-l", "queue", "--retry-for", "1s", "--window", "2"], input: .text("1\n2\n3\n4\n"),
            environment: peer.environment)
        #expect(partly.status == 3 && partly.errors.contains("1 confirmed, 2 unknown"), "\(partly)")
        #expect(partly.errors.contains("the first one not confirmed is task 2"), "\(partly)")
    }

    @Test("N5 a broker that falls silent is left for a new connection after the confirm timeout")
    func silence() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.readUntilClosed()
            let second = try peer.accept()
            try second.acceptPublisher()
            try second.expectTasks(1)
            try second.ack(1)
            try second.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "queue", "x", "--retry-for", "20s", "--confirm-timeout", "4s"], environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("no confirm in 4s"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N11 a blocked broker is waited for as long as one that is away, and gets no task twice")
    func blocked() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.block(reason: "low on memory")
            try peer.silence(for: .seconds(8))
            try peer.unblock()
            try peer.ack(1)
            let rest = try peer.serveUntilClosed()
            try peer.check(!rest.contains { "\($0)".contains("basic.publish") }, "nothing comes again: \(rest)")
        }
        let result = try await WorkqProcess.run(
            ["publish", "queue", "x", "--retry-for", "20s", "--confirm-timeout", "4s"], environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("blocked by the broker: low on memory"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N16 a refusal isn't retried: a wrong password, a missing exchange")
    func refused() async throws {
        let fixture = try Fixture()
        let login = try await WorkqProcess.run(
            ["publish", "q", "x", "--retry-for", "20s"],
            environment: ["WORKQ_URL": "amqp://nobody:wrong@127.0.0.1:\(fixture.broker.port)"], timeout: .seconds(15))
        #expect(login.status == 77, "\(login)")
        let missing = try await fixture.run(
            "publish", "--exchange", "nowhere", "x", "--retry-for", "20s", timeout: .seconds(15))
        #expect(missing.status == 65, "\(missing)")
    }

    @Test("M7 a million lines take less than 32 MB, and as much with everything kept for a retry")
    func memory() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let count = 1_000_000
        let file = try folder.write((0..<count).map { "\($0)\n" }.joined(), to: "tasks")
        for options in [[], ["--retry-for", "1m", "--unsent", folder.path("rest")]] {
            let result = try await WorkqProcess.run(
                ["publish", "--lines", fixture.queue, "-v"] + options, input: .file(file),
                environment: fixture.environment, timeout: .seconds(240))
            #expect(result.status == 0 && result.errors.contains("\(count) tasks confirmed"), "\(result)")
            #expect(result.residentKiB < 32_000, "\(result.residentKiB) KiB")
            _ = try fixture.channel().deleteQueue(.init(fixture.queue))
        }
    }
}
