// workq complete: what shells offer that only the broker or a file knows. Hidden: completions call it, not people.

import Options
import Posix

/// `workq complete queues|sections -- WORD...`: names, a line each; nothing at all when there is no telling.
///
/// Whoever presses TAB waits, so the broker gets a second, and an answer serves for ten. Words are those of the command
/// line that is being typed: the connection options among them count.
enum CompleteCommand: Subcommand {
    static let name = "complete"

    /// What there is to complete.
    enum Kind: String, CaseIterable {
        case queues, sections
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var kind = Kind.queues
        var words: [Word] = []
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "print the names that a word can be completed with",
            synopses: ["complete WHAT [-- WORD...]"],
            operands: [.required(.choice("WHAT"), into: \.kind, "queues or sections")],
            rest: RestOperand("WORD", into: \.words, "the words of the command line so far"),
            optionGroups: [("General options", CommonOptions.options.map { $0.within(\.common) })],
            isHidden: true)
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        let words = connectionWords(values.words)
        // A completion that asks for a password would be a trap.
        guard !words.contains(Array("--password-file=-".utf8)), context.environment["WORKQ_PASSWORD_FILE"] != "-"
        else { return .done }
        switch values.kind {
        case .queues: try? context.write(queues(words, in: context))
        case .sections: try? context.write(sections(words, in: context))
        }
        return .done
    }

    /// The connection options among `words`, each as one word. What can't be read ends the search: it is being typed.
    private static func connectionWords(_ words: [Word]) -> [Word] {
        let lexer = Lexer(
            descriptions: CommandTable.commands.filter { $0.name != name }.flatMap { $0.description.options })
        let known = Set(ConnectionOptions.options.flatMap { $0.description.spellings })
        var rest = words[...]
        var tokens: [Token] = []
        while !rest.isEmpty, (try? lexer.appendNext(from: &rest, to: &tokens)) != nil {}
        return tokens.compactMap { token in
            guard case .option(let spelling, let value) = token, known.contains(spelling) else { return nil }
            let long =
                ConnectionOptions.options.map(\.description)
                .first { $0.spellings.contains(spelling) }?.spellings.last ?? spelling
            return Array((value.map { "\(long)=\($0)" } ?? long).utf8)
        }
    }

    // MARK: - Queues

    private static let shelfLife = 10
    private static let patience: UInt32 = 1

    private static func queues(_ words: [Word], in context: CommandContext) -> [UInt8] {
        guard let path = cachePath(for: words, in: context) else { return [] }
        if let kept = keptAnswer(path) { return kept }
        // One name for all: a process that the alarm ends leaves a file behind, but never two.
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return [] }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        var quiet = context
        quiet.standardOutput = descriptor
        quiet.standardError = open("/dev/null", O_WRONLY | O_CLOEXEC)
        // Looking up a name, too, ends with the second, and without a word: shells tell of signals.
        signal(SIGALRM) { _ in _exit(0) }
        alarm(patience)
        let list = ["--quiet", "--silent", "--format=tsv", "--timeout=\(patience)s", "name"].map { Array($0.utf8) }
        let status = try? ListQueuesCommand.execute(words + list, in: quiet)
        alarm(0)
        guard status == .done, let names = content(of: descriptor) else { return [] }
        rename(temporary, path)
        return names
    }

    /// Where the answer for these options and this environment is kept; nil where there is no place.
    private static func cachePath(for words: [Word], in context: CommandContext) -> String? {
        let home = context.environment["HOME"].map { "\($0)/.cache" }
        guard let base = context.environment["XDG_CACHE_HOME"].flatMap({ $0.hasPrefix("/") ? $0 : nil }) ?? home else {
            return nil
        }
        mkdir(base, 0o700)
        let folder = "\(base)/workq"
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { return nil }
        // FNV-1a: the answer belongs to all that decides who is asked, and the name must not show it.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let variables = ConnectionOptions.variables + ["HOME", "XDG_CONFIG_HOME"]
        for word in words + variables.map({ Array((context.environment[$0] ?? "").utf8) }) {
            for byte in word + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return "\(folder)/queues-\(String(hash, radix: 16))"
    }

    private static func keptAnswer(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == geteuid() else { return nil }
        let age = time(nil) - status.modificationTime
        return (0..<shelfLife).contains(age) ? content(of: descriptor) : nil
    }

    private static func content(of descriptor: Int32) -> [UInt8]? {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { return nil }
        return try? Transfer.read(from: descriptor, limit: 1 << 22)
    }

    // MARK: - Sections

    private static func sections(_ words: [Word], in context: CommandContext) -> [UInt8] {
        let prefix = Array("--config=".utf8)
        let named = words.last { $0.starts(with: prefix) }.map {
            String(decoding: $0.dropFirst(prefix.count), as: UTF8.self)
        }
        let environments = context.environment["WORKQ_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let file = (named ?? environments).map { try? ConfigFile($0) } ?? (try? ConfigFile.usual(in: context))
        let names = file?.sectionNames ?? []
        return Array(names.map { $0.escapedForDisplay + "\n" }.joined().utf8)
    }
}

extension stat {
    /// Seconds since 1970.
    fileprivate var modificationTime: Int {
        #if canImport(Darwin)
            st_mtimespec.tv_sec
        #else
            st_mtim.tv_sec
        #endif
    }
}
