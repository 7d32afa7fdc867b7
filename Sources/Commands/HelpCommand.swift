// workq help: shows the help of workq or of a command.

import Options

/// `workq help`.
enum HelpCommand: Subcommand {
    static let name = "help"

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var command: String?
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "show help for workq or a command",
            synopses: ["help [COMMAND]"],
            operands: [.optional(.command, into: \.command, "the command to explain")],
            optionGroups: [("General options", CommonOptions.options.map { $0.within(\.common) })])
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        let tool = CommandTable.tool
        guard let name = values.command else {
            try context.write(HelpText(of: tool).text())
            return .done
        }
        let command = try CommandTable.command(named: name)
        try context.write(HelpText(of: tool).text(for: command.description))
        return .done
    }
}

extension ValueFormat where Value == String {
    /// A command's name.
    fileprivate static var command: Self {
        Self("COMMAND", expectation: "a command's name", completion: .choices(CommandTable.visibleNames)) { $0 }
    }
}
