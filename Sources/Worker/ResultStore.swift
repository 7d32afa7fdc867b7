// Keeps what commands write, and how they ended, in files of their own.

import Posix

/// A folder with a folder for each command: `stdout`, `stderr`, and `end.json` once it has ended.
///
/// Nothing in a name comes from a task: whoever may publish must not choose where files are made. A file is written as
/// its output comes, and not forced to the disk.
package final class ResultStore: Equatable {
    private struct Files {
        var folder: String
        var output: OutputFile
        var errors: OutputFile
    }

    private let directory: String
    /// The name of the folder of a command, which there must not be yet.
    private let name: (WorkerState.JobID) -> String
    /// What `end.json` says.
    private let record: (WorkerState.Report) -> [UInt8]
    private var open: [WorkerState.JobID: Files] = [:]

    /// Makes the folder unless it is there.
    package init(
        _ directory: String, name: @escaping (WorkerState.JobID) -> String,
        record: @escaping (WorkerState.Report) -> [UInt8]
    ) throws(FileError) {
        self.directory = directory
        self.name = name
        self.record = record
        // A file that grows beyond the process's limit is an error to tell, not the end.
        workq_signal_ignore(SIGXFSZ)
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { throw FileError(.create, directory, .last) }
        guard access(directory, W_OK | X_OK) == 0 else { throw FileError(.write, directory, .last) }
    }

    package static func == (one: ResultStore, other: ResultStore) -> Bool { one === other }

    /// Makes the files that a command is to write to.
    func begin(_ job: WorkerState.JobID) throws(SystemError) -> (output: OutputFile, errors: OutputFile) {
        let folder = "\(directory)/\(name(job))"
        guard mkdir(folder, 0o700) == 0 else { throw .last }
        let files = Files(
            folder: folder, output: try OutputFile("\(folder)/stdout"), errors: try OutputFile("\(folder)/stderr"))
        open[job] = files
        return (files.output, files.errors)
    }

    /// The command was never started.
    func discard(_ job: WorkerState.JobID) {
        guard let files = open.removeValue(forKey: job) else { return }
        for name in ["stdout", "stderr"] { unlink("\(files.folder)/\(name)") }
        rmdir(files.folder)
    }

    /// Writes down how the command ended; throws where that, or something of what it wrote, isn't in its file.
    func finish(_ job: WorkerState.JobID, _ report: WorkerState.Report?) throws(SystemError) {
        guard let files = open.removeValue(forKey: job), let report else { return }
        if let number = files.output.failure ?? files.errors.failure { throw SystemError(number) }
        // Whoever finds the file finds it whole.
        let temporary = "\(files.folder)/.end.json"
        let file = try Descriptor(opening: temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try Transfer.write(record(report), to: file.number)
        guard rename(temporary, "\(files.folder)/end.json") == 0 else { throw .last }
    }
}

/// A file that a command's output goes to. What a process writes that the command left behind goes there too.
final class OutputFile: Equatable {
    private let descriptor: Descriptor
    /// Why something is missing: the system's error number.
    private(set) var failure: Int32?

    /// Only its owner may read it: output may hold anything.
    init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    }

    func write(_ bytes: [UInt8]) {
        guard failure == nil else { return }
        do throws(SystemError) {
            try Transfer.write(bytes, to: descriptor.number)
        } catch {
            failure = error.number
        }
    }

    static func == (one: OutputFile, other: OutputFile) -> Bool { one === other }
}
