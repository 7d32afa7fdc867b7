// All commands, and workq itself as data.

import Options

/// The list that everything about commands is read from.
package enum CommandTable {
    /// In the order of the help.
    static var commands: [any Subcommand.Type] {
        [
            PublishCommand.self, WorkCommand.self, ListQueuesCommand.self, PurgeCommand.self, DeleteCommand.self,
            BenchCommand.self, HelpCommand.self, GenerateCommand.self, CompleteCommand.self,
        ]
    }

    /// The names that people are told about.
    static var visibleNames: [String] {
        commands.map { $0.name }.filter { $0 != GenerateCommand.name && $0 != CompleteCommand.name }
    }

    /// The command that answers to `name`.
    static func command(named name: String) throws(CommandError) -> any Subcommand.Type {
        if let command = commands.first(where: { $0.name == name || $0.aliases.contains(name) }) { return command }
        let hint =
            Suggestion.hint(for: name, among: visibleNames)
            ?? "there are \(visibleNames.joined(separator: ", "))"
        throw CommandError(.usage, "unknown command \"\(name)\"; \(hint)")
    }

    /// Options that are understood without a command.
    static var globalOptions: [OptionDescription] {
        CommonOptions.options.map(\.description)
            + [.standalone("--version", summary: "show the versions of workq and librabbitmq")]
    }

    /// workq as plain data.
    package static var tool: ToolDescription {
        ToolDescription(
            name: "workq",
            version: Version.workq,
            summary: "work queues on RabbitMQ for the command line",
            introduction: [
                "Don't do the heavy task now and make someone wait: put it on a queue, and let workers do it. "
                    + "`workq publish` puts tasks on a durable queue and ends with status 0 only when the broker has "
                    + "confirmed them. `workq work` runs a command for each task, several at once, and acknowledges a "
                    + "task only after its command succeeded: when a worker dies, another one gets the task.",
                "Options may stand before or after the command, operands and options in any order. `--` ends the "
                    + "options. Durations are written `500ms`, `30s`, `5m` or `2h`; a bare number means seconds. "
                    + "Data goes to standard output, everything else to standard error.",
            ],
            commands: commands.map { $0.description },
            options: globalOptions,
            sections: Recipes.sections,
            exitStatuses: ExitStatus.descriptions,
            examples: Recipes.examples,
            topics: topics)
    }

    /// What `workq help` explains besides commands.
    static var topics: [HelpTopic] {
        [
            HelpTopic(
                name: "connection", summary: "where the broker is, and how to log in",
                introduction: [
                    "All commands find the broker in the same way: a URL or a section of a file on the command line, "
                        + "else `WORKQ_URL`, else `AMQP_URL`, else `CLOUDAMQP_URL`, else the section `default` of the "
                        + "configuration file that `WORKQ_CONFIG` names or of the usual one, else the broker on this "
                        + "machine.",
                    "Keep a password out of the command line, where other users see it: put the URL into the "
                        + "environment or into a configuration file that only you can read, or use `--password-file`.",
                ],
                group: OptionGroup(
                    title: ConnectionOptions.group, options: ConnectionOptions.options.map(\.description)))
        ]
    }
}
