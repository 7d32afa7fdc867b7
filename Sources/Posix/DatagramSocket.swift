// Datagrams to a Unix socket, for sd_notify's protocol without its library.

/// A socket that short texts are sent from, to one address.
package final class DatagramSocket {
    private let descriptor: Int32
    private var address = sockaddr_un()
    private let addressLength: socklen_t

    /// `path` is a file's, or on Linux an abstract name behind an `@`; nil when it is neither or too long.
    package init?(path: String) {
        var bytes = Array(path.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count > 1, bytes.count < capacity, isAbstract || bytes.first == UInt8(ascii: "/") else {
            return nil
        }
        if isAbstract { bytes[0] = 0 }
        #if canImport(Darwin)
            descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #endif
        // An abstract name ends where the address does, a file's with a zero.
        let prefix = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 0
        addressLength = socklen_t(prefix + bytes.count + (isAbstract ? 0 : 1))
        guard descriptor >= 0 else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    deinit {
        workq_close(descriptor)
    }

    /// Sends a text without waiting; false when there was no room for it. A receiver that is gone has no use for it.
    package func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { bytes in
            withUnsafePointer(to: &address) { pointer in
                // The kernel reads as many bytes of the address as its length says, all of them in `address`.
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT), $0, addressLength)
                }
            }
        }
        return count >= 0 || errno != EAGAIN && errno != ENOBUFS
    }
}
