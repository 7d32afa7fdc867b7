// The scripted peer: its calls on a plain socket, and its AMQP with librabbitmq's own tools as the client.

import Foundation
import TestSupport
import Testing

@Suite("The scripted peer", .timeLimit(.minutes(1)))
struct ScriptedPeerTests {
    @Test("sends and receives bytes that are no AMQP")
    func rawBytes() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.check(peer.receive(raw: 4) == Array("GET ".utf8), "a GET request")
            try peer.send(raw: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        }
        let client = try TestClient(port: peer.port)
        try client.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        let (bytes, end) = client.receive()
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 400"))
        #expect(end == .ended)
        try await peer.finish()
    }

    @Test("says what it expected, what came, and what went before")
    func failureText() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.expect(.channelOpen)
            try peer.answer(.basicQos)
        }
        let client = try TestClient(port: peer.port)
        try client.send(AMQPFrame.method(channel: 1, try AMQPMethod(.channelOpen)).encoded)
        try client.send(AMQPFrame.heartbeat.encoded)
        try client.send(AMQPFrame.method(channel: 1, try AMQPMethod(.basicConsume, ["queue": "jobs"])).encoded)
        await #expect(throws: Failure.self) { try await peer.finish() }
        let failure = try #require(peer.failure)
        #expect(failure.contains("expected basic.qos, got 1 basic.consume"))
        #expect(failure.contains("queue=\"jobs\""))
        #expect(failure.contains("1 < 1 channel.open"))
        #expect(client.receive().end == .ended)
    }

    @Test("ends with the text of a check that isn't met")
    func check() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.check(true, "one is one")
            try peer.check(false, "one is two")
        }
        await #expect(throws: Failure.self) { try await peer.finish() }
        #expect(peer.failure?.hasPrefix("not met: one is two") == true)
    }

    @Test("gives up when nothing comes in time, or nobody")
    func timeouts() async throws {
        let nobody = try ScriptedPeer(timeout: .milliseconds(50)) { _ = try $0.receive() }
        await #expect(throws: Failure.self) { try await nobody.finish() }
        #expect(nobody.failure?.contains("no client came") == true)
        let nothing = try ScriptedPeer { peer in
            let client = try peer.accept()
            client.timeout = .milliseconds(50)
            _ = try client.receive()
        }
        let client = try TestClient(port: nothing.port)
        await #expect(throws: Failure.self) { try await nothing.finish() }
        #expect(nothing.failure?.contains("waited") == true)
        #expect(client.receive().end == .ended)
    }

    @Test("notices a client that leaves in the middle of a frame")
    func clientLeaves() async throws {
        let peer = try ScriptedPeer { try $0.wait(for: .basicAck) }
        let client = try TestClient(port: peer.port)
        try client.send(Array(AMQPFrame.heartbeat.encoded.prefix(5)))
        client.close()
        await #expect(throws: Failure.self) { try await peer.finish() }
        #expect(peer.failure?.contains("closed the connection before basic.ack") == true)
    }

    @Test("is silent until it is stopped, which is no failure")
    func silence() throws {
        let peer = try ScriptedPeer { try $0.silence() }
        let client = try TestClient(port: peer.port)
        #expect(client.hearsNothing)
        #expect(!peer.isFinished)
        peer.stop()
        #expect(peer.failure == nil)
        #expect(client.receive().end == .ended)
        #expect(throws: Failure.self) { try TestClient(port: peer.port) }
    }

    @Test("answers heartbeats only when told to")
    func heartbeats() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.check(peer.receive() == .heartbeat, "a heartbeat comes first")
            peer.answersHeartbeats = true
            try peer.readUntilClosed()
            try peer.check(peer.heartbeatCount == 2, "two heartbeats came")
        }
        let client = try TestClient(port: peer.port)
        try client.send(AMQPFrame.heartbeat.encoded)
        #expect(client.hearsNothing)
        try client.send(AMQPFrame.heartbeat.encoded)
        #expect(client.receive(8).bytes == AMQPFrame.heartbeat.encoded)
        client.close()
        try await peer.finish()
    }

    @Test("talks on several connections and resets one")
    func severalConnections() throws {
        let peer = try ScriptedPeer { first in
            try first.check(first.receive(raw: 1) == [1], "the first client sends 1")
            let second = try first.accept()
            try second.check(second.receive(raw: 1) == [2], "the second client sends 2")
            try second.send(raw: [22])
            try first.send(raw: [11])
            try second.reset()
            try first.silence()
        }
        let first = try TestClient(port: peer.port)
        try first.send([1])
        let second = try TestClient(port: peer.port)
        try second.send([2])
        #expect(first.receive(1).bytes == [11])
        #expect(second.receive() == ([22], .broken))
        #expect(first.hearsNothing)
        #expect(peer.failure == nil)
    }

    @Test("stalls a client by not reading")
    func stall() throws {
        let peer = try ScriptedPeer(bufferSize: 4_096) { try $0.silence() }
        let client = try TestClient(port: peer.port, bufferSize: 4_096)
        #expect(try client.send(.sample(1_000_000), patience: .milliseconds(200)) < 100_000)
    }

    @Test("splits a delivery's body where it is told to")
    func split() async throws {
        let peer = try ScriptedPeer { peer in
            peer.frameMax = 18
            let frames = try peer.deliveryFrames(tag: 1, body: .sample(25), split: [0, 3])
            let sizes = frames.dropFirst(2).map { $0.encoded.count - AMQPFrame.overhead }
            try peer.check(sizes == [0, 3, 10, 10, 2], "body frames of these sizes: \(sizes)")
            try peer.check(frames[1] == .header(channel: 1, bodySize: 25, .none), "a header: \(frames[1])")
            try peer.send(frames)
        }
        var bytes = try TestClient(port: peer.port).receive().bytes[...]
        var body: [UInt8] = []
        while let frame = try AMQPFrame.decode(from: &bytes) {
            if case .body(1, let part) = frame { body += part }
        }
        #expect(body == .sample(25))
        try await peer.finish()
    }
}
