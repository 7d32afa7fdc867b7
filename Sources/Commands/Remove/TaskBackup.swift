// The file that tasks are saved to before they leave their queue.

import Broker
import Posix

/// A new file of tasks, a line of JSON each.
final class TaskBackup {
    private static let bufferSize = 1 << 16

    let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var written = 0
    /// How many bytes are safe, all of them whole lines.
    private var durable = 0

    /// Creates the file, which nobody else may read. One that exists is never touched: it may be an earlier backup.
    init(creating path: String) throws(CommandError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.cannotCreate(path, errno) }
        // The file's name must be as safe as what is in it.
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        defer { close(directory) }
        guard fsync(directory) == 0 || errno == EINVAL else { throw failure(errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Why `path` can't become a backup, as far as that is known without creating it.
    static func obstacle(to path: String) -> CommandError? {
        var status = stat()
        return lstat(path, &status) == 0 ? cannotCreate(path, EEXIST) : nil
    }

    private static func cannotCreate(_ path: String, _ number: Int32) -> CommandError {
        let hint = number == EEXIST ? "; a backup is never added to or written over, name another one" : ""
        return CommandError(.cannotCreate, "cannot create \(path): \(SystemError.text(number))\(hint)")
    }

    private func failure(_ number: Int32) -> CommandError {
        CommandError(.inputOutputError, "cannot write \(path): \(SystemError.text(number))")
    }

    /// Adds a task, which is safe only after `makeDurable()`.
    func append(_ record: TaskRecord) throws(CommandError) {
        record.appendLine(to: &buffer)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Waits until all tasks added so far would survive a crash of the machine.
    func makeDurable() throws(CommandError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw failure(errno) }
        durable = written
    }

    /// Takes back what was added since, so that no half line is left. False when that was nothing, or can't be done.
    func discardRest() -> Bool {
        let isOnlyInMemory = written == durable && !buffer.isEmpty
        buffer = []
        guard written > durable, ftruncate(descriptor, off_t(durable)) == 0 else { return isOnlyInMemory }
        written = durable
        return true
    }

    /// A file without a task would only be in the way of the next try.
    func removeIfEmpty() {
        if written == 0 { unlink(path) }
    }

    private func flush() throws(CommandError) {
        do throws(SystemError) {
            try Transfer.write(buffer, to: descriptor)
        } catch {
            // Some of it may be there.
            written = Int(lseek(descriptor, 0, SEEK_CUR))
            throw failure(error.number)
        }
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }
}
