// workq list-queues: what is waiting, and where.

import Management
import Options

/// `workq list-queues`.
enum ListQueuesCommand: Subcommand {
    static let name = "list-queues"
    static let aliases = ["list_queues"]

    struct Values: SubcommandValues {
        /// Empty for the usual ones.
        var columns: [QueueColumn] = []
        var format: OutputFormat?
        var hasHeader = true
        var selection = QueueSelection()
        var timeout = Duration.seconds(60)
        var isWatching = false
        var interval = Duration.seconds(2)
        var wait: QueueCondition?
        var deadline: Duration?
        var warning: QueueCondition?
        var critical: QueueCondition?
        var showsWorkers = false
        var connection = ConnectionOptions()
        var common = CommonOptions()
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            aliases: aliases,
            summary: "list queues with the tasks that wait in them",
            synopses: [
                "list-queues [OPTION...] [COLUMN...]",
                "list-queues --workers [OPTION...]",
                "list-queues --watch [OPTION...]",
                "list-queues --wait EXPRESSION [--deadline DURATION] [OPTION...]",
                "list-queues --warn EXPRESSION --crit EXPRESSION [OPTION...]",
            ],
            introduction: [
                "Lists the queues of the virtual host, a row each, sorted by name. The columns are `name`, "
                    + "`messages_ready` and `messages_unacknowledged` unless others are given. On a terminal the rows "
                    + "are aligned; otherwise columns are separated by tabs under a header, as rabbitmqctl does it. "
                    + "A figure that the broker hasn't reported is `-`, or null in JSON: unknown is never 0.",
                "The numbers of messages are cheap to ask for. They are live for classic queues, and up to 5 seconds "
                    + "old for quorum queues. Any column that isn't marked as cheap makes the broker put its "
                    + "statistics together, which are up to 5 seconds old too and empty for a queue that was just "
                    + "made.",
                "`age` is known where the broker knows it: of classic queues whose tasks carry a timestamp, as those "
                    + "of `workq publish` do.",
                "Queues are listed through RabbitMQ's management API, for which libcurl is needed. Where the "
                    + "management "
                    + "plugin is off or libcurl isn't installed, queues named by `--queue` are asked for over AMQP, "
                    + "which tells `messages_ready` and `consumers` only.",
            ],
            operands: [.repeated(.column, appendingTo: \.columns, "what to show of each queue")],
            optionGroups: [
                ("Choosing queues", QueueSelection.options.map { $0.within(\.selection) }),
                ("Output options", outputOptions),
                ("Watching and checking", watchingOptions),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: [
                .row("--watch", excludes: "--wait", "--warn", "--crit", "--workers", "COLUMN"),
                .row("--wait", excludes: "--warn", "--crit", "--workers", "COLUMN"),
                .row("--warn", "--crit", "--workers", excludes: "COLUMN"),
                .row("--workers", excludes: "--warn", "--crit"),
                .row("--deadline", needs: "--wait"),
                .row("--with-retries", needs: "--queue"),
            ],
            sections: [columnSection, expressionSection],
            examples: [
                Example("What is waiting", "workq list-queues"),
                Example(
                    "The ten longest queues of all virtual hosts",
                    "workq list-queues --all-vhosts --sort messages --reverse --limit 10"),
                Example(
                    "Wait until all work is done",
                    "workq list-queues --queue thumbnails --with-retries --wait 'messages == 0'"),
                Example("Who works on it", "workq list-queues --workers --queue thumbnails"),
                Example(
                    "A check for monitoring",
                    "workq list-queues --match '^mail' --warn 'messages_ready > 100' --crit 'messages_ready > 1000'"),
            ])
    }

    private static var outputOptions: [Option<Values>] {
        [
            .value(
                "--format", "--formatter", of: .choice("FORMAT"), into: \.format,
                default: "table on a terminal, otherwise tsv", "how to write the rows",
                details: "`prometheus` is the text format of Prometheus and of node_exporter's textfile collector: a "
                    + "gauge `workq_queue_COLUMN` for each column of numbers, with the labels `vhost` and `queue`. "
                    + "What isn't known has no sample."),
            .flag("--json", sets: \.format, to: .json, "the same as --format json"),
            .flag(
                "--workers", sets: \.showsWorkers, to: true, "show who consumes from the queues, a row each",
                details: "The columns are the queue, the consumer's tag, how many tasks it may hold unacknowledged, "
                    + "whether it is the active one, its host and port, what its connection is called, the user, and "
                    + "since when it is connected, in UTC. Workers of workq are called `workq work PID@HOST`. What "
                    + "connections are called and since when they are open is told to users with the tag monitoring, "
                    + "and of their own connections to others. The management API is needed."),
            .flag("-s", "--silent", "--no-table-headers", sets: \.hasHeader, to: false, "write no header"),
        ]
    }

