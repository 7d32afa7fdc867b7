// A script's view of a client: frames and bytes, in and out, within a time limit.

import Foundation

/// A connection that a script talks on. Belongs to the script's thread.
///
/// Unless said otherwise a call throws a `Failure` when the client does something else, closes the connection, or lets
/// `timeout` pass.
package final class PeerConnection {
    /// What each call may take.
    package var timeout: Duration
    /// Whether each heartbeat of the client's is answered with one as soon as it is read.
    package var answersHeartbeats = false
    /// How many heartbeats were read.
    package private(set) var heartbeatCount = 0
    /// As negotiated; contents are split by it.
    package var frameMax = 131_072
    /// What consumers that leave the choice are called, and what deliveries are sent to.
    package var consumerTag = "peer.consumer"
    /// The channel of the method or content that came last.
    package private(set) var lastChannel: UInt16 = 1

    private let listener: Int32
    let control: PeerControl
    private var descriptor: Int32?
    private var number = 0
    private var isClosed = false
    private var input: ArraySlice<UInt8> = []

    private static let chunkSize = 65_536

    init(listener: Int32, _ control: PeerControl, timeout: Duration) {
        self.listener = listener
        self.control = control
        self.timeout = timeout
    }

    deinit {
        close()
    }

    /// Ends the script with `expectation` in the failure unless it is met. Testing's own `#expect` doesn't know on the
    /// script's thread to which test it belongs.
    package func check(_ isMet: Bool, _ expectation: @autoclosure () -> String) throws {
        guard isMet else { throw Failure("not met: \(expectation())") }
    }

    /// Waits for the next client and returns its connection. This one stays as it is.
    package func accept() throws -> PeerConnection {
        let other = PeerConnection(listener: listener, control, timeout: timeout)
        _ = try other.socket()
        return other
    }

    // MARK: Sending

    /// Sends bytes as they are.
    package func send(raw bytes: [UInt8]) throws {
        let (socket, deadline) = (try socket(), ContinuousClock.now + timeout)
        var rest = bytes[...]
        while !rest.isEmpty {
            switch LoopbackSocket.write(socket, rest) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                guard try control.wait(socket, POLLOUT, until: deadline) else {
                    throw Failure("the client took only \(bytes.count - rest.count) of \(bytes.count) bytes")
                }
            case .ended, .broken: throw Failure("the client closed the connection before \(rest.count) bytes")
            }
        }
    }

    /// Sends frames in one go.
    package func send(_ frames: AMQPFrame...) throws { try send(frames) }

    /// Sends frames in one go.
    package func send(_ frames: [AMQPFrame]) throws {
        _ = try socket()
        for frame in frames { control.note("\(number) > \(frame)") }
        try send(raw: frames.flatMap(\.encoded))
    }

    /// Sends a method, on channel 0 where it belongs there, else on `channel`.
    package func send(_ kind: AMQPMethodKind, _ arguments: [String: AMQPValue] = [:], channel: UInt16 = 1) throws {
        let channel = kind.classID == AMQPMethodKind.connectionOpen.classID ? 0 : channel
        try send(.method(channel: channel, try AMQPMethod(kind, arguments)))
    }

    package func sendHeartbeat() throws { try send(.heartbeat) }

    // MARK: Receiving

    /// The next frame of any kind, heartbeats included.
    package func receive() throws -> AMQPFrame {
        guard let frame = try nextFrame(until: .now + timeout, awaiting: "a frame") else {
            throw Failure("the client closed the connection")
        }
        return frame
    }

    /// The next `count` bytes, whatever they are.
    package func receive(raw count: Int) throws -> [UInt8] {
        let deadline = ContinuousClock.now + timeout
        while input.count < count {
            guard try readMore(until: deadline, awaiting: "\(count) bytes") else {
                throw Failure("the client closed the connection after \(input.count) of \(count) bytes")
            }
        }
        defer { input = input.dropFirst(count) }
        return Array(input.prefix(count))
    }

    /// The next method, which must be of this kind; heartbeats may come before.
    @discardableResult
    package func expect(_ kind: AMQPMethodKind) throws -> AMQPMethod {
        let frame = try receiveSkippingHeartbeats(awaiting: kind.name)
        guard case .method(_, let method) = frame, method.kind == kind else {
            throw Failure("expected \(kind), got \(frame)")
        }
        return method
    }

    /// Reads until a method of this kind comes, ignoring everything else. The whole wait is bounded by `timeout`.
    @discardableResult
    package func wait(for kind: AMQPMethodKind) throws -> AMQPMethod {
        let deadline = ContinuousClock.now + timeout
        while let frame = try nextFrame(until: deadline, awaiting: kind.name) {
            if case .method(_, let method) = frame, method.kind == kind { return method }
        }
        throw Failure("the client closed the connection before \(kind)")
    }

    /// Reads everything until the client ends or breaks the connection, answering nothing. Fails when it doesn't within
    /// `timeout`, or when what it sends are no frames.
    @discardableResult
    package func readUntilClosed() throws -> [AMQPFrame] {
        let deadline = ContinuousClock.now + timeout
        var frames: [AMQPFrame] = []
        while let frame = try nextFrame(until: deadline, awaiting: "the connection's end") { frames.append(frame) }
        return frames
    }

    /// Reads nothing and says nothing for so long, or until the peer is stopped. The connection stays open.
    package func silence(for duration: Duration? = nil) throws {
        _ = try socket()
        let deadline = ContinuousClock.now + (duration ?? .seconds(86_400))
        while try control.wait(nil, 0, until: deadline) {}
    }

    func receiveSkippingHeartbeats(awaiting what: String) throws -> AMQPFrame {
        let deadline = ContinuousClock.now + timeout
        while let frame = try nextFrame(until: deadline, awaiting: what) {
            if frame != .heartbeat { return frame }
        }
        throw Failure("the client closed the connection before \(what)")
    }

    /// Nil when the client ended or broke the connection between two frames, or within one.
    func nextFrame(until deadline: ContinuousClock.Instant, awaiting what: String) throws -> AMQPFrame? {
        while true {
            if let frame = try AMQPFrame.decode(from: &input) {
                control.note("\(number) < \(frame)")
                if frame == .heartbeat {
                    heartbeatCount += 1
                    if answersHeartbeats { try sendHeartbeat() }
                } else {
                    lastChannel = frame.channel
                }
                return frame
            }
            guard try readMore(until: deadline, awaiting: what) else {
                control.note("\(number) < end of the connection, \(input.count) bytes of a frame before it")
                return nil
            }
        }
    }

    /// False when the client ended or broke the connection.
    private func readMore(until deadline: ContinuousClock.Instant, awaiting what: String) throws -> Bool {
        let socket = try socket()
        while true {
            let (bytes, transfer) = LoopbackSocket.read(socket, limit: Self.chunkSize)
            switch transfer {
            case .bytes:
                input += bytes
                return true
            case .ended, .broken: return false
            case .wouldBlock:
                guard try control.wait(socket, POLLIN, until: deadline) else {
                    throw Failure("waited \(timeout) for \(what)")
                }
            }
        }
    }

    // MARK: Opening and ending

    /// Ends the connection in good order, without a word of AMQP.
    package func close() {
        if let descriptor, !isClosed { LoopbackSocket.finish(descriptor) }
        isClosed = true
    }

    /// Breaks the connection with a reset.
    package func reset() throws {
        LoopbackSocket.reset(try socket())
        isClosed = true
    }

    /// The connection's socket, once a client has come.
    private func socket() throws -> Int32 {
        guard !isClosed else { throw Failure("the script uses a connection that it has closed") }
        if let descriptor { return descriptor }
        let deadline = ContinuousClock.now + timeout
        while true {
            if let accepted = LoopbackSocket.accept(listener) {
                descriptor = accepted
                number = control.state.withLock { state in
                    state.connections += 1
                    return state.connections
                }
                return accepted
            }
            guard try control.wait(listener, POLLIN, until: deadline) else {
                throw Failure("no client came within \(timeout)")
            }
        }
    }
}
