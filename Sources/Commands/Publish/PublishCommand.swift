// workq publish: puts tasks on a queue.

import Broker
import Options
import Publisher

/// `workq publish`.
enum PublishCommand: Subcommand {
    static let name = "publish"

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "put tasks on a queue",
            synopses: [
                "publish [OPTION...] QUEUE [TASK]",
                "publish [OPTION...] --file FILE QUEUE",
                "publish [OPTION...] --lines QUEUE",
                "publish [OPTION...] --null QUEUE",
                "publish [OPTION...] --ndjson QUEUE",
                "publish [OPTION...] --exchange NAME [--routing-key KEY] [TASK]",
                "publish [OPTION...] --spool DIR --flush",
            ],
            introduction: [
                "Puts tasks on QUEUE and ends with status 0 only when the broker has confirmed every one of them as "
                    + "routed and stored. The task is TASK, or all of `--file`, or of standard input, any bytes; with "
                    + "`--lines` each line of standard input is a task of its own. Standard input isn't touched when "
                    + "TASK or a file is given.",
                "Tasks are persistent and QUEUE is durable: they survive a restart of the broker. A missing queue is "
                    + "created; one that exists is used as it is, whatever its type and arguments are.",
                "An exit status other than 0 means that some task was not confirmed; the message says which and why. "
                    + "`--retry-for` outlives a restart of the broker, `--spool` keeps tasks while it is away, "
                    + "`--unsent` writes down what remains to be done.",
                "A confirm that doesn't come in time means that the outcome is unknown, not that the task failed: "
                    + "publishing it again may make a duplicate. Each task has a message id, by which workers can "
                    + "tell.",
            ],
            operands: [
                .optional(
                    .text("QUEUE", completion: .queue), into: \.first,
                    "the queue that the tasks are for; absent with --exchange"),
                .optional(.text("TASK"), into: \.second, "the task; without it, standard input is read"),
            ],
            optionGroups: [
                ("Options", inputOptions),
                ("Where to", destinationOptions),
                ("Properties", propertyOptions),
                ("Confirms, and what to do without them", confirmOptions),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: [
                .row("--file", excludes: "--lines", "--null", "--ndjson", "--flush", because: "it holds one task"),
                .row("--message-id", excludes: "--lines", "--null", "--ndjson", because: "each task has its own"),
                .row(
                    "--wait-reply", excludes: "--lines", "--null", "--ndjson", "--flush", "--reply-to", "--no-confirm",
                    "--spool", "--max-depth", "--unless-queued", "--print-id", "--format",
                    because: "the one task's answer is what is printed"),
                .row("--format", excludes: "--flush"),
                .row("--rate", needs: "--lines", "--null", "--ndjson", "--flush", because: "one task has no rate"),
                .row("--ttl", excludes: "--delay"),
                .row(
                    "--exchange", "--routing-key", excludes: "--delay", "--max-depth", "--unless-queued",
                    "--queue-type", "--queue-arg", because: "it is for a QUEUE"),
                .row(
                    "--no-confirm", excludes: "--retry-for", "--spool", "--unsent", "--flush",
                    because: "without confirms nobody knows what to keep"),
                .row("--flush", needs: "--spool"),
                .row(
                    "--flush", excludes: "QUEUE", "TASK", "--lines", "--null", "--ndjson", "--unsent", "--print-id",
                    "--max-depth", "--unless-queued", because: "it delivers what is in the spool, and nothing else"),
            ],
            sections: [TaskRecord.manualSection, SpoolSegment.manualSection],
            examples: [
                Example("Publish one task", "workq publish thumbnails photo-17.jpg"),
                Example("A task a line", "find . -name '*.jpg' | workq publish --lines thumbnails"),
                Example(
                    "Names that may hold newlines", "find . -name '*.jpg' -print0 | workq publish --null thumbnails"),
                Example(
                    "With a header, in ten "
                        + "minutes", "workq publish --header size=200 --delay 10m thumbnails photo.jpg"),
                Example("Five tasks a second", "workq publish --lines --rate 5/s thumbnails < photos.txt"),
                Example(
                    "Ask a worker that runs with --reply, and print its answer",
                    "workq publish --wait-reply 30s --file photo.jpg thumbnails"),
                Example("See why a broker can't be reached", "workq publish --check thumbnails"),
                Example("Restore a backup", "workq publish --ndjson thumbnails < backup.ndjson"),
                Example(
                    "Start over with what failed",
                    """
                    workq publish --lines --unsent rest.txt thumbnails < photos.txt ||
                        workq publish --lines --retry-for 10m thumbnails < rest.txt
                    """),
                Example(
                    "From cron: once a day, also when the broker is away, and not when it is queued already",
                    """
                    PATH=/usr/local/bin:/usr/bin:/bin
                    WORKQ_URL=amqps://jobs:secret@broker.example.net/prod
                    @daily workq publish --spool "$HOME/spool" --unless-queued reports daily
                    """),
            ])
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        if !values.flushesOnly { try PublishPlan.check(values) }
        var parameters = try values.connection.parameters(for: name, in: context)
        parameters.sendTimeout = values.confirmTimeout
        parameters.requestTimeout = values.confirmTimeout
        if values.flushesOnly, let folder = values.spool {
            return try flush(folder, values, parameters, in: context)
        }
        return try PublishRun(try PublishPlan(values, parameters, in: context), parameters, in: context).run()
    }

    /// `--flush`: delivers what is in the spool, and nothing else.
    private static func flush(
        _ folder: String, _ values: Values, _ parameters: ConnectionParameters, in context: CommandContext
    ) throws(CommandError) -> ExitStatus {
        let voice = PublishVoice(context, isQuiet: values.common.isQuiet, isStream: false)
        let session = PublishSession(parameters, interruption: nil)
        var delivery = SpoolDelivery(
            try Spool(folder, creates: false, interruption: nil), at: PublishPlan.place(values, parameters),
            over: session, PublishPlan.settings(values), interruption: nil, voice: voice)
        let ending = try delivery.run()
        session.close()
        let count = delivery.delivered
        switch ending {
        case .postponed(let reason, let status):
            throw CommandError(
                count > 0 ? .partlyDone : status, "\(count) delivered, the other tasks stay in \(folder): \(reason)")
        case .done:
            if values.common.isVerbose { context.say("\(count) task\(count == 1 ? "" : "s") delivered from \(folder)") }
            guard delivery.hasRefusals else { return .done }
            return count > 0 ? .partlyDone : .refused
        }
    }
}

extension ValueFormat where Value == String {
    /// A queue's name as AMQP allows it. Control characters are refused: RabbitMQ drops CR and LF silently, and the
    /// name would then be another one.
    static var queue: Self {
        Self("QUEUE", expectation: "a queue's name: 1 to 255 bytes, no control characters", completion: .queue) {
            text in
            let bytes = text.utf8
            return (1...255).contains(bytes.count) && !bytes.contains { $0 < 0x20 || $0 == 0x7F } ? text : nil
        }
    }

    /// The same for a queue that tasks are sent to, which may be created by that: a URL in its place is a mistake, and
    /// would be a name that gives a password away.
    static var targetQueue: Self {
        Self("QUEUE", expectation: "a queue's name: 1 to 255 bytes, no control characters, no URL") { text in
            let isURL = ["amqp://", "amqps://"].contains { text.lowercased().hasPrefix($0) }
            return isURL ? nil : queue.parse(text)
        }
    }
}
