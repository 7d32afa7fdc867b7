// What a command sees of the world around it.

import Options
import Posix

/// Everything that a command takes from its surroundings, in one value, so that nothing reaches for globals.
package struct CommandContext {
    package var environment: Environment
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
        let host = systemHostName
        var context = CommandContext(environment: .own, processName: "\(getpid())@\(host)")
        context.hostName = host
        return context
    }

    package init(environment: Environment = Environment(), processName: String) {
        self.environment = environment
        self.processName = processName
        hostName = "localhost"
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
