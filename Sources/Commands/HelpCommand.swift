// workq help: shows the help of workq or of a command.

import Options
import Posix

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
            synopses: ["help [COMMAND]", "help connection"],
            operands: [.optional(.command, into: \.command, "the command to explain, or connection")],
            optionGroups: [("General options", CommonOptions.options.map { $0.within(\.common) })])
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        if let name = values.command {
            try context.write(try text(about: name, .long, in: context))
        } else {
            try context.write(context.help.toolText)
        }
        return .done
    }

    /// The help for the command or the topic called `name`.
    static func text(
        about name: String, _ length: HelpLength, in context: CommandContext
    ) throws(CommandError) -> String {
        if let topic = CommandTable.topics.first(where: { $0.name == name }) { return context.help.text(for: topic) }
        return context.help.text(for: try CommandTable.command(named: name).description, length)
    }
}

extension CommandContext {
    /// Help as wide as the terminal: COLUMNS, else what the terminal says, else 80 characters.
    var help: HelpText {
        var width = environment["COLUMNS"].flatMap { Int($0) } ?? 80
        var window = winsize()
        if environment["COLUMNS"] == nil, ioctl(standardOutput, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 {
            width = Int(window.ws_col)
        }
        return HelpText(of: CommandTable.tool, width: width)
    }
}

extension ValueFormat where Value == String {
    /// A command's name.
    fileprivate static var command: Self {
        Self(
            "COMMAND", expectation: "a command's name",
            completion: .choices(CommandTable.visibleNames + CommandTable.topics.map(\.name))
        ) { $0 }
    }
}