    private static var watchingOptions: [Option<Values>] {
        [
            .flag(
                "--watch", sets: \.isWatching, to: true, "show a live screen with rates; q leaves",
                details: "Shows tasks ready and unacknowledged, the rates at which tasks come in and go out, and when "
                    + "the queue will be empty if it goes on like this, the busiest queue first. The foot line has "
                    + "keys "
                    + "to sort, scroll, filter and hide empty queues; the first line says how old the figures are. "
                    + "Rates, and counts of quorum queues, are up to 5 seconds older. When standard output is no "
                    + "terminal, each sample is written as one line of JSON."),
            .value(
                "--interval", of: .duration(.milliseconds(100) ... .seconds(86_400)), into: \.interval,
                "how often to look again, with --watch and --wait"),
            .value(
                "--wait", of: .condition, into: \.wait,
                "wait until the expression holds of every queue chosen",
                details:
                    "A queue that is named and doesn't exist, or no queue at all, means to wait too, and so does a "
                    + "broker "
                    + "that goes away meanwhile. Where figures may be 5 seconds old, as those of quorum queues are, it "
                    + "must hold for 6 seconds."),
            .value(
                "--deadline", of: .duration(.milliseconds(1) ... .seconds(31_536_000)), into: \.deadline,
                "how long to wait, then end with status 75"),
            .value(
                "--warn", of: .condition, into: \.warning,
                "end with status 1 when the expression holds of a queue",
                details: "Instead of the list, one line is written as monitoring plugins do, with performance data. "
                    + "The status is 0, 1 for a warning, 2 when critical, and 3 when that can't be told; the worst of "
                    + "all "
                    + "queues counts."),
            .value(
                "--crit", of: .condition, into: \.critical,
                "end with status 2 when the expression holds of a queue"),
            .value(
                "-t", "--timeout", of: .duration(.milliseconds(1) ... .seconds(86_400)), into: \.timeout,
                default: "60s", "how long the management API may take for an answer"),
        ]
    }

    private static var columnSection: ManualSection {
        ManualSection(
            title: "Columns",
            paragraphs: ["Those marked as cheap are in the cheap query; all others are statistics."],
            terms: QueueColumn.all.map { column in
                (column.name, column.meaning + (column.isCheap ? " (cheap)" : ""))
            })
    }

    private static var expressionSection: ManualSection {
        ManualSection(
            title: "Expressions",
            paragraphs: [
                "`--wait`, `--warn`, `--crit` and `--where` take comparisons of columns with numbers by `==` or `=`, "
                    + "`!=`, "
                    + "`<`, `<=`, `>` and `>=`, and with texts by `==`, `!=`, `=~` and `!~`, joined by `and`, `or`, "
                    + "`not` and parentheses: `messages_ready > 100 and consumers == 0`. Columns that say yes or no "
                    + "are compared with `true` and `false`, bytes with sizes such as `64k`, and `age` with durations: "
                    + "`age > 10m`. What depends on a value that the broker hasn't reported neither holds nor fails.",
                "A text stands in double or single quotes, in which the same quote is doubled: "
                    + "`state != \"running\"`. Behind `=~` and `!~` it is a POSIX extended regular expression, which "
                    + "may match anywhere, without back references: `name =~ \"^mail\\.[0-9]+$\"`.",
            ])
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        switch try ListQueuesPlan(values).deed {
        case .check(let check): return try check.run(values, in: context)
        case .workers: return try WorkerListing(values, in: context).run()
        case .wait(let expression):
            return try QueueWait(expression, values, context).run(try QueueInquiry(values, in: context))
        case .watch: return try QueueWatch(values, try QueueInquiry(values, in: context), in: context).run()
        case .list(let columns): return try list(columns, values, try QueueInquiry(values, in: context), in: context)
        }
    }

    private static func list(
        _ columns: [QueueColumn], _ values: Values, _ inquiry: QueueInquiry, in context: CommandContext
    ) throws(CommandError) -> ExitStatus {
        let list = try inquiry.list(columns: columns)
        if !values.common.isQuiet, context.isTerminal(context.standardError), !columns.allSatisfy(\.isCheap) {
            context.say("some columns come from statistics that are up to 5 seconds old")
        }
        if values.common.isVerbose {
            let source = list.isFromAMQP ? "AMQP" : inquiry.address
            context.say("\(count(list.records.count, "queue")) in \(inquiry.vhostText), from \(source)")
        }
        var rows = OutputRows(columns: columns, rows: list.rows(columns))
        if values.format == .prometheus {
            rows.labels = list.records.map { [(name: "vhost", value: $0.vhost), (name: "queue", value: $0.name)] }
        }
        try write(rows, values, in: context)
        inquiry.tellUndecided(list)
        guard list.missing.isEmpty else {
            throw CommandError(.refused, QueueSelection.missingText(list.missing, vhost: inquiry.vhostText))
        }
        return .done
    }

    /// Writes rows as the options ask for them.
    static func write(_ rows: OutputRows, _ values: Values, in context: CommandContext) throws(CommandError) {
        let output = context.standardOutput
        let terminal =
            context.isTerminal(output)
            ? OutputTable.Terminal(
                width: TerminalScreen.size(of: output).width, style: TerminalStyle(context, descriptor: output)) : nil
        let format = values.format ?? .usual(isTerminal: terminal != nil)
        try context.write(rows.text(format, hasHeader: values.hasHeader, on: terminal))
    }
}

extension ValueFormat where Value == QueueColumn {
    /// A column's name.
    static var column: Self {
        let names = QueueColumn.all.map(\.name)
        var format = Self(
            "COLUMN", expectation: "a column, as man workq-list-queues lists them", completion: .choices(names)
        ) { QueueColumn.named($0) }
        format.complaint = { "there is no column \"\($0.escapedForDisplay)\"; \(hint($0, names).escapedForDisplay)" }
        return format
    }

    /// What was meant by a word that is no column.
    private static func hint(_ word: String, _ names: [String]) -> String {
        let parts = word.split(separator: ",").map(String.init)
        if parts.count > 1, parts.allSatisfy(names.contains) {
            return "columns are words of their own: \(parts.joined(separator: " "))"
        }
        if Duration(shortText: word) != nil { return "--watch --interval \(word) looks that often" }
        // Most who type another word mean a queue.
        return Suggestion.column(for: word, among: names).map { "did you mean \($0)?" }
            ?? "--queue \(word) chooses a queue, and man workq-list-queues lists the columns"
    }
}
