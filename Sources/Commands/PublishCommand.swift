// workq publish: puts tasks on a queue.

import Broker
import Options
import Worker

/// `workq publish`.
enum PublishCommand: Subcommand {
    static let name = "publish"

    /// How tasks are given.
    enum Input {
        /// The operand, or all of standard input.
        case one
        case lines
        case nullSeparated
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var queue = ""
        var task: String?
        var input = Input.one
        var skipsEmpty = false
        var createsQueue = true
        var queueType = QueueType.classic
        var isPersistent = true
        var confirms = true
        var window = 1_000
        var confirmTimeout = Duration.seconds(30)
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "put tasks on a queue",
            synopses: [
                "publish [OPTION...] QUEUE [TASK]",
                "publish [OPTION...] --lines QUEUE",
                "publish [OPTION...] --null QUEUE",
            ],
            introduction: [
                "Puts tasks on QUEUE and ends with status 0 only when the broker has confirmed every one of them as "
                    + "routed and stored. The task is TASK, or all of standard input, any bytes; with `--lines` each "
                    + "line of standard input is a task of its own. Standard input isn't touched when TASK is given.",
                "Tasks are persistent and QUEUE is durable: they survive a restart of the broker. A missing queue is "
                    + "created; one that exists is used as it is, whatever its type and arguments are.",
                "A confirm that doesn't come in time means that the outcome is unknown, not that the task failed: "
                    + "publishing it again may make a duplicate. Each task has a message id, by which workers can tell.",
            ],
            operands: [
                .required(.queue, into: \.queue, "the queue that the tasks are for"),
                .optional(.text("TASK"), into: \.task, "the task; without it, standard input is read"),
            ],
            optionGroups: [
                ("Options", options),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            examples: [
                Example("Publish one task", "workq publish thumbnails photo-17.jpg"),
                Example("A task a line", "find . -name '*.jpg' | workq publish --lines thumbnails"),
                Example(
                    "Names that may hold newlines", "find . -name '*.jpg' -print0 | workq publish --null thumbnails"),
                Example(
                    "From cron, with the broker's address in the environment",
                    """
                    WORKQ_URL=amqps://jobs:secret@broker.example.net/prod
                    @daily workq publish reports daily
                    """),
            ])
    }

    private static var options: [Option<Values>] {
        [
            .flag("-l", "--lines", sets: \.input, to: .lines, "read a task a line from standard input"),
            .flag(
                "-0", "--null", sets: \.input, to: .nullSeparated,
                "read tasks separated by NUL from standard input"),
            .flag("--skip-empty", sets: \.skipsEmpty, to: true, "publish no task for an empty line"),
            .flag("--no-create", sets: \.createsQueue, to: false, "fail when the queue doesn't exist"),
            .value(
                "--queue-type", of: .choice("TYPE"), into: \.queueType, default: "classic",
                "the type of a queue that is created",
                details: "`quorum` queues are replicated in a cluster. An existing queue keeps its type."),
            .flag(
                "--transient", sets: \.isPersistent, to: false,
                "let the broker forget the tasks when it restarts"),
            .flag(
                "--no-confirm", sets: \.confirms, to: false,
                "don't wait for confirms",
                details: "Status 0 then only means that the tasks were sent and that none came back as unroutable."),
            .value(
                "--window", of: .count("N", 1...65_535), into: \.window, default: "1000",
                "how many tasks may be unconfirmed at a time"),
            .value(
                "--confirm-timeout", of: .duration(.milliseconds(100) ... .seconds(86_400)), into: \.confirmTimeout,
                default: "30s", "how long to wait for the broker's confirm",
                details: "Also how long sending may take, and how long an alarm of the broker is waited for."),
        ]
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        guard values.task == nil || values.input == .one else {
            throw CommandError(.usage, "publish: TASK and --lines or --null exclude each other")
        }
        var parameters = try values.connection.parameters(for: name, in: context)
        parameters.sendTimeout = values.confirmTimeout
        parameters.requestTimeout = values.confirmTimeout
        let run = PublishRun(values, in: context)
        return try run.publish(with: parameters)
    }
}

extension ValueFormat where Value == String {
    /// A queue's name as AMQP allows it. Control characters are refused: RabbitMQ drops CR and LF silently, and the name
    /// would then be another one.
    static var queue: Self {
        Self("QUEUE", expectation: "a queue's name: 1 to 255 bytes, no control characters") { text in
            let bytes = text.utf8
            return (1...255).contains(bytes.count) && !bytes.contains { $0 < 0x20 || $0 == 0x7F } ? text : nil
        }
    }
}
