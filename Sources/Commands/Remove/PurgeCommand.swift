// workq purge: removes all tasks that wait on queues.

import Options

/// `workq purge`.
enum PurgeCommand: Subcommand {
    static let name = "purge"
    static let aliases = ["purge_queue"]

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var removal = RemovalOptions()
        var expected: Int?
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            aliases: aliases,
            summary: "remove all waiting tasks from queues",
            synopses: ["purge [OPTION...] QUEUE...", "purge [OPTION...] --match REGEX [QUEUE...]"],
            introduction: [
                "Removes all ready tasks from each QUEUE and prints a line with its name, a tab, and how many there "
                    + "were. Tasks that workers hold unacknowledged stay, and so does the queue.",
                "On a terminal workq asks first and shows the counts; any answer but yes leaves everything as it is, "
                    + "with "
                    + "status 65. When some queues could be purged and some not, each of the latter has a line on "
                    + "standard error, and the status is 3.",
            ],
            operands: [RemovalOptions.operand(\.removal.queues)],
            optionGroups: [
                ("Options", [expectOption] + RemovalOptions.options.map { $0.within(\.removal) }),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: RemovalOptions.rules,
            examples: [
                Example("Remove all tasks", "workq purge thumbnails"),
                Example("Keep them in a file", "workq purge thumbnails --backup thumbnails.ndjson"),
                Example("And put them back", "workq publish --ndjson thumbnails < thumbnails.ndjson"),
                Example("Only if nothing has come since somebody looked", "workq purge thumbnails --expect 1204"),
            ])
    }

    private static var expectOption: Option<Values> {
        .value(
            "--expect", of: .count("N", 0...Int.max), into: \.expected,
            "purge nothing unless N tasks are ready, on all queues together")
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        var plan = RemovalPlan(kind: .purge, options: values.removal, common: values.common)
        plan.expected = values.expected
        return try RemovalRun(plan, values.connection, in: context).run()
    }
}
