// The tasks that were not confirmed, in a file that the same command can be run on.

import Broker
import Options
import Posix
import Worker

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
    /// A signal ends the reading, since the other end of a pipe may stay open for ever.
    func write(
        _ tasks: [OutgoingTask], _ source: InputSource, separator: UInt8?, signals: SignalPipe?
    ) throws(CommandError) -> String? {
        let file = try DurableFile(path, temporaryPath: "\(path).\(getpid()).tmp")
        for task in tasks {
            try file.write(task.particulars?.inputForm ?? task.body)
            if let separator { try file.write([separator]) }
        }
        let reason = try source.copyRest(
            while: { signals?.waitForSignal(orReading: $0) == nil },
            to: { bytes throws(CommandError) in try file.write(bytes) })
        try file.commit()
        return reason
    }
}

extension SignalPipe {
    /// Waits until there is something to read from a descriptor, or until an instant; the signal, if one came instead.
    func waitForSignal(orReading input: Int32? = nil, until end: Instant = .never) -> Int32? {
        var pollSet = PollSet()
        if let input { pollSet.add(input, events: POLLIN) }
        pollSet.add(descriptor, events: POLLIN)
        pollSet.wait(until: end)
        return read().first
    }
}

extension SignalPipe? {
    /// Waits until an instant; the signal, if one came before.
    func pause(until end: Instant) -> Int32? {
        if let self { return self.waitForSignal(until: end) }
        usleep(UInt32(clamping: (end - .now).nanoseconds / 1_000))
        return nil
    }
}
