// Receives what a service tells its manager, as systemd would.

import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A Unix datagram socket under a path, or on Linux under an abstract name.
package final class NoticeReceiver {
    /// For NOTIFY_SOCKET.
    package let path: String
    private let descriptor: Int32
    private let folder: TemporaryFolder

    package init(abstract isAbstract: Bool = false) throws {
        folder = try TemporaryFolder()
        path = isAbstract ? "@workq-\(UUID().uuidString)" : folder.path("notify")
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        if isAbstract { bytes[0] = 0 }
        guard descriptor >= 0, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure("no socket at \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let prefix = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 0
        let length = socklen_t(prefix + bytes.count + (isAbstract ? 0 : 1))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw Failure("cannot bind \(path): \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(descriptor)
    }

    /// The lines of all messages that have come since the last call.
    package func lines() -> [String] {
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return lines }
            lines += String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}
