// The few socket calls that the proxy, the scripted peer and tests share, with errors instead of status codes.

import Foundation

/// TCP sockets on 127.0.0.1. All are non-blocking, are not inherited across exec and never raise SIGPIPE.
///
/// A program started between `accept` and `fcntl` may inherit a descriptor all the same. What ends a connection here
/// therefore acts on the connection, not only on the descriptor: the other side sees it even then.
package enum LoopbackSocket {
    /// What a read or a write came to.
    package enum Transfer: Equatable {
        case bytes(Int)
        /// Nothing can be read or written now.
        case wouldBlock
        /// The other side sends no more.
        case ended
        /// The connection is broken, mostly by a reset.
        case broken
    }

    /// A listening socket on a port that the system picks. `bufferSize` in bytes goes to what is accepted from it.
    package static func listen(bufferSize: Int? = nil) throws -> (descriptor: Int32, port: Int) {
        let descriptor = try make(bufferSize: bufferSize)
        do {
            let bound = withAddress(port: 0) { bind(descriptor, $0, $1) }
            guard bound == 0, Foundation.listen(descriptor, 64) == 0 else { throw failure("listen on 127.0.0.1") }
            return (descriptor, try localPort(descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// The next waiting connection, nil when there is none.
    package static func accept(_ listener: Int32) -> Int32? {
        let descriptor = Foundation.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        prepare(descriptor)
        return descriptor
    }

    /// A connection to a port of this machine. Blocks only where the listener's backlog is full.
    package static func connect(port: Int, bufferSize: Int? = nil) throws -> Int32 {
        let descriptor = try make(bufferSize: bufferSize)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        let status = withAddress(port: port) { Foundation.connect(descriptor, $0, $1) }
        guard status == 0 else {
            let failure = failure("connect to 127.0.0.1:\(port)")
            close(descriptor)
            throw failure
        }
        prepare(descriptor)
        return descriptor
    }

    /// Reads at most `limit` bytes.
    package static func read(_ descriptor: Int32, limit: Int) -> (bytes: [UInt8], transfer: Transfer) {
        var result = Transfer.wouldBlock
        let chunk = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let received = recv(descriptor, buffer.baseAddress, limit, 0)
            result = transfer(received, atZero: .ended)
            count = max(0, received)
        }
        return (chunk, result)
    }

    /// Writes as much of `bytes` as the socket takes now.
    package static func write(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Transfer {
        let sent = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, sendFlags) }
        return transfer(sent, atZero: .bytes(0))
    }

    /// Ends a connection in good order: the other side reads what was sent, then the end.
    ///
    /// Input that nobody read would turn the end into a reset, so it is thrown away first.
    package static func finish(_ descriptor: Int32) {
        shutdown(descriptor, Int32(SHUT_WR))
        while case .bytes = read(descriptor, limit: 65_536).transfer {}
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// Ends a connection with a reset. What was sent and not yet received may be lost.
    package static func reset(_ descriptor: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Foundation.linger>.size))
        #if !canImport(Darwin)
            // Linux sends the reset here, whoever else holds the descriptor.
            var nowhere = sockaddr()
            nowhere.sa_family = sa_family_t(AF_UNSPEC)
            _ = Foundation.connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
        #endif
        close(descriptor)
    }

    /// Milliseconds until `deadline` as poll(2) wants them, rounded up.
    static func pollTimeout(until deadline: ContinuousClock.Instant) -> Int32 {
        let left = (deadline - .now).components
        guard left.seconds >= 0, left.attoseconds >= 0 else { return 0 }
        return Int32(clamping: left.seconds * 1_000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    private static func transfer(_ count: Int, atZero: Transfer) -> Transfer {
        if count == 0 { return atZero }
        if count > 0 { return .bytes(count) }
        return [EAGAIN, EWOULDBLOCK, EINTR].contains(errno) ? .wouldBlock : .broken
    }

    private static func make(bufferSize: Int?) throws -> Int32 {
        #if canImport(Darwin)
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #else
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #endif
        guard descriptor >= 0 else { throw failure("make a socket") }
        prepare(descriptor)
        if let bufferSize {
            set(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(bufferSize))
            set(descriptor, SOL_SOCKET, SO_SNDBUF, Int32(bufferSize))
        }
        return descriptor
    }

    private static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        #if canImport(Darwin)
            set(descriptor, SOL_SOCKET, SO_NOSIGPIPE, 1)
        #endif
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func localPort(_ descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { throw failure("read a socket's port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func withAddress<Result>(
        port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static var sendFlags: Int32 {
        #if canImport(Darwin)
            0
        #else
            Int32(MSG_NOSIGNAL)
        #endif
    }

    private static func failure(_ operation: String) -> Failure {
        Failure("cannot \(operation): \(String(cString: strerror(errno)))")
    }
}
