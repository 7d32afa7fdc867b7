// Stands in for a broker where a real one won't do or say what a test needs.

import Foundation
import Posix
import Synchronization

/// A server on 127.0.0.1 that says exactly what a script says, in AMQP 0-9-1 or in bytes.
///
///     let peer = try ScriptedPeer { peer in
///         try peer.acceptLogin(heartbeat: 1)
///         try peer.answer(.channelOpen)
///         try peer.answer(.basicConsume)
///         try peer.deliver(tag: 1, body: Array("task".utf8))
///         try peer.wait(for: .basicAck)
///         try peer.closeConnection(320, "CONNECTION_FORCED")
///         try peer.readUntilClosed()
///     }
///     …
///     try await peer.finish()
///
/// The script runs on a thread of its own. Each of its calls is bounded by a time limit; the first that fails ends the
/// script. When it ends, for whatever reason, its connections are closed and new ones are refused: `silence()`,
/// `serveUntilClosed()` and `readUntilClosed()` keep them open.
package final class ScriptedPeer: Sendable {
    /// Where clients connect to on 127.0.0.1.
    package let port: Int
    private let control: PeerControl

    /// Starts listening and runs `script` with the first connection, which is accepted when the script first uses it.
    ///
    /// `timeout` is what a call of the script may take unless it sets `PeerConnection.timeout`. `bufferSize` in bytes
    /// limits the kernel's buffers, so that a client that isn't read from notices soon. Throws a `Failure` when the
    /// system refuses a socket.
    package init(
        timeout: Duration = .seconds(10), bufferSize: Int? = nil,
        script: @escaping @Sendable (PeerConnection) throws -> Void
    ) throws {
        let control = try PeerControl()
        let (listener, port) = try LoopbackSocket.listen(bufferSize: bufferSize)
        self.port = port
        self.control = control
        let thread = Thread {
            Self.run(script, control, listener: listener, timeout: timeout)
            close(listener)
            control.state.withLock { $0.isFinished = true }
            control.finished.signal()
        }
        thread.name = "ScriptedPeer"
        thread.start()
    }

    deinit {
        stop()
    }

    private static func run(
        _ script: (PeerConnection) throws -> Void, _ control: PeerControl, listener: Int32, timeout: Duration
    ) {
        do {
            try script(PeerConnection(listener: listener, control, timeout: timeout))
        } catch is PeerControl.Stopped {
            return
        } catch {
            control.state.withLock { state in
                let lines = state.transcript.suffix(20).joined(separator: "\n  ")
                state.failure = "\(error)\n  \(lines)"
            }
        }
    }

    /// What stopped the script, with the last frames before; nil while it runs and when it ran to its end.
    package var failure: String? { control.state.withLock { $0.failure } }

    package var isFinished: Bool { control.state.withLock { $0.isFinished } }

    /// The logins that were accepted, or at least begun.
    package var logins: [AMQPLogin] { control.state.withLock { $0.logins } }

    /// The last frames of all connections, a line each: the connection's number, `<` for what the client sent, the
    /// frame.
    package var transcript: [String] { control.state.withLock { $0.transcript } }

    /// Waits for the script's end. Throws what stopped it, or that it still runs after `limit`.
    package func finish(within limit: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + limit
        while !isFinished {
            guard ContinuousClock.now < deadline else {
                let lines = transcript.suffix(20).joined(separator: "\n  ")
                throw Failure("the script didn't end within \(limit)\n  \(lines)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        if let failure { throw Failure(failure) }
    }

    /// Ends the script in whatever call it is, without counting that as a failure, and closes all connections. Does
    /// nothing the second time.
    package func stop() {
        control.state.withLock { $0.isStopped = true }
        control.wakePipe.wake()
        control.finished.wait()
        control.finished.signal()
    }
}

/// What a peer's owner and its script share.
final class PeerControl: Sendable {
    /// Thrown through a script that its owner stops.
    struct Stopped: Error {}

    struct State {
        var isStopped = false
        var isFinished = false
        var failure: String?
        var logins: [AMQPLogin] = []
        var transcript: [String] = []
        var connections = 0
    }

    let state = Mutex(State())
    /// Never drained: after `stop` every wait ends at once.
    let wakePipe: WakePipe
    let finished = DispatchSemaphore(value: 0)

    private static let transcriptLength = 200

    init() throws {
        wakePipe = try WakePipe()
    }

    func note(_ line: String) {
        state.withLock { state in
            state.transcript.append(line)
            if state.transcript.count > 2 * Self.transcriptLength {
                state.transcript.removeFirst(Self.transcriptLength)
            }
        }
    }

    /// Waits until something happens on `descriptor`; false when the deadline came first. Throws when stopped.
    func wait(
        _ descriptor: Int32?, _ events: Int32, until deadline: ContinuousClock.Instant
    ) throws -> Bool {
        var interest = PollInterest()
        interest.add(wakePipe.descriptor, POLLIN)
        if let descriptor { interest.add(descriptor, events) }
        interest.add(deadline)
        let isReady = interest.wait()
        if state.withLock({ $0.isStopped }) { throw Stopped() }
        return isReady || ContinuousClock.now < deadline
    }
}
