// Puts a network that fails on demand between workq and a broker.

import Foundation
import Posix
import Synchronization

/// A TCP proxy on 127.0.0.1 whose faults a test switches on and off while connections are open.
///
/// It runs on a thread of its own. Every connection to `port` becomes one to the upstream port; when the upstream can't
/// be reached, the client's connection is reset. A reset or an end in good order on one side is passed on to the other.
package final class TCPProxy: Sendable {
    package enum Direction: Sendable, Hashable, CaseIterable {
        case toUpstream, toClient
    }

    /// What happens to the bytes of every connection, present and future.
    ///
    /// Byte counts begin when a connection takes the mode: with its first byte, or when the mode was set.
    package enum Mode: Sendable, Equatable {
        case pass
        /// Reads nothing more of what flows in this direction: its sender's window fills. The other direction passes.
        case stallRead(Direction)
        /// Reads and forwards nothing, notices nothing, keeps both sockets open, as a dead network does.
        case blackhole
        /// Is a blackhole for the connections there are, and passes the bytes of new ones.
        case holdOlder
        /// Reads and throws away in both directions: senders stay happy, nobody gets an answer. What was thrown away is
        /// missing if the mode changes back.
        case swallow
        /// Ends both sides in good order after exactly so many bytes in the direction; 0 ends them at once.
        case cut(after: Int, Direction)
        /// Resets both sides after exactly so many bytes in the direction; 0 resets them at once.
        case reset(after: Int, Direction)
        /// Closes the upstream side. The client's side stays open, is read and gets no answer. Lasts for a connection,
        /// whatever mode follows.
        case halfClose
        /// Forwards at most so many bytes each tick, each connection and direction on its own.
        case throttle(bytesPerTick: Int, tick: Duration)
        /// Forwards everything so much later. At most 4 MiB are under way in a direction.
        case delay(Duration)
    }

    /// What flowed in one direction, all connections together.
    package struct Traffic: Sendable, Equatable {
        /// Bytes taken from the sender, those thrown away included.
        package var read = 0
        /// Bytes handed to the receiver.
        package var forwarded = 0
        /// The bytes read, when the proxy captures; those of simultaneous connections interleave.
        package var captured: [UInt8] = []
    }

    /// Where clients connect to on 127.0.0.1.
    package let port: Int
    private let control: ProxyControl

    /// Starts a proxy.
    ///
    /// `bufferSize` in bytes limits the kernel's buffers of the proxy's sockets, and its own, so that a stall is felt
    /// after some kilobytes; the system may round up, and the sender's own send buffer comes on top. With `captures`
    /// all bytes read are kept. Throws a `Failure` when the system refuses a socket.
    package init(
        upstreamPort: Int, mode: Mode = .pass, bufferSize: Int? = nil, captures: Bool = false
    ) throws {
        let control = try ProxyControl(mode: mode, captures: captures)
        let (listener, port) = try LoopbackSocket.listen(bufferSize: bufferSize)
        self.port = port
        self.control = control
        let thread = Thread {
            var loop = ProxyLoop(listener: listener, upstreamPort: upstreamPort, bufferSize: bufferSize)
            loop.run(control)
            control.finished.signal()
        }
        thread.name = "TCPProxy"
        thread.start()
    }

    deinit {
        stop()
    }

    /// The mode of all connections. Once set, no byte is treated after the mode before; connections that the new mode
    /// ends are gone a moment later.
    package var mode: Mode {
        get { control.state.withLock { $0.mode } }
        set {
            control.state.withLock {
                $0.mode = newValue
                $0.generation += 1
            }
            control.wakePipe.wake()
        }
    }

    package func traffic(_ direction: Direction) -> Traffic {
        control.state.withLock { $0.traffic[direction] ?? Traffic() }
    }

    /// How many connections were accepted so far.
    package var connectionCount: Int { control.state.withLock { $0.accepted } }

    /// How many of them the proxy still holds open.
    package var openConnectionCount: Int { control.state.withLock { $0.open } }

    /// Closes all sockets and ends the thread; new connections are refused. Does nothing the second time.
    package func stop() {
        control.state.withLock { $0.isStopped = true }
        control.wakePipe.wake()
        control.finished.wait()
        control.finished.signal()
    }
}

/// What a proxy's owner and its thread share.
final class ProxyControl: Sendable {
    struct State {
        var mode: TCPProxy.Mode
        /// Goes up whenever the mode is set, also to the same.
        var generation = 0
        var isStopped = false
        let captures: Bool
        var traffic: [TCPProxy.Direction: TCPProxy.Traffic] = [:]
        var accepted = 0
        var open = 0
    }

    /// The thread holds the lock while it moves bytes, so that a new mode is in force when the setter returns.
    let state: Mutex<State>
    let wakePipe: WakePipe
    let finished = DispatchSemaphore(value: 0)

    init(mode: TCPProxy.Mode, captures: Bool) throws {
        state = Mutex(State(mode: mode, captures: captures))
        wakePipe = try WakePipe()
    }
}
