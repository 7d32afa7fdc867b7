// Keeps what a command writes until it has ended, in bounded memory.

import DequeModule
import Posix

/// What output goes to.
protocol OutputSink {
    mutating func add(_ more: some Collection<UInt8>)
}

/// One stream of one command, first in memory and then in a file without a name.
struct HeldOutput: OutputSink {
    /// Longer output goes to a file. Small enough for 64 commands at once.
    private static let memoryLimit = 1 << 16

    /// The folder for a file.
    private let directory: String
    private var bytes: [UInt8] = []
    private var file: SpillFile?
    /// How much of the file was taken out again, in bytes.
    private var taken = 0
    /// How much is still in here, in bytes.
    private(set) var remaining = 0
    /// Why something is missing: the system's error number.
    private(set) var failure: Int32?

    init(directory: String) {
        self.directory = directory
    }

    mutating func add(_ more: some Collection<UInt8>) {
        guard failure == nil else { return }
        bytes += more
        remaining += more.count
        if bytes.count > Self.memoryLimit { spill() }
    }

    private mutating func spill() {
        do throws(SpillFile.Failure) {
            if file == nil { file = try SpillFile(in: directory) }
            try file?.append(bytes)
        } catch {
            failure = error.number
        }
        bytes.removeAll(keepingCapacity: true)
    }

    /// Moves the next piece to `sink`; false when nothing is left. What was added last is in memory, behind the file.
    mutating func moveNext(to sink: inout some OutputSink) -> Bool {
        if let file, taken < file.size {
            do throws(SpillFile.Failure) {
                let piece = try file.read(at: taken)
                taken += piece.count
                remaining -= piece.count
                sink.add(piece)
                return true
            } catch {
                failure = error.number
                return false
            }
        }
        guard !bytes.isEmpty else { return false }
        sink.add(bytes)
        remaining -= bytes.count
        bytes = []
        return true
    }
}

/// The output of commands that have ended, on its way to a buffer in the order of their ends.
struct HeldOutputs {
    private var queue: Deque<HeldOutput> = []

    mutating func append(_ output: HeldOutput) {
        queue.append(output)
    }

    var isEmpty: Bool { queue.isEmpty }

    /// How much is still to be moved, in bytes.
    var remaining: Int { queue.reduce(0) { $0 + $1.remaining } }

    /// Moves as much to `buffer` as it takes; an error number when something of a command's output is missing.
    mutating func feed(_ buffer: inout OutputBuffer) -> Int32? {
        while !queue.isEmpty, buffer.isHungry {
            if queue[0].moveNext(to: &buffer) { continue }
            if let failure = queue.removeFirst().failure { return failure }
        }
        return nil
    }
}

/// A temporary file that has lost its name, and goes with its last reference.
private final class SpillFile {
    struct Failure: Error {
        var number: Int32
    }

    private static let pieceSize = 1 << 16
    private let descriptor: Int32
    private(set) var size = 0

    init(in directory: String) throws(Failure) {
        var template = Array("\(directory)/workq-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure(number: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unlink(template)
    }

    deinit {
        workq_close(descriptor)
    }

    func append(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
            }
            guard count > 0 else { throw Failure(number: count < 0 ? errno : EIO) }
            rest = rest.dropFirst(count)
            size += count
        }
    }

    /// A piece from `offset` on, which must be before the end.
    func read(at offset: Int) throws(Failure) -> [UInt8] {
        var failure: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
            let length = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            if length <= 0 { failure = length < 0 ? errno : EIO }
            count = max(0, length)
        }
        guard failure == 0 else { throw Failure(number: failure) }
        return piece
    }
}
