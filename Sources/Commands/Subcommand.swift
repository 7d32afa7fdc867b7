// What a subcommand is to the rest of workq.

import Options

/// A subcommand: a table, and what to do with the values read by it.
protocol Subcommand {
    /// What the command line asks for; a fresh value holds the defaults.
    associatedtype Values: SubcommandValues

    static var name: String { get }
    /// Other spellings, such as rabbitmqctl's.
    static var aliases: [String] { get }
    static var definition: CommandDefinition<Values> { get }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus
}

/// Values that can be made without an argument, and hold the options that all commands share.
protocol SubcommandValues {
    init()

    /// The same values, of a command that connects. A cast would look through all conformances that there are.
    var connecting: (any ConnectingValues)? { get }
}

extension SubcommandValues {
    var connecting: (any ConnectingValues)? { nil }
}

extension Subcommand {
    static var aliases: [String] { [] }

    static var description: CommandDescription { definition.description(defaults: Values()) }

    /// Reads the words of the command line, and runs the command or shows its help.
    static func execute(_ words: [Word], in context: CommandContext) throws(CommandError) -> ExitStatus {
        // Without it the command would go to another broker than the one that is meant.
        if let variable = ConnectionOptions.variables.first(where: context.environment.isUnreadable) {
            throw CommandError(.usage, "\(name): the environment variable \(variable) is not UTF-8; percent-encode it")
        }
        let request: CommandDefinition<Values>.Request
        do {
            request = try definition.parse(words, environment: { context.environment[$0] }, defaults: Values())
        } catch {
            throw CommandError(.usage, "\(name): \(error.message.withFullStop) Try 'workq \(name) --help'")
        }
        switch request {
        case .help(let length):
            try context.write(context.help.text(for: description, length))
            return .done
        case .run(let values):
            if let values = values.connecting, values.connection.isCheck {
                return try ConnectionCheck(of: name, values, in: context).run()
            }
            return try run(values, in: context)
        }
    }
}
