// Connects to one of a host's addresses, in bounded time and with the system's reason when it fails.

import Posix

/// Connecting sockets for librabbitmq, whose own connecting tries no second address after a time-out and keeps the
/// system's reason to itself.
enum TCPSocket {
    /// A connected socket, non-blocking as librabbitmq needs it. The caller owns it.
    ///
    /// All addresses share the time until `deadline`; one that doesn't answer leaves the later ones their part.
    static func connect(
        to addresses: [HostAddress], of node: ConnectionParameters.Node, by deadline: Instant,
        connected: (HostAddress) -> Void = { _ in }
    ) throws(BrokerError) -> Int32 {
        var last = BrokerError("connect to \(node.description)", .hostNotFound, scope: .connection, "it has no address")
        for (index, address) in addresses.enumerated() {
            do throws(SystemError) {
                let descriptor = try connect(to: address, by: share(of: index, among: addresses.count, by: deadline))
                connected(address)
                return descriptor
            } catch {
                last.code = error.number == ETIMEDOUT ? .timedOut : .unreachable
                last.text = error.text
            }
        }
        throw last
    }

    /// When the attempt at the address of this index has to end, so that those behind it have their part of the time.
    static func share(of index: Int, among count: Int, by deadline: Instant) -> Instant {
        let now = Instant.now
        // Not a division of a duration: its 128 bits take more time than connecting does.
        return now + .nanoseconds(max(deadline - now, .zero).nanoseconds / Int64(count - index))
    }

    private static func connect(to address: HostAddress, by deadline: Instant) throws(SystemError) -> Int32 {
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(address.family, kind, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else { throw .last }
        let failure = establish(descriptor, address, by: deadline)
        guard failure == 0 else {
            close(descriptor)
            throw SystemError(failure)
        }
        return descriptor
    }

    /// 0 or an error number.
    private static func establish(_ descriptor: Int32, _ address: HostAddress, by deadline: Instant) -> Int32 {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { return errno }
        setOption(descriptor, tcpLevel, TCP_NODELAY, 1)
        #if canImport(Darwin)
            setOption(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
        guard address.withAddress({ SystemCall.connect(descriptor, $0, $1) }) != 0 else { return 0 }
        guard errno == EINPROGRESS else { return errno }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        while true {
            switch poll(&entry, 1, deadline.pollTimeout(from: .now)) {
            case 0: return ETIMEDOUT
            case -1 where errno == EINTR: continue
            case -1: return errno
            default: return pendingError(descriptor)
            }
        }
    }

    private static func pendingError(_ descriptor: Int32) -> Int32 {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else { return errno }
        return error
    }

    /// Bounds how long a silent peer goes unnoticed by the kernel: unacknowledged or unsendable data for at most
    /// twice `sendTimeout`, and on an idle connection keepalive probes after `idleSeconds`.
    static func boundSilence(of descriptor: Int32, sendTimeout: Duration, idleSeconds: Int) {
        #if os(Linux)
            // Also fires on a zero window: a peer that is alive and doesn't read. Later than the watchdog, which can
            // say what happened.
            setOption(descriptor, tcpLevel, TCP_USER_TIMEOUT, Int32(clamping: 2 * sendTimeout.milliseconds))
            setOption(descriptor, tcpLevel, TCP_KEEPIDLE, Int32(clamping: max(1, idleSeconds)))
            setOption(descriptor, tcpLevel, TCP_KEEPINTVL, Int32(clamping: max(1, idleSeconds / 3)))
            setOption(descriptor, tcpLevel, TCP_KEEPCNT, 3)
        #endif
        setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Keeps what is sent back until a segment is full or the cork is out again: many small messages then take less of
    /// the system's time.
    static func setCork(_ isIn: Bool, of descriptor: Int32) {
        #if os(Linux)
            setOption(descriptor, tcpLevel, TCP_CORK, isIn ? 1 : 0)
        #endif
    }

    /// Options that a system may lack; the connection works without them.
    private static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static let tcpLevel = Int32(IPPROTO_TCP)
}

/// The C function, whose name `TCPSocket.connect` hides.
private enum SystemCall {
    static func connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
        #if canImport(Darwin)
            Darwin.connect(descriptor, address, size)
        #else
            Glibc.connect(descriptor, address, size)
        #endif
    }
}

extension String {
    /// A system's sentence fit to stand behind a colon.
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
