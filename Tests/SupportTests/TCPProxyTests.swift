// The proxy in each of its modes, against an echo.

import Foundation
import TestSupport
import Testing

@Suite("The proxy", .timeLimit(.minutes(1)))
struct TCPProxyTests {
    private let echo: EchoServer

    init() throws {
        echo = try EchoServer()
    }

    private func proxy(
        _ mode: TCPProxy.Mode = .pass, bufferSize: Int? = nil, captures: Bool = false
    ) throws -> TCPProxy {
        try TCPProxy(upstreamPort: echo.port, mode: mode, bufferSize: bufferSize, captures: captures)
    }

    @Test("passes bytes and both ends on, and counts and captures them")
    func pass() throws {
        let proxy = try proxy(captures: true)
        let client = try TestClient(port: proxy.port)
        let bytes = [UInt8].sample(100_000)
        try client.send(bytes)
        #expect(client.receive(bytes.count).bytes == bytes)
        client.finishSending()
        #expect(client.receive().end == .ended)
        for traffic in TCPProxy.Direction.allCases.map(proxy.traffic) {
            #expect(traffic.read == bytes.count)
            #expect(traffic.forwarded == bytes.count)
            #expect(traffic.captured == bytes)
        }
        #expect(echo.ends == [.ended])
    }

