// Writing a file so that it is there whole or not at all, whatever happens meanwhile.

import Posix

/// A file that appears under its name, on disk, when it is complete; until then it has another name in the same folder.
final class DurableFile {
    private let path: String
    private let temporaryPath: String
    private var descriptor: Int32

    /// Begins a file that only its owner may read: tasks may hold anything. `temporaryPath` must be on the same file
    /// system as `path`. What is there by that name is overwritten: nobody else writes it.
    init(_ path: String, temporaryPath: String) throws(CommandError) {
        self.path = path
        self.temporaryPath = temporaryPath
        // A file that grows beyond the process's limit is an error to tell, not the end.
        workq_signal_ignore(SIGXFSZ)
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        workq_close(descriptor)
        unlink(temporaryPath)
    }

    func write(_ bytes: [UInt8]) throws(CommandError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
            }
            guard count > 0 else { throw Self.failure(path, errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes the file appear, and lasting: its contents are on disk before its name is, and its name before this
    /// returns.
    func commit() throws(CommandError) {
        guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else { throw Self.failure(path, errno) }
        workq_close(descriptor)
        descriptor = -1
        try Self.synchronize(folder: Self.folder(of: path))
    }

    /// Makes changes of names in a folder lasting.
    static func synchronize(folder: String) throws(CommandError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder, errno) }
        defer { workq_close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(folder, errno) }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func failure(_ path: String, _ number: Int32) -> CommandError {
        CommandError(.cannotCreate, "cannot write \(path): \(SystemError.text(number))")
    }
}
