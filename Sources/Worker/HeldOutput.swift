// Keeps what a command writes until its line or the command has ended, in bounded memory.

import Posix

/// Output of one command, first in memory and then in a file without a name.
struct HeldOutput {
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
    /// Whether what was added last ends a line. So does nothing at all.
    private(set) var endsLine = true
    /// Why something is missing: the system's error number.
    private(set) var failure: Int32?

    init(directory: String) {
        self.directory = directory
    }

    /// All of it, when there is no file and none is missing.
    var wholeInMemory: [UInt8]? { file == nil && failure == nil ? bytes : nil }

    mutating func add(_ more: some Collection<UInt8>) {
        guard failure == nil, !more.isEmpty else { return }
        bytes += more
        remaining += more.count
        endsLine = bytes.last == UInt8(ascii: "\n")
    }

    /// Moves what is too much for memory to the file.
    mutating func spill() {
        guard bytes.count > Self.memoryLimit else { return }
        do throws(SpillFile.Failure) {
            if file == nil { file = try SpillFile(in: directory) }
            try file?.append(bytes)
        } catch {
            failure = error.number
        }
        bytes.removeAll(keepingCapacity: true)
    }

    /// Begins again, with nothing held.
    mutating func removeAll() { self = HeldOutput(directory: directory) }

    /// Takes out the next piece; nil when nothing is left, or when the rest is missing. What was added last is in
    /// memory, behind the file.
    mutating func takePiece() -> [UInt8]? {
        guard remaining > 0 else { return nil }
        var piece: [UInt8] = []
        if let file, taken < file.size {
            do throws(SpillFile.Failure) {
                piece = try file.read(at: taken)
                taken += piece.count
            } catch {
                failure = error.number
            }
        } else {
            swap(&piece, &bytes)
        }
        remaining -= piece.count
        return piece.isEmpty ? nil : piece
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
