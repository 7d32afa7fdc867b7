// Feeds a task to its command without ever waiting for it.

import Posix

/// The writing end of a child's standard input and what hasn't been written yet.
///
/// A child that closes its stdin, or never reads it, harms nobody: writing never blocks, and a broken pipe is no error.
/// The exit status alone decides what becomes of the task.
struct ChildInput {
    /// -1 once everything is written or nobody reads any more.
    private(set) var descriptor: Int32
    private let body: [UInt8]
    private var offset = 0

    /// Takes over `descriptor`, which must be non-blocking.
    init(descriptor: Int32, body: [UInt8]) {
        self.descriptor = descriptor
        self.body = body
    }

    /// Whether the rest waits for the child to read.
    var isPending: Bool { descriptor >= 0 }

    /// Writes as much as the pipe takes, and closes it when that was all.
    mutating func write() {
        while offset < body.count {
            let count = body[offset...].withUnsafeBytes { bytes in
                bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
            }
            guard count > 0 else {
                if errno == EAGAIN { return }
                break
            }
            offset += count
        }
        close()
    }

    mutating func close() {
        guard descriptor >= 0 else { return }
        workq_close(descriptor)
        descriptor = -1
    }
}
