// Connects to one of a host's addresses, in bounded time and with the system's reason when it fails.

import Posix

/// Connecting sockets for librabbitmq, whose own connecting tries no second address after a time-out and keeps the
/// system's reason to itself.
enum TCPSocket {
    /// A connected socket, non-blocking as librabbitmq needs it. The caller owns it.
    ///
    /// All addresses share the time until `deadline`; one that doesn't answer leaves the later ones their part.
    static func connect(to node: ConnectionParameters.Node, by deadline: Instant) throws(BrokerError) -> Int32 {
        let addresses = try AddressList(node)
        var failure = ""
        var code = BrokerError.Code.unreachable
        for (index, address) in addresses.entries.enumerated() {
            let now = Instant.now
            let share = max(deadline - now, .zero) / (addresses.entries.count - index)
            switch attempt(address.pointee, by: now + share) {
            case .success(let descriptor): return descriptor
            case .failure(let error):
                failure = error.text
                code = error.number == ETIMEDOUT ? .timedOut : .unreachable
            }
        }
        throw BrokerError("connect to \(node.description)", code, scope: .connection, failure)
    }

    /// Throws the reason why the node can't be connected to, if there is one.
    static func probe(_ node: ConnectionParameters.Node, by deadline: Instant) throws(BrokerError) {
        close(try connect(to: node, by: deadline))
    }

    private static func attempt(_ address: addrinfo, by deadline: Instant) -> Result<Int32, SystemError> {
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { return .failure(.last) }
        let failure = establish(descriptor, address, by: deadline)
        guard failure == 0 else {
            close(descriptor)
            return .failure(SystemError(failure))
        }
        return .success(descriptor)
    }

    /// 0 or an error number.
    private static func establish(_ descriptor: Int32, _ address: addrinfo, by deadline: Instant) -> Int32 {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { return errno }
        setOption(descriptor, tcpLevel, TCP_NODELAY, 1)
        #if canImport(Darwin)
            setOption(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
        guard SystemCall.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 else { return 0 }
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
            // Also fires on a zero window: a peer that is alive and doesn't read. Later than the watchdog, which can say
            // what happened.
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
    static func connect(_ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>, _ size: socklen_t) -> Int32 {
        #if canImport(Darwin)
            Darwin.connect(descriptor, address, size)
        #else
            Glibc.connect(descriptor, address, size)
        #endif
    }
}

/// A host's addresses; the memory is getaddrinfo's and freed with this value.
private struct AddressList: ~Copyable {
    private let first: UnsafeMutablePointer<addrinfo>?
    /// Valid as long as the list.
    let entries: [UnsafeMutablePointer<addrinfo>]

    init(_ node: ConnectionParameters.Node) throws(BrokerError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(node.host, String(node.port), &hints, &list)
        guard failure == 0 else {
            throw BrokerError(
                "connect to \(node.description)", .hostNotFound, scope: .connection,
                "the host's name can't be resolved: \(String(cString: gai_strerror(failure)).lowercasedFirst)")
        }
        first = list
        entries = Array(sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }).compactMap { $0 }
    }

    deinit {
        freeaddrinfo(first)
    }
}

extension String {
    /// A system's sentence fit to stand behind a colon.
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
