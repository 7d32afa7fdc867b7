// The files that a bench reads and writes.

import Posix

/// Files named by options. Both are looked at before a run begins: nobody should learn after an hour that a path is
/// wrong.
enum BenchFiles {
    /// A file that takes the place of another one when it is whole.
    struct Output {
        fileprivate let path: String

        /// Writes all of the file. One that was there stays as it is until then.
        func write(_ text: String) throws(CommandError) {
            var status = stat()
            let isReplaceable = stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
            // A link stays a link, to a new file. A pipe can't be replaced, and has no content to lose.
            let place = isReplaceable ? Self.realPath(path) : path
            let written = isReplaceable ? "\(place).\(getpid())" : path
            var isCreated = false
            do throws(SystemError) {
                let flags = isReplaceable ? O_WRONLY | O_CREAT | O_EXCL : O_WRONLY
                let file = try Descriptor(opening: written, flags, mode: 0o644)
                isCreated = isReplaceable
                try Transfer.write(text, to: file.number)
                guard !isReplaceable || rename(written, place) == 0 else { throw .last }
            } catch {
                if isCreated { unlink(written) }
                throw CommandError(.inputOutputError, FileError(.write, path, error).message)
            }
        }

        private static func realPath(_ path: String) -> String {
            guard let resolved = realpath(path, nil) else { return path }
            defer { free(resolved) }
            return String(cString: resolved)
        }
    }

    /// A file to be written at the end.
    static func output(_ path: String) throws(CommandError) -> Output {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        let exists = stat(path, &status) == 0
        var problem: Int32?
        if exists, status.st_mode & S_IFMT == S_IFDIR {
            problem = EISDIR
        } else if access(exists ? path : folder, W_OK) != 0 {
            problem = errno
        }
        if let problem { throw CommandError(.cannotCreate, FileError(.create, path, SystemError(problem)).message) }
        return Output(path: path)
    }

    /// The results of an earlier run. Those of one that ended early say nothing about a whole one.
    static func readBaseline(_ path: String) throws(CommandError) -> BenchReport {
        let contents: [UInt8]
        do throws(SystemError) {
            let file = try Descriptor(opening: path, O_RDONLY)
            contents = try Transfer.read(from: file.number, limit: 64 << 20)
        } catch {
            throw CommandError(.noInput, FileError(.read, path, error).message)
        }
        guard let report = try? BenchReport(json: contents) else {
            throw CommandError(.refused, "\(path) doesn't hold the results of workq bench --format json")
        }
        if let interruption = report.interruption {
            throw CommandError(
                .refused,
                "\(path) holds the results of a run that ended early (\(interruption.text)): it is no baseline")
        }
        return report
    }
}
