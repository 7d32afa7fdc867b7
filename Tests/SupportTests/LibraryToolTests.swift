// An independent client, librabbitmq's command-line tools, with the scripted peer and through the proxy.

import Foundation
import TestSupport
import Testing

private enum LibraryTools {
    static let areInstalled = ["amqp-publish", "amqp-consume"].allSatisfy { tool in
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
    }
}

@Suite("With librabbitmq's tools", .enabled(if: LibraryTools.areInstalled), .timeLimit(.minutes(1)))
struct LibraryToolTests {
    private func publish(to port: Int, _ words: String...) async throws {
        try await Shell.run(["amqp-publish", "--url=amqp://user:secret@127.0.0.1:\(port)/tasks"] + words)
    }

    @Test("the peer logs a publisher in and takes its message")
    func publish() async throws {
        let message = Locked<PublishedMessage?>(nil)
        let peer = try ScriptedPeer { peer in
            try peer.acceptLogin(heartbeat: 0)
            try peer.answer(.channelOpen)
            let published = try peer.expectPublish()
            message.with { $0 = published }
            try peer.serveUntilClosed()
        }
        try await publish(to: peer.port, "-r", "jobs", "-p", "-C", "text/plain", "-H", "k: v", "-b", "hello")
        try await peer.finish()
        let published = try #require(message.with { $0 })
        #expect(published.text == "hello")
        #expect(published.exchange == "")
        #expect(published.routingKey == "jobs")
        #expect(!published.mandatory)
        let properties = try published.properties.decoded()
        #expect(try properties.number("delivery-mode") == 2)
        #expect(try properties.text("content-type") == "text/plain")
        #expect(try properties.bytes("headers") == AMQPTable.text("k", "v"))
        let login = try #require(peer.logins.first)
        #expect(login.mechanism == "PLAIN")
        #expect(login.response == Array("\0user\0secret".utf8))
        #expect(login.virtualHost == "tasks")
        #expect(login.frameMax == 131_072)
        #expect(login.clientProperties.count > 100)
    }

    @Test("a message in many small frames comes through proxy and peer whole")
    func publishThroughProxy() async throws {
        let text = String(repeating: "0123456789", count: 5_000)
        let message = Locked<PublishedMessage?>(nil)
        let peer = try ScriptedPeer { peer in
            try peer.acceptLogin(heartbeat: 0, frameMax: 4_096)
            let published = try peer.content(of: peer.serve(until: .basicPublish))
            message.with { $0 = published }
            try peer.serveUntilClosed()
        }
        let proxy = try TCPProxy(upstreamPort: peer.port, mode: .delay(.milliseconds(5)), captures: true)
        try await publish(to: proxy.port, "-r", "jobs", "-b", text)
        try await peer.finish()
        #expect(message.with { $0 }?.text == text)
        #expect(proxy.traffic(.toUpstream).captured.starts(with: AMQPFrame.protocolHeader))
        #expect(proxy.traffic(.toUpstream).forwarded > text.utf8.count)
        #expect(proxy.connectionCount == 1)
    }

    @Test("a login that the proxy cuts anywhere fails", arguments: [0, 1, 8, 9, 200, 400])
    func cutLogin(count: Int) async throws {
        let peer = try ScriptedPeer { peer in
            try peer.acceptLogin()
            try peer.serveUntilClosed()
        }
        let proxy = try TCPProxy(upstreamPort: peer.port, mode: .cut(after: count, .toUpstream))
        await #expect(throws: Failure.self) { try await publish(to: proxy.port, "-r", "jobs", "-b", "x") }
        #expect(proxy.traffic(.toUpstream).forwarded == count)
    }

    @Test("a refused login shows the peer's words")
    func refuseLogin() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.beginLogin()
            try peer.closeConnection(403, "ACCESS_REFUSED - not you", cause: .connectionStartOK)
            try peer.readUntilClosed()
        }
        do {
            try await publish(to: peer.port, "-r", "jobs", "-b", "x")
            Issue.record("amqp-publish succeeded")
        } catch let failure as Failure {
            #expect(failure.description.contains("ACCESS_REFUSED - not you"))
        }
        try await peer.finish()
        #expect(peer.logins.count == 1)
    }

    @Test("two publishers come one after the other")
    func twoConnections() async throws {
        let bodies = Locked<[String]>([])
        let peer = try ScriptedPeer { peer in
            for connection in [try peer.accept(), try peer.accept()] {
                try connection.acceptLogin()
                let published = try connection.content(of: connection.serve(until: .basicPublish))
                bodies.with { $0.append(published.text) }
                try connection.serveUntilClosed()
            }
        }
        async let first: Void = publish(to: peer.port, "-r", "jobs", "-b", "x")
        async let second: Void = publish(to: peer.port, "-r", "jobs", "-b", "x")
        _ = try await (first, second)
        try await peer.finish()
        #expect(bodies.with { $0 } == ["x", "x"])
    }

    @Test("a consumer gets a delivery in odd pieces, acks it, and is told goodbye")
    func consume() async throws {
        let body = "first\nsecond\n"
        let peer = try ScriptedPeer { peer in
            try peer.acceptLogin(heartbeat: 0)
            try peer.answer(.channelOpen)
            try peer.answer(.basicQos)
            let consume = try peer.answer(.basicConsume)
            try peer.check(consume.text("queue") == "jobs", "the queue is jobs")
            let properties = try AMQPProperties(["message-id": "m1", "headers": .bytes(AMQPTable.text("a", "b"))])
            try peer.deliver(tag: 5, body: Array(body.utf8), properties: properties, split: [1, 0, 4])
            let ack = try peer.expect(.basicAck)
            try peer.check(ack.number("delivery-tag") == 5, "the delivery is acked")
            try peer.serveUntilClosed()
        }
        let output = try await Shell.run([
            "amqp-consume", "--url=amqp://127.0.0.1:\(peer.port)", "-q", "jobs", "-c", "1", "cat",
        ])
        try await peer.finish()
        #expect(output == body)
    }
}
