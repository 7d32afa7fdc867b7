// workq bench: what this broker can do.

import Benchmark
import Broker
import Options

/// `workq bench`.
enum BenchCommand: Subcommand {
    static let name = "bench"

    /// `--format`.
    enum Format: String, CaseIterable {
        case text, json, csv
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var queue: String?
        var queueType = QueueType.classic
        var queueArguments: [FieldTable.Field] = []
        var expires = Duration.seconds(60)
        var producers = 1
        var consumers = 1
        var size = 100
        var messages: Int?
        var duration: Duration?
        var warmUp = Duration.seconds(1)
        var rate: Int?
        var window = 1_000
        var prefetch = 100
        var isPersistent = true
        var keepsQueue = false
        var isConsumersOnly = false
        var format = Format.text
        var percentileFile: String?
        var baselineFile: String?
        var failConditions: [FailCondition] = []
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "measure what the broker can do",
            synopses: ["bench [OPTION...]"],
            introduction: [
                "Sends messages to a queue of its own and takes them off again, and tells how many a second, how long "
                    + "the broker took to confirm them, and how long they were under way. Producers and consumers have "
                    + "a connection and a thread each. The queue must not exist before; it is deleted at the end, "
                    + "whatever the end is, and where that isn't possible it expires.",
                "Every message is numbered. At the end bench waits until all that was confirmed has arrived, and says "
                    + "whether any was lost, came twice or out of order; a loss is an error. All counts are of the "
                    + "whole run, rates and latencies of what was sent after the warm-up.",
                "Without `--rate` each producer keeps as many messages unconfirmed as the window allows: that shows "
                    + "the greatest throughput, and latencies are those of a full window. With `--rate` messages have "
                    + "times at which they should be sent, and latency counts from those, so a broker that stalls "
                    + "can't hide it by holding up the sender.",
                "A broker that blocks publishers because it is short of memory or disk ends the run, as a lost "
                    + "connection does: the figures up to then are shown, marked as those of a run that ended early.",
            ],
            optionGroups: [
                ("Options", options),
                ("Results", resultOptions),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: [
                .row("--messages", excludes: "--duration"),
                .row("--keep", "--consumers-only", needs: "--queue"),
                .row(
                    "--keep", excludes: "--consumers-only", "--consumers", "--expires",
                    because: "what is sent stays on the queue"),
                .row(
                    "--consumers-only",
                    excludes: "--producers", "--size", "--messages", "--warm-up", "--rate", "--window", "--transient",
                    "--queue-type", "--queue-arg", "--expires", "--hdr", because: "nothing is sent"),
            ],
            sections: [figuresSection],
            examples: [
                Example("Ten seconds, one producer and one consumer", "workq bench"),
                Example("Latency at a steady rate on a quorum queue", "workq bench --rate 2000 --queue-type quorum"),
                Example(
                    "How fast consumers alone take what is there",
                    """
                    workq bench --keep --queue backlog --messages 20000 --warm-up 0
                    workq bench --consumers-only --queue backlog --consumers 2
                    workq delete --yes backlog
                    """),
                Example(
                    "Fail a build when the broker got slower",
                    """
                    workq bench --format json >before.json
                    workq bench --baseline before.json --fail-if 'p99>+20%' --fail-if 'publish-rate<-10%'
                    """),
            ])
    }

