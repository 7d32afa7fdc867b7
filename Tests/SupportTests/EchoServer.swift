// What the proxy's tests put upstream, and the client that talks to it.

import Foundation
import Posix
import TestSupport

/// Sends every byte back on the connection that it came from.
final class EchoServer: Sendable {
    struct State {
        /// Bytes that have arrived, all connections together.
        var received = 0
        /// How connections ended, in that order.
        var ends: [LoopbackSocket.Transfer] = []
        var isStopped = false
    }

    let port: Int
    private let state = Locked(State())
    private let wakePipe: WakePipe

    init() throws {
        let (listener, port) = try LoopbackSocket.listen()
        self.port = port
        let wakePipe = try WakePipe()
        self.wakePipe = wakePipe
        let state = state
        Thread { Self.run(listener, wakePipe, state) }.start()
    }

    deinit {
        state.with { $0.isStopped = true }
        wakePipe.wake()
    }

    var received: Int { state.with { $0.received } }
    var ends: [LoopbackSocket.Transfer] { state.with { $0.ends } }

    private static func run(_ listener: Int32, _ wakePipe: WakePipe, _ state: Locked<State>) {
        var connections: [Int32: ArraySlice<UInt8>] = [:]
        while !state.with({ $0.isStopped }) {
            var interest = PollInterest()
            interest.add(wakePipe.descriptor, POLLIN)
            interest.add(listener, POLLIN)
            for (descriptor, waiting) in connections { interest.add(descriptor, waiting.isEmpty ? POLLIN : POLLOUT) }
            interest.wait()
            while let descriptor = LoopbackSocket.accept(listener) { connections[descriptor] = [] }
            for (descriptor, waiting) in connections {
                connections[descriptor] = step(descriptor, waiting, state)
            }
        }
        connections.keys.forEach(LoopbackSocket.finish)
        close(listener)
    }

    /// What still has to be sent; nil when the connection is over.
    private static func step(
        _ descriptor: Int32, _ waiting: ArraySlice<UInt8>, _ state: Locked<State>
    ) -> ArraySlice<UInt8>? {
        var waiting = waiting
        if waiting.isEmpty {
            let (bytes, transfer) = LoopbackSocket.read(descriptor, limit: 65_536)
            if transfer == .ended || transfer == .broken {
                state.with { $0.ends.append(transfer) }
                LoopbackSocket.finish(descriptor)
                return nil
            }
            state.with { $0.received += bytes.count }
            waiting = bytes[...]
        }
        if !waiting.isEmpty, case .bytes(let count) = LoopbackSocket.write(descriptor, waiting) {
            waiting = waiting.dropFirst(count)
        }
        return waiting
    }
}

/// A client with time limits.
final class TestClient {
    private let descriptor: Int32
    private var isClosed = false

    init(port: Int, bufferSize: Int? = nil) throws {
        descriptor = try LoopbackSocket.connect(port: port, bufferSize: bufferSize)
    }

    deinit {
        if !isClosed { LoopbackSocket.finish(descriptor) }
    }

    func close() {
        isClosed = true
        LoopbackSocket.finish(descriptor)
    }

    /// Breaks the connection with a reset.
    func reset() {
        isClosed = true
        LoopbackSocket.reset(descriptor)
    }

    /// Says that nothing more will be sent; what comes back can still be read.
    func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Sends until all is gone or nothing was taken for `patience`; returns how many bytes were taken.
    @discardableResult
    func send(_ bytes: [UInt8], patience: Duration = .seconds(5)) throws -> Int {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch LoopbackSocket.write(descriptor, rest) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                guard wait(POLLOUT, patience) else { return bytes.count - rest.count }
            case .ended, .broken: throw Failure("the connection broke after \(bytes.count - rest.count) bytes")
            }
        }
        return bytes.count
    }

    /// Reads until `count` bytes have come, the connection is over, or nothing came for `patience`.
    func receive(
        _ count: Int = .max, patience: Duration = .seconds(5)
    ) -> (bytes: [UInt8], end: LoopbackSocket.Transfer) {
        var all: [UInt8] = []
        while all.count < count {
            let (bytes, transfer) = LoopbackSocket.read(descriptor, limit: min(65_536, count - all.count))
            all += bytes
            if transfer == .ended || transfer == .broken { return (all, transfer) }
            if transfer == .wouldBlock, !wait(POLLIN, patience) { break }
        }
        return (all, .wouldBlock)
    }

    /// Whether nothing arrives for a moment, not even the end.
    var hearsNothing: Bool { receive(1, patience: .milliseconds(150)) == ([], .wouldBlock) }

    private func wait(_ events: Int32, _ patience: Duration) -> Bool {
        var interest = PollInterest()
        interest.add(descriptor, events)
        interest.add(.now + patience)
        return interest.wait()
    }
}

extension [UInt8] {
    /// So many bytes of which no two neighbours are alike.
    static func sample(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }
}
