// Whatever a broker sends, from its first byte on: a real connection reads it.

import Glibc
import Posix
import Synchronization

@testable import Broker
@testable import Commands

/// The first byte says whether the login goes well before the other bytes come, and whether those are put into frames.
@Sendable func readFrames(_ bytes: [UInt8]) {
    guard let first = bytes.first, let broker = ScriptedBroker.shared else { return }
    let rest = bytes.dropFirst()
    broker.serve((first & 1 != 0 ? Frames.login : []) + (first & 2 != 0 ? Frames.around(rest) : Array(rest)))
    do throws(BrokerError) {
        let connection = try Connection.open(broker.parameters)
        _ = connection.brokerVersion
        let channel = try Channel(on: connection)
        if first & 4 != 0 { _ = try channel.consume("tasks") }
        if first & 8 != 0 { _ = try channel.status(ofQueue: "tasks") }
        // The end of the bytes is an error, so this ends.
        while let event = try connection.nextEvent(until: .now + .seconds(5)) {
            if case .delivery(let delivery) = event { checkUse(delivery) }
        }
        require(false, "nothing comes for five seconds, and the connection isn't lost")
    } catch {
        require(!CommandError(error).message.isEmpty, "nobody says what is wrong with the connection")
        _ = DeliveryTimeout.hint(error)
    }
}

/// A listening socket whose connections each get the bytes that were served last, and then the end.
private final class ScriptedBroker: Sendable {
    static let shared = ScriptedBroker()

    let parameters: ConnectionParameters
    private let bytes = Mutex<[UInt8]>([])

    private init?() {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        let node = ConnectionParameters.Node(
            host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port), usesTLS: false)
        var parameters = ConnectionParameters(
            nodes: [node], vhost: "/", login: .plain(username: "guest", password: Secret("guest")),
            connectionName: "fuzzing")
        parameters.heartbeatSeconds = 0
        self.parameters = parameters
        guard isListening, DetachedThread.start({ self.acceptConnections(listener) }) else { return nil }
    }

    func serve(_ bytes: [UInt8]) { self.bytes.withLock { $0 = bytes } }

    private func acceptConnections(_ listener: Int32) {
        while true {
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { continue }
            var rest = bytes.withLock { $0 }[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
            shutdown(peer, Int32(SHUT_WR))
            var sink: [UInt8] = Array(repeating: 0, count: 4_096)
            while recv(peer, &sink, sink.count, 0) > 0 {}
            close(peer)
        }
    }
}

/// Frames as a broker sends them.
private enum Frames {
    /// What a broker says until a connection and its channel are open.
    static let login =
        frame(1, 0, [0, 10, 0, 10, 0, 9, 0, 0, 0, 0] + long("PLAIN") + long("en_US"))
        + frame(1, 0, [0, 10, 0, 30, 0x07, 0xFF, 0, 2, 0, 0, 0, 0])
        + frame(1, 0, [0, 10, 0, 41, 0])
        + frame(1, 1, [0, 20, 0, 11, 0, 0, 0, 0])

    /// Frames around payloads that stand behind each other, each with a byte for the type and one for its length.
    static func around(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var frames: [UInt8] = []
        var rest = bytes
        while let kind = rest.popFirst(), let count = rest.popFirst() {
            frames += frame([1, 2, 3, 8][Int(kind & 3)], kind & 4 == 0 ? 1 : 0, Array(rest.prefix(Int(count))))
            rest = rest.dropFirst(Int(count))
        }
        return frames
    }

    private static func frame(_ type: UInt8, _ channel: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [type, 0, channel] + size(payload.count) + payload + [0xCE]
    }

    private static func long(_ text: String) -> [UInt8] { size(text.utf8.count) + text.utf8 }

    private static func size(_ count: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }
}
