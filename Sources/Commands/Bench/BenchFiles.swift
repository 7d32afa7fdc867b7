// The files that a bench reads and writes.

import Posix

/// Files named by options. Both are opened before a run begins: nobody should learn after an hour that a path is wrong.
enum BenchFiles {
    /// A file to write text to.
    struct Output {
        fileprivate let path: String
        fileprivate let descriptor: Int32

        /// Writes all of the file, and closes it.
        func write(_ text: String) throws(CommandError) {
            // A pipe has no length, and needs none.
            ftruncate(descriptor, 0)
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { workq_write(descriptor, $0, bytes.count) } ?? 0
                }
                guard count > 0 else { throw failure() }
                rest = rest.dropFirst(count)
            }
            guard close(descriptor) == 0 else { throw failure() }
        }

        private func failure() -> CommandError {
            CommandError(.inputOutputError, "cannot write \(path): \(SystemError.text(errno))")
        }
    }

    static func create(_ path: String) throws(CommandError) -> Output {
        // What an earlier run has left stays until there is something to write.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandError(.cannotCreate, "cannot create \(path): \(SystemError.text(errno))")
        }
        return Output(path: path, descriptor: descriptor)
    }

    /// The results of an earlier run.
    static func readBaseline(_ path: String) throws(CommandError) -> BenchReport {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var part: [UInt8] = Array(repeating: 0, count: 65_536)
        while true {
            let count = workq_read(descriptor, &part, part.count)
            guard count >= 0 else { throw unreadable(path) }
            guard count > 0 else { break }
            contents += part[..<count]
            guard contents.count <= 64 << 20 else { break }
        }
        do {
            return try BenchReport(json: contents)
        } catch {
            throw CommandError(.refused, "\(path) doesn't hold the results of workq bench --format json")
        }
    }

    private static func unreadable(_ path: String) -> CommandError {
        CommandError(.noInput, "cannot read \(path): \(SystemError.text(errno))")
    }
}
