// A host's addresses, looked up in bounded time.

import Posix
import Synchronization

/// One address of a node, to connect to.
struct HostAddress: Sendable, Equatable {
    /// AF_INET or AF_INET6.
    let family: Int32
    /// A sockaddr_in or sockaddr_in6.
    let bytes: [UInt8]

    private init(_ info: addrinfo) {
        family = info.ai_family
        bytes = Array(UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
    }

    /// As text without a port: `127.0.0.1`, `fe80::1%eth0`.
    var text: String {
        var host: [CChar] = Array(repeating: 0, count: 1_025)
        let failure = withAddress { address, length in
            getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        }
        guard failure == 0 else { return "" }
        return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &storage) { pointer in
            // Storage is made to be seen as any kind of address, and lives until `body` has returned.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }
}

extension HostAddress {
    /// All addresses of a node, in the system's order.
    ///
    /// A name server may stay silent for longer than anybody wants to wait, and getaddrinfo can't be interrupted: it
    /// runs on a thread that is left behind when `deadline` has passed.
    static func lookUp(_ node: ConnectionParameters.Node, by deadline: Instant) throws(BrokerError) -> [HostAddress] {
        // Neither addresses nor this machine's own name are a name server's to answer (RFC 6761).
        if let addresses = try? query(node.host, node.port, AI_NUMERICHOST).get() { return addresses }
        if node.host == "localhost" { return try addresses(query(node.host, node.port, 0), node) }
        guard let lookup = try? Lookup(), DetachedThread.start({ lookup.run(node.host, node.port) }) else {
            throw BrokerError(
                "connect to \(node.description)", .outOfResources, scope: .connection,
                "the system refuses a thread or a pipe")
        }
        guard let result = lookup.result(by: deadline) else {
            throw BrokerError(
                "connect to \(node.description)", .hostNotFound, scope: .connection,
                "the host's name can't be resolved: the name server doesn't answer in time")
        }
        return try addresses(result, node)
    }

    private struct LookupError: Error {
        /// An EAI number.
        let number: Int32
    }

    private static func addresses(
        _ result: Result<[HostAddress], LookupError>, _ node: ConnectionParameters.Node
    ) throws(BrokerError) -> [HostAddress] {
        do {
            return try result.get()
        } catch {
            throw BrokerError(
                "connect to \(node.description)", .hostNotFound, scope: .connection,
                "the host's name can't be resolved: \(String(cString: gai_strerror(error.number)).lowercasedFirst)")
        }
    }

    private static func query(_ host: String, _ port: UInt16, _ flags: Int32) -> Result<[HostAddress], LookupError> {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var first: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, String(port), &hints, &first)
        guard failure == 0 else { return .failure(LookupError(number: failure)) }
        defer { freeaddrinfo(first) }
        return .success(
            sequence(first: first) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap { $0 }
                .map { HostAddress($0.pointee) })
    }

    /// A question to the system that somebody waits for, or doesn't any more.
    private final class Lookup: Sendable {
        private let answer = Mutex<Result<[HostAddress], LookupError>?>(nil)
        private let wake: WakePipe

        init() throws(SystemError) {
            wake = try WakePipe()
        }

        func run(_ host: String, _ port: UInt16) {
            let result = HostAddress.query(host, port, 0)
            answer.withLock { $0 = result }
            wake.wake()
        }

        /// nil when there is none until `deadline`.
        func result(by deadline: Instant) -> Result<[HostAddress], LookupError>? {
            var pollSet = PollSet()
            pollSet.add(wake.descriptor, events: POLLIN)
            while true {
                if let result = answer.withLock({ $0 }) { return result }
                guard .now < deadline else { return nil }
                pollSet.wait(until: deadline)
            }
        }
    }
}
