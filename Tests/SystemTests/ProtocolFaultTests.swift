// What brokers say at awkward moments, from a scripted peer: confirms, closes, cancels and silence.

import Foundation
import TestSupport
import Testing

@Suite("protocol faults", .serialized, .timeLimit(.minutes(5)))
struct ProtocolFaultTests {
    private static let patience = Duration.seconds(30)

    // MARK: - Publishing

    /// What becomes of a publish of the lines 1 to 6 when `script` answers the tasks after the first, which is
    /// confirmed.
    private func publishSix(
        _ options: [String] = [], script: @escaping @Sendable (PeerConnection, [PublishedMessage]) throws -> Void
    ) async throws -> (WorkqProcess.Result, ScriptedPeer) {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            try script(peer, peer.expectTasks(5))
            try peer.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "queue", "--no-create"] + options, input: .text("1\n2\n3\n4\n5\n6\n"),
            environment: peer.environment)
        try await peer.finish(within: Self.patience)
        return (result, peer)
    }

    @Test("M10 confirms out of order, alone and together, are all counted")
    func confirmsOutOfOrder() async throws {
        let (result, _) = try await publishSix(["-v"]) { peer, _ in
            try peer.ack(5)
            try peer.ack(3, multiple: true)
            try peer.ack(6)
            try peer.ack(4)
        }
        #expect(result.status == 0 && result.errors.contains("6 tasks confirmed"), "\(result)")
    }

    @Test("M10 a confirm of everything so far, numbered 0, settles all")
    func confirmOfAll() async throws {
        let (result, _) = try await publishSix(["-v"]) { peer, _ in try peer.ack(0, multiple: true) }
        #expect(result.status == 0 && result.errors.contains("6 tasks confirmed"), "\(result)")
    }

    @Test("M10 nacks, alone and together, are counted as refused, and the first one is named")
    func nacks() async throws {
        let (result, _) = try await publishSix { peer, _ in
            try peer.nack(6)
            try peer.ack(2)
            try peer.ack(5)
            try peer.nack(4, multiple: true)
        }
        #expect(result.status == 3 && result.errors.contains("3 confirmed, 3 refused"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 3"), "\(result)")
    }

    @Test("M10 a task that is returned isn't confirmed by the ack that follows, even out of order")
    func returns() async throws {
        let (result, _) = try await publishSix { peer, tasks in
            try peer.returnMessage(tasks[1])
            try peer.ack(6)
            try peer.returnMessage(tasks[3])
            try peer.ack(5, multiple: true)
        }
        #expect(result.status == 3 && result.errors.contains("4 confirmed, 2 returned"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 3"), "\(result)")
    }

    @Test(
        "M10 a confirm for a task that was never sent, or twice for one, is the broker's fault and told",
        arguments: [1, 99])
    func unknownConfirm(tag: UInt64) async throws {
        let (result, _) = try await publishSix { peer, _ in try peer.ack(tag) }
        #expect(result.status == 3 && result.errors.contains("1 confirmed, 5 unknown"), "\(result)")
        #expect(result.errors.contains("confirmed message \(tag), which is not outstanding"), "\(result)")
    }

    @Test("M10 confirms that come one by one before the next task is there keep their count")
    func slowInput() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            for number in 1...5 {
                try peer.expectTasks(1)
                try peer.ack(UInt64(number), multiple: number.isMultiple(of: 2))
            }
            try peer.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "-v", "queue", "--window", "1"], input: .text("1\n2\n3\n4\n5\n"),
            environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("5 tasks confirmed"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test(
        "N16 a channel closed while a confirm is awaited: status by its code, the broker's text, and a close-ok",
        arguments: [
            (406, "PRECONDITION_FAILED - message size 16777217 is larger than configured max size 16777216", 65),
            (404, "NOT_FOUND - no exchange 'gone' in vhost '/'", 65),
            (403, "ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'guest'", 77),
            (541, "INTERNAL_ERROR", 76),
        ])
    func channelClosed(code: Int, text: String, status: Int32) async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.closeChannel(UInt16(code), text, cause: .basicPublish)
            try peer.expect(.channelCloseOK)
            try peer.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(["publish", "queue", "task"], environment: peer.environment)
        #expect(result.status == status && result.errors.contains("\(text) (\(code))"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N16 a connection closed while a confirm is awaited is answered, and what was confirmed before is told")
    func connectionClosedWhilePublishing() async throws {
        let (result, peer) = try await publishSix { peer, _ in
            try peer.ack(2)
            try peer.closeConnection(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'")
            try peer.expect(.connectionCloseOK)
        }
        #expect(result.status == 3 && result.errors.contains("2 confirmed, 4 unknown"), "\(result)")
        #expect(result.errors.contains("broker forced connection closure"), "\(result)")
        #expect(peer.failure == nil)
    }

    @Test("N11 a broker that blocks is waited for, and one that never unblocks ends with the reason, as unknown")
    func blocked() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.block(reason: "low on disk")
            try peer.silence(for: .milliseconds(500))
            try peer.unblock()
            try peer.ack(1)
            try peer.expectTasks(1)
            try peer.block(reason: "low on memory")
            try peer.readUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "queue", "--confirm-timeout", "6s"], input: .text("1\n2\n"),
            environment: peer.environment)
        #expect(result.status == 3 && result.errors.contains("1 confirmed, 1 unknown"), "\(result)")
        #expect(result.errors.contains("blocked by the broker: low on disk"), "\(result)")
        #expect(result.errors.contains("blocked by the broker (low on memory), and no confirm in 6s"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    // MARK: - Working

    @Test(
        "N17 a connection closed between a delivery's method and its header: nothing starts, and the task is done later"
    )
    func closedInsideDelivery() async throws {
        let properties = try AMQPProperties(["message-id": "m1"])
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            let frames = try peer.deliveryFrames(tag: 1, body: Array("task".utf8), properties: properties)
            try peer.send(frames[0])
            try peer.closeConnection(320, "CONNECTION_FORCED")
            try peer.expect(.connectionCloseOK)
            try peer.readUntilClosed()
            let second = try peer.accept()
            try second.acceptWorker()
            try second.deliver(tag: 1, body: Array("task".utf8), redelivered: true, properties: properties)
            let tag = try second.wait(for: .basicAck).number("delivery-tag")
            try second.check(tag == 1, "the delivery of the second connection is acknowledged")
            try second.serveUntilClosed()
        }
        let worker = try WorkqProcess(["work", "-v", "queue", "--", "cat"], environment: peer.environment)
        try await worker.says("is acknowledged", within: Self.patience)
        try await worker.leave()
        try await peer.finish(within: Self.patience)
        #expect(worker.output == "task", "\(worker.errors)")
        #expect(worker.count(of: " started") == 1 && worker.errors.contains("CONNECTION_FORCED"), "\(worker.errors)")
    }

    @Test("N18 a broker that agreed to heartbeats and sends none is left after two intervals")
    func missingHeartbeats() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker(heartbeat: 1)
            let start = ContinuousClock.now
            let frames = try peer.readUntilClosed()
            let time = ContinuousClock.now - start
            try peer.check(time >= .milliseconds(1_500) && time < .seconds(15), "two intervals passed: \(time)")
            try peer.check(frames.contains(.heartbeat), "the worker sent heartbeats itself: \(frames)")
            let second = try peer.accept()
            second.answersHeartbeats = true
            try second.acceptWorker(heartbeat: 1)
            try second.serveUntilClosed()
        }
        let worker = try WorkqProcess(["work", "queue", "--", "true"], environment: peer.environment)
        try await worker.says("no heartbeat from the broker", within: Self.patience)
        try await worker.says("connected again", within: Self.patience)
        try await worker.leave()
        try await peer.finish(within: Self.patience)
    }

    @Test("W16 W19 a consumer cancelled under a running command: not run twice, and settled on the new channel only")
    func cancelledWhileRunning() async throws {
        let command = try HeldCommand()
        let isRunning = Locked(false)
        let properties = try AMQPProperties(["message-id": "m1"])
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            try peer.deliver(tag: 7, body: Array("task".utf8), properties: properties)
            // Not before the command runs: the worker must not have the cancel in hand first.
            while !isRunning.with({ $0 }) { try peer.silence(for: .milliseconds(50)) }
            try peer.cancelConsumer()
            let rest = try peer.serveUntilClosed()
            try peer.check(rest.allSatisfy { $0 == .heartbeat }, "nothing is settled there: \(rest)")
            let second = try peer.accept()
            try second.acceptWorker()
            try second.deliver(tag: 1, body: Array("task".utf8), redelivered: true, properties: properties)
            let tag = try second.wait(for: .basicAck).number("delivery-tag")
            try second.check(tag == 1, "the new delivery is acknowledged")
            try second.serveUntilClosed()
        }
        let worker = try WorkqProcess(["work", "-v", "queue", "--"] + command.words, environment: peer.environment)
        try await command.isStarted()
        isRunning.with { $0 = true }
        try await worker.says("connected again", within: Self.patience)
        try await eventually("the task came again") { peer.transcript.contains { $0.contains("2 > 1 body") } }
        try command.letGo()
        try await worker.says("is acknowledged", within: Self.patience)
        try await worker.leave()
        try await peer.finish(within: Self.patience)
        #expect(command.log == "start\nend\n", "\(worker.errors)")
    }
}
