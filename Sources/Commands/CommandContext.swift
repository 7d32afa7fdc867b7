// What a command sees of the world around it.

import Options
import Posix

/// Everything that a command takes from its surroundings, in one value, so that nothing reaches for globals.
package struct CommandContext {
    /// The environment as the options read it. Variables that aren't UTF-8 are left out, and named in `unreadable`.
    package var environment: [String: String]
    package var unreadable: Set<String> = []
    /// All of the environment, `NAME=value` in bytes, for the commands that `work` runs.
    package var rawEnvironment: [[UInt8]]
    /// This machine's name.
    package var hostName: String
    /// Names this process to operators: `pid@host`.
    package var processName: String
    package var standardInput: Int32 = STDIN_FILENO
    package var standardOutput: Int32 = STDOUT_FILENO
    package var standardError: Int32 = STDERR_FILENO
    /// Seconds since 1970, for timestamps; timeouts go by `Instant`.
    package var wallClock: () -> UInt64 = { UInt64(max(0, time(nil))) }
    package var isTerminal: (Int32) -> Bool = { isatty($0) == 1 }
    /// A message as a line of standard error: for people, the program's name before it and control characters escaped.
    package var messageLine: (String) -> String = { "workq: \($0.escapedForDisplay)\n" }

    /// The context of this process.
    package static var current: CommandContext {
        var raw: [[UInt8]] = []
        var entry = workq_environment()
        while let text = entry.pointee {
            raw.append(Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
            entry += 1
        }
        let host = systemHostName
        var context = CommandContext(rawEnvironment: raw, processName: "\(getpid())@\(host)")
        context.hostName = host
        return context
    }

    package init(rawEnvironment: [[UInt8]], processName: String) {
        self.rawEnvironment = rawEnvironment
        self.processName = processName
        hostName = "localhost"
        environment = Dictionary(minimumCapacity: rawEnvironment.count)
        for entry in rawEnvironment {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            if let text = String(validating: entry[(equals + 1)...], as: UTF8.self) {
                environment[name] = text
            } else {
                unreadable.insert(name)
            }
        }
    }

    /// Where files go that nobody keeps.
    var temporaryDirectory: String {
        environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    }

    private static var systemHostName: String {
        var buffer: [CChar] = Array(repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Writes text to standard output, all of it.
    package func write(_ text: String) throws(CommandError) {
        try write(Array(text.utf8))
    }

    /// Writes data to standard output, all of it. A reader that has gone away, as `head` does, is no failure to speak
    /// of: the error's status is SIGPIPE's and its message empty.
    package func write(_ bytes: [UInt8]) throws(CommandError) {
        do throws(SystemError) {
            try Transfer.write(bytes, to: standardOutput)
        } catch {
            if error.number == EPIPE { throw CommandError(.signal(SIGPIPE), "") }
            throw CommandError(.inputOutputError, "cannot write to standard output: \(error.text)")
        }
    }

    /// Writes a message to standard error. It may quote what the user has typed, a URL in the wrong place too.
    package func say(_ message: String) {
        tell(messageLine(Tool.hidingPasswords(in: message)))
    }

    /// Writes a line, which brings its own newline, to standard error.
    package func tell(_ line: String) {
        // Where nobody can read, nobody can be told either.
        try? Transfer.write(line, to: standardError)
    }
}
