// The tasks that were not confirmed, in a file that the same command can be run on.

import Broker
import Options
import Posix
import Publisher

/// `--unsent FILE`.
///
/// Written under another name first, so that it may be the very file that is read, and is never half there.
struct UnsentFile {
    /// The file itself, when the name given is a link to it.
    let path: String

    /// Checks that the file can be written, as far as that can be known before.
    init(_ name: String) throws(CommandError) {
        var status = stat()
        if stat(name, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CommandError(.cannotCreate, "cannot write \(name): it is no regular file")
            }
            guard let resolved = realpath(name, nil) else { throw DurableFile.failure(name, errno) }
            path = String(cString: resolved)
            free(resolved)
        } else {
            path = name
        }
        guard access(DurableFile.folder(of: path), W_OK | X_OK) == 0 else { throw DurableFile.failure(name, errno) }
    }

    /// Writes `tasks`, and behind them what `source` still has. Returns why something is missing at the end.
    ///
    /// A signal ends the reading, since the other end of a pipe may stay open for ever; after two of them only what is
    /// there at once is read.
    func write(
        _ tasks: [OutgoingTask], _ source: InputSource, separator: UInt8?, interruption: Interruption?
    ) throws(CommandError) -> String? {
        let file = try DurableFile(path, temporaryPath: "\(path).\(getpid()).tmp")
        for task in tasks {
            try file.write(task.particulars?.inputForm ?? task.body)
            if let separator { try file.write([separator]) }
        }
        let end = interruption?.isUrgent == true ? Instant.now + .milliseconds(300) : .never
        let reason = try source.copyRest(
            while: { interruption?.waitToRead($0, until: end) ?? true },
            to: { bytes throws(CommandError) in try file.write(bytes) })
        try file.commit()
        return reason
    }
}