    private static var options: [Option<Values>] {
        [
            .value("--producers", of: .count("N", 1...BenchPlan.mostProducers), into: \.producers, "how many send"),
            .value(
                "--consumers", of: .count("N", 0...1_000), into: \.consumers,
                "how many receive; with 0 the messages stay on the queue"),
            .value(
                "--size", of: .size(BenchMessage.size...128 << 20), into: \.size,
                "how long a message's body is, such as 100, 64k or 16M",
                details: "A k is 1,024 bytes. The first \(BenchMessage.size) bytes hold the message's number and "
                    + "time."),
            .value(
                "--messages", of: .count("N", 1...Int.max), into: \.messages,
                "how many messages to measure, of all producers together"),
            .value(
                "--duration", of: .duration(.milliseconds(100) ... .seconds(31_557_600)), into: \.duration,
                default: "10s", "how long to measure; with --consumers-only, until the queue is empty"),
            .value(
                "--warm-up", of: .duration(.zero ... .seconds(86_400)), into: \.warmUp,
                "how long to send before measuring"),
            .value(
                "--rate", of: .count("N", 1...100_000_000), into: \.rate, default: "as many as possible",
                "how many messages a second all producers together should send"),
            .value(
                "--window", of: .count("N", 1...65_535), into: \.window,
                "how many messages of a producer may be unconfirmed at a time"),
            .value(
                "--prefetch", of: .count("N", 0...65_535), into: \.prefetch,
                "how many messages a consumer may have unacknowledged; 0 for no limit",
                details: "Consumers acknowledge what they have read in one go, at the latest when half of this is "
                    + "reached. With `--prefetch 1` every message is acknowledged by itself."),
            .flag("--transient", sets: \.isPersistent, to: false, "send messages that the broker need not store"),
            .value(
                "--queue-type", of: .benchQueueType, into: \.queueType, "the type of the queue",
                details: "A stream keeps what was consumed and never expires, so it can't be measured so."),
            .values(
                "--queue-arg", of: .argument, appendingTo: \.queueArguments, "an argument of the queue",
                details: "As in workq-publish(1): `x-max-priority=10`, `x-overflow=reject-publish`. May be given "
                    + "again."),
            .value(
                "--queue", of: .queue, into: \.queue, default: "workq-bench-PID@HOST",
                "the name of the queue, which must not exist"),
            .flag(
                "--keep", sets: \.keepsQueue, to: true,
                "only send, and leave the queue with its messages for --consumers-only",
                details: "It doesn't expire: `workq delete` removes it. A run that ends early deletes it."),
            .flag(
                "--consumers-only", sets: \.isConsumersOnly, to: true,
                "only take off what a run with --keep has left on the queue",
                details:
                    "Measures consumers without producers beside them, until the queue is empty or `--duration` is "
                    + "over; there are no latencies. Nobody else may consume from the queue, and a message that bench "
                    + "hasn't sent ends the run and stays. The queue stays, too."),
            .value(
                "--expires", of: .duration(.seconds(1) ... .seconds(86_400)), into: \.expires,
                "how long the broker keeps the queue when bench is killed",
                details: "Without consumers, so much longer than the run should take."),
        ]
    }

    private static var resultOptions: [Option<Values>] {
        [
            .value(
                "--format", of: .choice("FORMAT"), into: \.format,
                "how to write the results on standard output",
                details: "`csv` is a line of names and a line of values, the same names for every run. Latencies are "
                    + "in microseconds, and what a run doesn't have is empty."),
            .value(
                "--hdr", of: .file(), into: \.percentileFile,
                "write the latencies to FILE as HdrHistogram's plotters read them",
                details:
                    "Percentiles in milliseconds, from end to end, or of confirms without consumers. FILE is written "
                    + "at the end; what was there stays until then."),
            .value(
                "--baseline", of: .file(), into: \.baselineFile,
                "compare with the results of an earlier run, written by `--format json`"),
            .values(
                "--fail-if", of: .expression("EXPR", read: FailCondition.init), appendingTo: \.failConditions,
                "end with status 1 when EXPR holds, such as 'p99>+20%' or 'p99>50ms'",
                details: "An expression as in workq-list-queues(1), of figures and either numbers (latencies with "
                    + "`us`, `ms` or `s`) or percentages with a sign: `+20%` is the baseline's figure and 20% more, "
                    + "`-10%` is 10% less. May be given again; one that holds is enough. A figure that the run doesn't "
                    + "have fails too."
            ),
        ]
    }

    private static var figuresSection: ManualSection {
        ManualSection(
            title: "Figures",
            paragraphs: ["These can be named in `--fail-if`."],
            terms: [
                ("publish-rate, consume-rate", "messages confirmed or received a second"),
                (
                    "min, mean, p50, p90, p99, p99.9, max",
                    "latency from end to end; without consumers, that of confirms"
                ),
                (
                    "confirm-min, confirm-mean, confirm-p50, confirm-p90, confirm-p99, confirm-p99.9, confirm-max",
                    "latency of confirms"
                ),
                ("duplicated, reordered", "messages that came twice, or out of order"),
            ])
    }
}

extension ValueFormat where Value == QueueType {
    /// The types that bench can work on.
    fileprivate static var benchQueueType: Self {
        var format = choice("TYPE")
        let expectation = format.expectation()
        format.complaint = { text in
            guard text == "stream" else { return nil }
            return "a stream keeps what was consumed and doesn't expire, so bench can't measure it; it must be "
                + expectation
        }
        return format
    }
}
