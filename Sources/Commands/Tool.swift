// The way from the words of the command line to a command and an exit status.

import Options
import Posix
import Text

/// workq as a whole.
package enum Tool {
    /// Runs the command that this process was started for, and ends the process with its exit status.
    ///
    /// The thread that ran the command ends the process. Nothing is left to do then: what was written is written, and
    /// cleaning up libraries' memory takes longer than a task takes to be confirmed. It is the main thread where that
    /// one's stack may grow as far as `DetachedThread` says: a thread more takes a fifteenth of a short command's time.
    package static func main() -> Never {
        workq_fill_standard_descriptors()
        workq_protect_memory()
        let words = takeArguments()
        if workq_raise_stack_limit(DetachedThread.stackSize) { runAndLeave(words) }
        let isStarted = DetachedThread.start { runAndLeave(words) }
        guard isStarted else {
            CommandContext.current.say("cannot start a thread")
            leave(.temporaryFailure)
        }
        workq_sleep_for_ever()
    }

    private static func runAndLeave(_ words: [Word]) -> Never {
        workq_signal_unblock_all()
        leave(run(words, in: .current))
    }

    private static func leave(_ status: ExitStatus) -> Never {
        // A signal's status is for the parent to see, so the signal is raised once more.
        if status.rawValue > 128 { workq_signal_raise_default(status.rawValue - 128) }
        _exit(status.rawValue)
    }

    /// The words after the program's name, in bytes. Passwords in URLs are then blanked in the process's memory, from
    /// where other users can read a command line.
    private static func takeArguments() -> [Word] {
        var words: [Word] = []
        var count: Int32 = 0
        let arguments = workq_arguments(&count)
        for index in 1..<max(1, Int(count)) {
            guard let argument = arguments?[index] else { break }
            var word: Word = []
            while argument[word.count] != 0 { word.append(UInt8(bitPattern: argument[word.count])) }
            if let password = passwordRange(in: word) {
                for offset in password { argument[offset] = CChar(UInt8(ascii: "*")) }
            }
            words.append(word)
        }
        return words
    }

    /// Where a word that is, or ends in, a URL of a broker or of its management API holds a password.
    static func passwordRange(in word: Word) -> Range<Int>? {
        // Nearly all words are no such URL, and the search below costs time at every start.
        guard word.contains(UInt8(ascii: "@")) else { return nil }
        return passwordRange(in: word, scheme: "amqp") ?? passwordRange(in: word, scheme: "http")
    }

    private static func passwordRange(in word: Word, scheme: String) -> Range<Int>? {
        // Schemes are read without regard to case.
        let lowercased = word.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
        guard let scheme = lowercased.range(of: scheme.utf8),
            let authority = word[scheme.upperBound...].range(of: "://".utf8)?.upperBound
        else { return nil }
        let end = word[authority...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? word.count
        guard let at = word[authority..<end].lastIndex(of: UInt8(ascii: "@")),
            let colon = word[authority..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return colon + 1..<at
    }

    /// A message with the passwords of its URLs blanked.
    static func hidingPasswords(in message: String) -> String {
        guard message.utf8.contains(UInt8(ascii: "@")) else { return message }
        let words = message.split(separator: " ", omittingEmptySubsequences: false).map { word in
            var bytes = Array(word.utf8)
            guard let password = passwordRange(in: bytes) else { return String(word) }
            bytes.replaceSubrange(password, with: "****".utf8)
            return String(decoding: bytes, as: UTF8.self)
        }
        return words.joined(separator: " ")
    }

    /// Runs the command that `words` ask for; what fails is said on standard error.
    static func run(_ words: [Word], in context: CommandContext) -> ExitStatus {
        do {
            return try dispatch(words, in: context)
        } catch {
            if !error.message.isEmpty { context.say(error.message) }
            if !error.details.isEmpty { context.tell("\n" + error.details) }
            return error.status
        }
    }

    private static func dispatch(_ words: [Word], in context: CommandContext) throws(CommandError) -> ExitStatus {
        // Mostly the command stands first, and making the table below would take longer than all other parsing.
        if let word = words.first, word.first != UInt8(ascii: "-"), let name = String(validating: word, as: UTF8.self) {
            return try CommandTable.command(named: name).execute(Array(words.dropFirst()), in: context)
        }
        // Options may stand before the command. Only those that all commands share can, so only they are known here.
        let lexer = Lexer(descriptions: globalOptions)
        var rest = words[...]
        var tokens: [Token] = []
        while !rest.isEmpty {
            let before = words[..<rest.startIndex]
            do throws(UsageError) {
                try lexer.appendNext(from: &rest, to: &tokens)
            } catch {
                throw CommandError(.usage, "\(error.message.withFullStop) Try 'workq --help'")
            }
            switch tokens.last {
            case .option("--version", _):
                try context.write(Version.text)
                return .done
            case .option("-h", _), .option("--help", _):
                return try help(tokens.last == .option(spelling: "-h", value: nil) ? .short : .long, rest, in: context)
            case .operand(let name):
                return try CommandTable.command(named: name).execute(Array(before) + Array(rest), in: context)
            case .option, .rest, nil:
                continue
            }
        }
        // Standard output stays empty: a script that forgot the command must not take this for data.
        throw CommandError(.usage, "no command is given", details: context.help.overview)
    }

    /// Help that is asked for before a command is named, which may still be.
    private static func help(
        _ length: HelpLength, _ rest: ArraySlice<Word>, in context: CommandContext
    ) throws(CommandError) -> ExitStatus {
        let name = rest.first { $0.first != UInt8(ascii: "-") }.flatMap { String(validating: $0, as: UTF8.self) }
        if let name {
            try context.write(try HelpCommand.text(about: name, length, in: context))
        } else {
            try context.write(context.help.toolText)
        }
        return .done
    }

    private static var globalOptions: [OptionDescription] {
        CommandTable.globalOptions + ConnectionOptions.options.map(\.description)
    }
}
