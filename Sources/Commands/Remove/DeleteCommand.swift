// workq delete: deletes queues.

import Broker
import Options

/// `workq delete`.
enum DeleteCommand: Subcommand {
    static let name = "delete"
    static let aliases = ["delete_queue"]

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var removal = RemovalOptions()
        var ifEmpty = false
        var ifUnused = false
        var mayBeMissing = false
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            aliases: aliases,
            summary: "delete queues with their tasks",
            synopses: ["delete [OPTION...] QUEUE...", "delete [OPTION...] --match REGEX [QUEUE...]"],
            introduction: [
                "Deletes each QUEUE with all its tasks and prints a line with its name, a tab, and how many ready "
                    + "tasks were on it. Tasks that workers hold unacknowledged go with the queue.",
                "On a terminal workq asks first and shows the counts; any answer but yes leaves everything as it is, "
                    + "with "
                    + "status 65. When some queues could be deleted and some not, each of the latter has a line on "
                    + "standard error, and the status is 3.",
            ],
            operands: [RemovalOptions.operand(\.removal.queues)],
            optionGroups: [
                ("Options", options + RemovalOptions.options.map { $0.within(\.removal) }),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: RemovalOptions.rules + [.row("--if-empty", excludes: "--backup")],
            examples: [
                Example("Delete a queue that nobody needs any more", "workq delete thumbnails --if-unused --if-empty"),
                Example("In a script that may run twice", "workq delete thumbnails --if-exists --yes"),
            ])
    }

    private static var options: [Option<Values>] {
        [
            .flag(
                "--if-empty", sets: \.ifEmpty, to: true, "delete nothing that holds tasks",
                details: "Tasks that workers hold count. RabbitMQ can only look and delete in one step where the queue "
                    + "is a classic one. On quorum queues workq looks right before it deletes, and says so; where such "
                    + "a queue has consumers, whose figures are up to 5 seconds old, it looks again after 6 seconds. A "
                    + "queue of which it can't be told, as without the management API, is not deleted."),
            .flag(
                "--if-unused", sets: \.ifUnused, to: true, "delete nothing that has consumers",
                details: "As with `--if-empty`."),
            .flag("--if-exists", sets: \.mayBeMissing, to: true, "don't mind a queue that doesn't exist"),
        ]
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        var plan = RemovalPlan(kind: .delete, options: values.removal, common: values.common)
        if values.ifEmpty { plan.conditions.insert(.empty) }
        if values.ifUnused { plan.conditions.insert(.unused) }
        plan.mayBeMissing = values.mayBeMissing
        return try RemovalRun(plan, values.connection, in: context).run()
    }
}
