// Networks that deliver everything, only not as one expects: byte by byte, late, or twice.

import Foundation
import TestSupport
import Testing

@Suite("odd networks", .serialized, .timeLimit(.minutes(5)))
struct OddNetworkTests {
    @Test("N21 a broker that answers one byte at a time is only slower")
    func byteByByte() async throws {
        let fixture = try Fixture()
        let mode = TCPProxy.Mode.throttle(bytesPerTick: 1, tick: .milliseconds(1))
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, mode: mode)
        func run(
            _ command: String, _ words: String..., input: WorkqProcess.Input = .nothing
        ) async throws -> WorkqProcess.Result {
            try await WorkqProcess.run(
                [command, "--connect-timeout", "60s"] + words, input: input, environment: proxy.environment)
        }
        let published = try await run("publish", "--lines", fixture.queue, input: .text("1\n2\n3\n"))
        #expect(published.status == 0, "\(published)")
        try await fixture.holds(3)
        let worked = try await run(
            "work", fixture.queue, "--count", "2", "--", "sh", "-c", "read -r task; echo task $task")
        #expect(worked.status == 0 && worked.lines == ["task 1", "task 2"], "\(worked)")
        try await fixture.holds(1)
        let purged = try await run("purge", fixture.queue)
        #expect(purged.status == 0 && purged.lines == ["\(fixture.queue)\t1"], "\(purged)")
        let deleted = try await run("delete", fixture.queue)
        #expect(deleted.status == 0 && fixture.ready() == nil, "\(deleted)")
    }

    @Test("N21 a management API that answers one byte at a time is only slower")
    func byteByByteHTTP() async throws {
        let body = #"[{"name":"q","messages_ready":3,"messages_unacknowledged":1}]"#
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n\(body)"
        let peer = try ScriptedPeer { peer in
            _ = try peer.expectRequest()
            for byte in answer.utf8 { try peer.send(raw: [byte]) }
        }
        let proxy = try TCPProxy(
            upstreamPort: peer.port, mode: .throttle(bytesPerTick: 1, tick: .milliseconds(1)))
        let result = try await WorkqProcess.run(
            ["list-queues"], environment: ["WORKQ_API_URL": "http://guest:guest@127.0.0.1:\(proxy.port)"])
        #expect(result.status == 0 && result.lines.last == "q\t3\t1", "\(result)")
    }

    @Test("N22 a connection that comes after the one that took its place brings its task again, under the same id")
    func late() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", fixture.queue, "--print-id", "--confirm-timeout", "6s", "--retry-for", "60s", "-v"],
            input: pipe.input, environment: proxy.environment)
        try pipe.write("1\n")
        try await publish.confirms(1)
        proxy.mode = .holdOlder
        try pipe.write("2\n")
        try pipe.close()
        let result = try await publish.wait()
        #expect(result.status == 0 && result.errors.contains("2 tasks confirmed"), "\(result)")
        try await fixture.holds(2)
        proxy.mode = .pass
        try await fixture.holds(3)
        let deliveries = try await fixture.take(3)
        #expect(deliveries.map { String(decoding: $0.body, as: UTF8.self) } == ["1", "2", "2"])
        #expect(deliveries[1].properties.messageID != nil)
        #expect(deliveries[1].properties.messageID == deliveries[2].properties.messageID)
    }

    @Test("N22 a connection that comes twice brings its tasks twice, under the same ids")
    func twice() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, captures: true)
        let result = try await WorkqProcess.run(
            ["publish", "--lines", fixture.queue], input: .text("2\n3\n"), environment: proxy.environment)
        #expect(result.status == 0, "\(result)")
        try await fixture.holds(3)

        let bytes = proxy.traffic(.toUpstream).captured
        let header = AMQPFrame.protocolHeader.count
        let socket = try LoopbackSocket.connect(port: fixture.broker.port)
        defer { LoopbackSocket.finish(socket) }
        #expect(LoopbackSocket.write(socket, bytes.prefix(header)) == .bytes(header))
        // RabbitMQ throws away what comes with the header.
        try await eventually("the broker answers") {
            LoopbackSocket.read(socket, limit: 65_536).transfer != .wouldBlock
        }
        let rest = bytes.dropFirst(header)
        #expect(LoopbackSocket.write(socket, rest) == .bytes(rest.count))
        try await fixture.holds(5)
        let deliveries = try await fixture.take(5)
        #expect(deliveries.map { String(decoding: $0.body, as: UTF8.self) } == ["1", "2", "3", "2", "3"])
        let ids = deliveries.dropFirst().compactMap(\.properties.messageID)
        #expect(ids.count == 4 && ids[0] == ids[2] && ids[1] == ids[3] && ids[0] != ids[1])
    }
}
