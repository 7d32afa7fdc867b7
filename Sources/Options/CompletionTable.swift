// What the three completion scripts have in common: which options and words to offer at which place.

/// A tool's table as a completion script sees it.
struct CompletionTable {
    let tool: ToolDescription
    /// The commands to offer, `help` among them, which every tool has.
    let commands: [CommandDescription]
    /// The options to offer where no command has been typed yet: the tool's own, and those that all commands have.
    let offeredFirst: [OptionDescription]
    /// The options to understand there: any command's options may stand before the command.
    let understoodFirst: [OptionDescription]

    init(_ tool: ToolDescription) {
        self.tool = tool
        let visible = tool.commands.filter { !$0.isHidden }
        commands = visible.contains { $0.name == "help" } ? visible : visible + [.help(among: visible)]
        let working = visible.filter { $0.name != "help" }
        let shared = working.first.map { first in
            first.options.filter { option in working.allSatisfy { $0.options.contains(option) } }
        }
        offeredFirst = (tool.options + (shared ?? [])).withoutDuplicates
        understoodFirst = (offeredFirst + visible.flatMap(\.options)).withoutDuplicates
    }

    /// The tool's name as a part of a function's name.
    var identifier: String { String(tool.name.map { $0.isLetter || $0.isNumber ? $0 : "_" }) }

    /// What the operand of `command` at `index` is completed with.
    func completion(of operand: OperandDescription, in command: CommandDescription) -> Completion {
        command.name == "help" ? .choices(helpEntries.map(\.name)) : operand.completion
    }

    /// What `help` explains: the commands and the topics, with their summaries.
    var helpEntries: [(name: String, summary: String)] {
        commands.map { ($0.name, $0.summary) } + tool.topics.map { ($0.name, $0.summary) }
    }

    /// All spellings of options with a value, in any command.
    var spellingsWithValue: [String] {
        understoodFirst.filter { $0.placeholder != nil }.flatMap(\.spellings)
    }
}

extension CommandDescription {
    /// The command that explains others, for tools whose table doesn't list it.
    fileprivate static func help(among commands: [CommandDescription]) -> CommandDescription {
        let operand = OperandDescription(
            placeholder: "COMMAND", completion: .none, isOptional: true, summary: "the command to explain")
        return CommandDescription(
            name: "help", aliases: [], summary: "explain a command", synopses: [], introduction: [],
            operands: [operand], rest: nil, optionGroups: [], sections: [], examples: [], isHidden: false)
    }

    /// All names, the canonical one first.
    var names: [String] { [name] + aliases }
}

extension [OptionDescription] {
    /// The options without the spellings that an option before them has.
    fileprivate var withoutDuplicates: [OptionDescription] {
        var known: Set<String> = []
        return compactMap { option in
            var option = option
            option.spellings.removeAll { !known.insert($0).inserted }
            return option.spellings.isEmpty ? nil : option
        }
    }
}

extension String {
    /// Whether no shell sees more than plain characters in the text.
    var isPlainWord: Bool {
        !isEmpty
            && unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                    || "-_./+,".unicodeScalars.contains(scalar)
            }
    }

    /// The text as one word of a POSIX shell, in single quotes unless it is plain.
    var shellQuoted: String {
        isPlainWord ? self : "'" + replacing("'", with: "'\\''") + "'"
    }
}
