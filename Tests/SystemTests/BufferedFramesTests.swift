// Frames that arrive together: what librabbitmq has read already doesn't wake poll(2), and must not wait for it.

import Foundation
import TestSupport
import Testing

@Suite("buffered frames", .serialized, .timeLimit(.minutes(5)))
struct BufferedFramesTests {
    private static let patience = Duration.seconds(30)
    /// Far below half a heartbeat, after which a worker looks again in any case.
    private static let soon = Duration.seconds(20)

    @Test("a task that arrives together with the consumer's confirmation starts at once, on every connection")
    func taskBehindReply() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            var connection = peer
            for number in 1...2 {
                if number > 1 { connection = try peer.accept() }
                try connection.acceptLogin()
                try connection.answer(.channelOpen)
                try connection.answer(.queueDelete)
                try connection.answer(.basicQos)
                try connection.expect(.basicConsume)
                let reply = try AMQPMethod(.basicConsumeOK, ["consumer-tag": .text(connection.consumerTag)])
                let task = try connection.deliveryFrames(tag: 1, body: Array("task \(number)".utf8))
                try connection.send([.method(channel: 1, reply)] + task)
                connection.timeout = Self.soon
                try connection.wait(for: .basicAck)
                connection.timeout = Self.patience
                if number == 1 {
                    try connection.closeConnection(320, "CONNECTION_FORCED")
                    try connection.readUntilClosed()
                }
            }
            try connection.serveUntilClosed()
        }
        let worker = try WorkqProcess(
            ["work", "-v", "queue", "--heartbeat", "60", "--", "cat"], environment: peer.environment)
        try await eventually("two tasks are acknowledged, or the script ends", within: .seconds(90)) {
            peer.isFinished || worker.count(of: "is acknowledged") == 2
        }
        try #require(peer.failure == nil, "\(worker.errors)")
        try await worker.leave()
        try await peer.finish(within: Self.patience)
        #expect(worker.output == "task 1task 2")
    }

    @Test("a hundred tasks that arrive together all start at once when there are a hundred jobs")
    func manyTasks() async throws {
        let folder = try TemporaryFolder()
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            let frames = try (1...100).flatMap { try peer.deliveryFrames(tag: $0, body: Array("task".utf8)) }
            try peer.send(frames)
            try peer.serveUntilClosed()
        }
        let script = "echo >> \"$0/started\"; until [ -e \"$0/go\" ]; do sleep 0.5; done"
        let worker = try WorkqProcess(
            ["work", "queue", "-j100", "--heartbeat", "60", "--", "sh", "-c", script, folder.path],
            environment: peer.environment)
        defer { _ = try? folder.write("", to: "go") }
        try await eventually("all commands run", within: Self.soon) { folder.read("started").count == 100 }
        _ = try folder.write("", to: "go")
        try await worker.leave()
        try await peer.finish(within: Self.patience)
    }

    @Test(
        "W2 a task that arrives while the consumer is being cancelled is given back at once, not after the last command"
    )
    func taskBeforeCancel() async throws {
        let command = try HeldCommand()
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            try peer.deliver(tag: 1, body: Array("first".utf8))
            let cancel = try peer.wait(for: .basicCancel)
            let reply = try AMQPMethod(.basicCancelOK, ["consumer-tag": .bytes(cancel.bytes("consumer-tag"))])
            let late = try peer.deliveryFrames(tag: 2, body: Array("late".utf8))
            try peer.send(late + [.method(channel: 1, reply)])
            peer.timeout = Self.soon
            let nack = try peer.wait(for: .basicNack)
            try peer.check(nack.number("delivery-tag") == 2 && nack.flag("requeue"), "the late task goes back")
            peer.timeout = Self.patience
            try peer.serveUntilClosed()
        }
        let worker = try WorkqProcess(
            ["work", "-v", "queue", "--heartbeat", "60", "--"] + command.words, environment: peer.environment)
        try await command.isStarted()
        worker.signal(SIGTERM)
        try await eventually("the late task is given back, or the script ends", within: .seconds(90)) {
            peer.isFinished || peer.transcript.contains { $0.contains("< 1 basic.nack delivery-tag=2") }
        }
        #expect(peer.failure == nil, "\(peer.failure ?? "")")
        try command.letGo()
        #expect(try await worker.wait(timeout: Self.patience).status == 0)
        #expect(command.log == "start\nend\n")
    }
}
