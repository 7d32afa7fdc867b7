// Prints tasks for a worker without a command.

import CPosix
import DequeModule

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Tasks on their way to standard output, each followed by a separator. A task is done once all of it is written.
///
/// Writing never blocks for long, since heartbeats must go on while a reader takes its time: a pipe that poll(2) calls
/// writable takes 4,096 bytes at once.
struct TaskPrinter {
    static let descriptor = STDOUT_FILENO
    private static let pipeChunk = 4_096

    private let separator: UInt8
    /// A regular file never makes a writer wait.
    private let chunk: Int
    private var buffer: [UInt8] = []
    /// How much of `buffer` is written.
    private var written = 0
    /// The jobs in `buffer`, with where each ends in it.
    private var jobs: Deque<(job: WorkerState.JobID, end: Int)> = []

    init(separator: UInt8) {
        self.separator = separator
        var status = stat()
        let isRegular = fstat(Self.descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        chunk = isRegular ? 1 << 20 : Self.pipeChunk
    }

    var isPending: Bool { written < buffer.count }

    mutating func add(_ job: WorkerState.JobID, _ body: [UInt8]) {
        buffer += body
        buffer.append(separator)
        jobs.append((job, buffer.count))
    }

    /// What came of writing.
    enum Progress {
        /// These jobs are written to the end.
        case done([WorkerState.JobID])
        /// An error number.
        case failed(Int32)
    }

    /// Writes one chunk. Call when poll(2) says that there is room.
    mutating func write() -> Progress {
        let end = min(written + chunk, buffer.count)
        let count = buffer[written..<end].withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(Self.descriptor, $0, bytes.count) } ?? 0
        }
        guard count >= 0 else { return errno == EAGAIN ? .done([]) : .failed(errno) }
        written += count
        var done: [WorkerState.JobID] = []
        while let first = jobs.first, first.end <= written {
            done.append(first.job)
            jobs.removeFirst()
        }
        if written == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            written = 0
        }
        return .done(done)
    }
}
