// Output on its way to a descriptor of this process, which may be slow to take it.

import DequeModule
import Posix

/// What goes to standard output or standard error, in its order: bytes, and output that was held back. Writing never
/// blocks for long, since heartbeats must go on while a reader takes its time: a pipe that poll(2) calls writable takes
/// 4,096 bytes at once.
struct OutputBuffer {
    private enum Part {
        case bytes([UInt8])
        case held(HeldOutput)
    }

    private static let pipeChunk = 4_096
    /// Beyond this, sources should wait. What one read brings may still be added.
    private static let capacity = 1 << 18

    let descriptor: Int32
    /// A regular file never makes a writer wait.
    private let chunk: Int
    private var bytes: [UInt8] = []
    /// How much of `bytes` is written.
    private var written = 0
    /// What comes behind `bytes`: held output that isn't in memory, and all that was added after it.
    private var later: Deque<Part> = []
    /// How much of that is in memory, in bytes.
    private var laterBytes = 0
    /// How much is to be written, in bytes.
    private var pending = 0
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

    var isPending: Bool { written < bytes.count || !later.isEmpty }
    var isFull: Bool { bytes.count - written + laterBytes >= Self.capacity }
    /// How much has been written since the beginning, in bytes.
    var totalWritten: Int { totalAdded - pending }

    /// What is long stays as it is, next to what is short: put together, large tasks would be here three times.
    mutating func add(_ more: some Collection<UInt8>) {
        guard !more.isEmpty else { return }
        let end: UInt8?
        if later.isEmpty, bytes.count + more.count < Self.capacity {
            bytes += more
            end = bytes.last
        } else {
            // Taken out, so that it isn't copied when it grows.
            var part = takeLast(beside: more.count)
            if part.isEmpty { part = Array(more) } else { part += more }
            end = part.last
            later.append(.bytes(part))
            laterBytes += more.count
        }
        pending += more.count
        totalAdded += more.count
        endsLine = end == UInt8(ascii: "\n")
    }

    /// Takes the last bytes out where there is room for `count` more beside them; empty where there is none.
    private mutating func takeLast(beside count: Int) -> [UInt8] {
        guard case .bytes(let last)? = later.last, last.count + count < Self.capacity else { return [] }
        later.removeLast()
        return last
    }

    mutating func add(_ held: HeldOutput) {
        if let bytes = held.wholeInMemory { return add(bytes) }
        later.append(.held(held))
        pending += held.remaining
        totalAdded += held.remaining
        endsLine = held.endsLine
    }

    /// Writes one chunk; an error number when that failed, or when held output can't be had back. Call when poll(2)
    /// says that there is room.
    mutating func write() -> Int32? {
        if written == bytes.count, let failure = advance() { return failure }
        let end = min(written + chunk, bytes.count)
        let count = bytes[written..<end].withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
        }
        guard count >= 0 else { return errno == EAGAIN ? nil : errno }
        written += count
        pending -= count
        if written == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            written = 0
        }
        return nil
    }

    /// Makes `bytes`, which are all written, what comes next.
    private mutating func advance() -> Int32? {
        while let next = later.popFirst() {
            switch next {
            case .bytes(let next):
                (bytes, written) = (next, 0)
                laterBytes -= next.count
                return nil
            case .held(var held):
                guard let piece = held.takePiece() else {
                    if let failure = held.failure { return failure }
                    continue
                }
                (bytes, written) = (piece, 0)
                later.prepend(.held(held))
                return nil
            }
        }
        return nil
    }

    /// Forgets what nobody will read.
    mutating func discard() {
        totalAdded -= pending
        (bytes, written, later, laterBytes, pending) = ([], 0, [], 0, 0)
    }
}
