// Output on its way to a descriptor of this process, which may be slow to take it.

import Posix

/// Bytes for standard output or standard error. Writing never blocks for long, since heartbeats must go on while a
/// reader takes its time: a pipe that poll(2) calls writable takes 4,096 bytes at once.
struct OutputBuffer: OutputSink {
    private static let pipeChunk = 4_096
    /// Beyond this, sources should wait. What one read brings may still be added.
    private static let capacity = 1 << 18

    let descriptor: Int32
    /// A regular file never makes a writer wait.
    private let chunk: Int
    private var bytes: [UInt8] = []
    /// How much of `bytes` is written.
    private var written = 0
    /// How much has been added since the beginning, in bytes.
    private(set) var totalAdded = 0
    /// Whether what was added last ends a line.
    private(set) var endsLine = true

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        let isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        chunk = isRegular ? 1 << 20 : Self.pipeChunk
    }

    var isPending: Bool { written < bytes.count }
    var isFull: Bool { bytes.count - written >= Self.capacity }
    /// Whether more may come that could as well stay where it is: the rest of the room is for what can't wait.
    var isHungry: Bool { bytes.count - written < Self.capacity / 4 }
    /// How much has been written since the beginning, in bytes.
    var totalWritten: Int { totalAdded - (bytes.count - written) }

    mutating func add(_ more: some Collection<UInt8>) {
        bytes += more
        totalAdded += more.count
        if let last = bytes.last { endsLine = last == UInt8(ascii: "\n") }
    }

    /// Writes one chunk; an error number when that failed. Call when poll(2) says that there is room.
    mutating func write() -> Int32? {
        let end = min(written + chunk, bytes.count)
        let count = bytes[written..<end].withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
        }
        guard count >= 0 else { return errno == EAGAIN ? nil : errno }
        written += count
        if written == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            written = 0
        } else if written >= Self.capacity {
            bytes.removeFirst(written)
            written = 0
        }
        return nil
    }

    /// Forgets what nobody will read.
    mutating func discard() {
        totalAdded -= bytes.count - written
        bytes = []
        written = 0
    }
}
