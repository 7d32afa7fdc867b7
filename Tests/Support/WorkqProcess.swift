// Runs the real workq, as a user would, and keeps all that it says.

import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A workq that was started, with its output in files so that nothing ever waits for a reader.
package final class WorkqProcess {
    /// What a finished process left.
    package struct Result: CustomStringConvertible {
        package var arguments: [String]
        /// The exit status, or 128 + n for signal n.
        package var status: Int32
        package var output: [UInt8]
        package var errors: String
        /// Greatest resident memory, in KiB; 0 when the process was too short to look at.
        package var residentKiB: Int

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var lines: [String] { text.split(separator: "\n").map(String.init) }

        package var description: String {
            "workq \(arguments.joined(separator: " "))\nstatus \(status)\nstdout: \(text.prefix(2_000))\nstderr: \(errors.prefix(4_000))"
        }
    }

    package let pid: pid_t
    private let arguments: [String]
    private let folder: TemporaryFolder
    private var finished: Result?
    private var residentKiB = 0

    /// What the process reads on standard input.
    package enum Input {
        case nothing
        case bytes([UInt8])
        case file(String)

        package static func text(_ text: String) -> Input { .bytes(Array(text.utf8)) }
    }

    /// The executable that belongs to these tests: it is built into the same folder.
    package static let executable: String = {
        let tests = CommandLine.arguments[0]
        let candidates = [tests, Bundle.main.bundlePath].map { path in
            URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("workq").path
        }
        return ProcessInfo.processInfo.environment["WORKQ_EXECUTABLE"]
            ?? candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? ".build/debug/workq"
    }()

    /// Starts workq. `environment` is all that it gets besides PATH and HOME.
    package init(
        _ arguments: [String], input: Input = .nothing, environment: [String: String] = [:],
        executable: String = WorkqProcess.executable
    ) throws {
        self.arguments = arguments
        folder = try TemporaryFolder()
        let standardInput: String
        switch input {
        case .nothing: standardInput = "/dev/null"
        case .file(let path): standardInput = path
        case .bytes(let bytes):
            standardInput = folder.path("stdin")
            try Data(bytes).write(to: URL(fileURLWithPath: standardInput))
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let create = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, standardInput, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, folder.path("stdout"), create, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, folder.path("stderr"), create, 0o600)
        // Threads of tests block nearly all signals, which a program would inherit; from a shell it has none blocked.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var variables = environment
        variables["PATH"] = variables["PATH"] ?? ProcessInfo.processInfo.environment["PATH"]
        variables["HOME"] = variables["HOME"] ?? folder.path
        let words = CStrings([executable] + arguments)
        let entries = CStrings(variables.map { "\($0.key)=\($0.value)" })
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, executable, &actions, &attributes, words.pointers, entries.pointers)
        guard failure == 0 else { throw Failure("cannot start \(executable): \(String(cString: strerror(failure)))") }
        self.pid = pid
    }

    deinit {
        if finished == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// Runs workq to its end.
    package static func run(
        _ arguments: [String], input: Input = .nothing, environment: [String: String] = [:],
        timeout: Duration = .seconds(60)
    ) async throws -> Result {
        try await WorkqProcess(arguments, input: input, environment: environment).wait(timeout: timeout)
    }

    /// Waits for the end; a process that doesn't end in time is killed and reported.
    package func wait(timeout: Duration = .seconds(60)) async throws -> Result {
        let start = ContinuousClock.now
        while true {
            if let result = try ended(waited: ContinuousClock.now - start, of: timeout) { return result }
            try await Task.sleep(for: pollInterval(after: ContinuousClock.now - start))
        }
    }

    /// The same for callers that can't await.
    package func waitBlocking(timeout: Duration = .seconds(60)) throws -> Result {
        let start = ContinuousClock.now
        while true {
            if let result = try ended(waited: ContinuousClock.now - start, of: timeout) { return result }
            usleep(10_000)
        }
    }

    /// What it left, or nil while it runs and has time left.
    private func ended(waited: Duration, of timeout: Duration) throws -> Result? {
        if let finished { return finished }
        var status: Int32 = 0
        if waitpid(pid, &status, WNOHANG) == 0 {
            noteMemory()
            guard waited > timeout else { return nil }
            kill(pid, SIGKILL)
            waitpid(pid, &status, 0)
            finished = result(status)
            throw Failure("did not end within \(timeout)\n\(result(status))")
        }
        finished = result(status)
        return finished
    }

    package var isRunning: Bool { (try? ended(waited: .zero, of: .seconds(1))) == nil }

    package func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// What it has written so far.
    package var output: String { (try? String(contentsOfFile: folder.path("stdout"), encoding: .utf8)) ?? "" }
    package var errors: String { (try? String(contentsOfFile: folder.path("stderr"), encoding: .utf8)) ?? "" }

    /// The processes that it started and that are still there.
    package var children: [pid_t] {
        let list = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        let others = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        let all = others.compactMap { try? String(contentsOfFile: "/proc/\(pid)/task/\($0)/children", encoding: .utf8) }
        return (all.isEmpty ? [list ?? ""] : all).flatMap { $0.split(separator: " ").compactMap { pid_t($0) } }
    }

    /// The greatest resident memory so far. `ru_maxrss` would be that of the process that started this one.
    private func noteMemory() {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        residentKiB =
            line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
            ?? residentKiB
    }

    private func result(_ status: Int32) -> Result {
        let ended = status & 0x7F
        return Result(
            arguments: arguments, status: ended == 0 ? status >> 8 & 0xFF : 128 + ended,
            output: FileManager.default.contents(atPath: folder.path("stdout")).map(Array.init) ?? [],
            errors: errors, residentKiB: residentKiB)
    }
}

/// What stops a test that can't go on.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Strings for execve; they live as long as this value.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) {
        pointers = strings.map { strdup($0) } + [nil]
    }

    deinit {
        for pointer in pointers { free(pointer) }
    }
}