    @Test("serves several connections at once and knows how many are open")
    func severalConnections() async throws {
        let proxy = try proxy()
        let clients = try (0..<8).map { _ in try TestClient(port: proxy.port) }
        for (index, client) in clients.enumerated() { try client.send([UInt8(index)]) }
        for (index, client) in clients.enumerated() { #expect(client.receive(1).bytes == [UInt8(index)]) }
        #expect(proxy.connectionCount == 8)
        #expect(proxy.openConnectionCount == 8)
        clients[0].close()
        try await eventually("the proxy lets go of a connection") { proxy.openConnectionCount == 7 }
    }

    @Test("stops reading from the client, so that the client's window fills")
    func stallFromClient() throws {
        let proxy = try proxy(.stallRead(.toUpstream), bufferSize: 4_096)
        let client = try TestClient(port: proxy.port, bufferSize: 4_096)
        let bytes = [UInt8].sample(1_000_000)
        let taken = try client.send(bytes, patience: .milliseconds(200))
        #expect(taken < 100_000)
        #expect(echo.received == 0)
        proxy.mode = .pass
        #expect(client.receive(taken).bytes == Array(bytes.prefix(taken)))
    }

    @Test("stops reading from the upstream while the client is still heard")
    func stallFromUpstream() async throws {
        let proxy = try proxy(.stallRead(.toClient))
        let client = try TestClient(port: proxy.port)
        try client.send(.sample(1_000))
        try await eventually("the upstream hears the client") { echo.received == 1_000 }
        #expect(client.hearsNothing)
        #expect(proxy.traffic(.toClient).read == 0)
        proxy.mode = .pass
        #expect(client.receive(1_000).bytes == .sample(1_000))
    }

    @Test("is a dead network in the middle of a connection, and recovers")
    func blackhole() throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.receive(1).bytes == [1])
        proxy.mode = .blackhole
        try client.send([2, 3])
        #expect(client.hearsNothing)
        #expect(proxy.traffic(.toUpstream).read == 1)
        #expect(proxy.openConnectionCount == 1)
        proxy.mode = .pass
        #expect(client.receive(2).bytes == [2, 3])
    }

    @Test("accepts clients while it is a dead network")
    func connectIntoBlackhole() throws {
        let proxy = try proxy(.blackhole)
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.hearsNothing)
        #expect(echo.received == 0)
    }

    @Test("swallows all that is sent")
    func swallow() async throws {
        let proxy = try proxy(.swallow, bufferSize: 4_096)
        let client = try TestClient(port: proxy.port)
        try client.send(.sample(4_000_000))
        try await eventually("all is read") { proxy.traffic(.toUpstream).read == 4_000_000 }
        #expect(client.hearsNothing)
        #expect(echo.received == 0)
        #expect(proxy.traffic(.toUpstream).forwarded == 0)
    }

    @Test("cuts after exactly so many bytes to the client", arguments: [0, 1, 2, 7, 99, 100])
    func cutToClient(count: Int) throws {
        let proxy = try proxy(.cut(after: count, .toClient))
        let client = try TestClient(port: proxy.port)
        _ = try? client.send(.sample(100))
        let (bytes, end) = client.receive()
        #expect(bytes == .sample(count))
        // Where bytes of the client's were still under way, the system answers them with a reset.
        #expect(end == .ended || count == 0)
    }

    @Test("cuts after exactly so many bytes to the upstream", arguments: [0, 1, 50, 100])
    func cutToUpstream(count: Int) async throws {
        let proxy = try proxy(.cut(after: count, .toUpstream))
        let client = try TestClient(port: proxy.port)
        _ = try? client.send(.sample(200))
        #expect(client.receive().end != .wouldBlock)
        try await eventually("the upstream hears the end") { echo.ends.count == 1 }
        #expect(echo.received == count)
        #expect(proxy.traffic(.toUpstream).forwarded == count)
        #expect(proxy.openConnectionCount == 0)
    }

    @Test("counts the bytes before a cut from the moment the mode is set")
    func cutLater() throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send(.sample(10))
        #expect(client.receive(10).bytes == .sample(10))
        proxy.mode = .cut(after: 3, .toClient)
        #expect(client.hearsNothing)
        try client.send(.sample(10))
        #expect(client.receive() == (.sample(3), .ended))
    }

    @Test("resets both sides after so many bytes", arguments: [0, 5])
    func resetAfter(count: Int) async throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.receive(1).bytes == [1])
        proxy.mode = .reset(after: count, .toClient)
        if count > 0 { try client.send(.sample(10)) }
        let (bytes, end) = client.receive()
        #expect(bytes == .sample(count))
        #expect(end == .broken)
        try await eventually("the upstream is reset") { echo.ends == [.broken] }
    }

    @Test("holds older connections while new ones pass, and hands on what was held when the mode ends")
    func holdOlder() throws {
        let proxy = try proxy()
        let older = try TestClient(port: proxy.port)
        try older.send([1])
        #expect(older.receive(1).bytes == [1])
        proxy.mode = .holdOlder
        try older.send([2])
        let newer = try TestClient(port: proxy.port)
        try newer.send([3])
        #expect(newer.receive(1).bytes == [3])
        #expect(older.hearsNothing)
        proxy.mode = .pass
        #expect(older.receive(1).bytes == [2])
    }

    @Test("closes the upstream side and leaves the client alone")
    func halfClose() async throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.receive(1).bytes == [1])
        proxy.mode = .halfClose
        try await eventually("the upstream hears the end") { echo.ends == [.ended] }
        try client.send([2])
        #expect(client.hearsNothing)
        #expect(proxy.openConnectionCount == 1)
        client.close()
        try await eventually("the client's side is closed too") { proxy.openConnectionCount == 0 }
    }

    @Test("throttles to so many bytes a tick")
    func throttle() throws {
        let proxy = try proxy(.throttle(bytesPerTick: 2, tick: .milliseconds(20)))
        let client = try TestClient(port: proxy.port)
        let start = ContinuousClock.now
        try client.send(.sample(21))
        #expect(client.receive(21).bytes == .sample(21))
        #expect(ContinuousClock.now - start >= .milliseconds(200))
    }

    @Test("delays everything, in order and without limiting the rate")
    func delay() throws {
        let proxy = try proxy(.delay(.milliseconds(150)))
        let client = try TestClient(port: proxy.port)
        let bytes = [UInt8].sample(1_000_000)
        let start = ContinuousClock.now
        try client.send(bytes)
        #expect(client.receive(bytes.count).bytes == bytes)
        let time = ContinuousClock.now - start
        #expect(time >= .milliseconds(300))
        #expect(time < .seconds(5))
    }

    @Test("passes a reset on to the other side")
    func passesReset() async throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.receive(1).bytes == [1])
        client.reset()
        try await eventually("the upstream is reset") { echo.ends == [.broken] }
    }

    @Test("resets clients while the upstream can't be reached")
    func upstreamDown() throws {
        let (listener, port) = try LoopbackSocket.listen()
        LoopbackSocket.finish(listener)
        let proxy = try TCPProxy(upstreamPort: port)
        let client = try TestClient(port: proxy.port)
        #expect(client.receive().end == .broken)
    }

    @Test("ends its connections and refuses new ones once stopped")
    func stop() throws {
        let proxy = try proxy()
        let client = try TestClient(port: proxy.port)
        try client.send([1])
        #expect(client.receive(1).bytes == [1])
        proxy.stop()
        proxy.stop()
        #expect(client.receive().end == .ended)
        #expect(proxy.openConnectionCount == 0)
        #expect(throws: Failure.self) { try TestClient(port: proxy.port) }
    }
}
