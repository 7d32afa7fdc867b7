// workq bench: what this broker can do.

import Benchmark
import Broker
import Options
import Posix
import Worker

/// `workq bench`.
enum BenchCommand: Subcommand {
    static let name = "bench"

    /// `--format`.
    enum Format: String, CaseIterable {
        case text, json
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var queue: String?
        var queueType = QueueType.classic
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
        var format = Format.text
        var percentileFile: String?
        var baselineFile: String?
        var failConditions: [String] = []
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
            rules: [.row("--messages", excludes: "--duration")],
            sections: [figuresSection],
            examples: [
                Example("Ten seconds, one producer and one consumer", "workq bench"),
                Example("Latency at a steady rate on a quorum queue", "workq bench --rate 2000 --queue-type quorum"),
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
            .value("--producers", of: .count("N", 1...1_000), into: \.producers, "how many send"),
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
                default: "10s", "how long to measure"),
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
                "--queue-type", of: .choice("TYPE"), into: \.queueType, "the type of the queue"),
            .value(
                "--queue", of: .queue, into: \.queue, default: "workq-bench-PID@HOST",
                "the name of the queue, which must not exist"),
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
                "how to write the results on standard output"),
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
                "--fail-if", of: .text("EXPR"), appendingTo: \.failConditions,
                "end with status 1 when EXPR holds, such as 'p99>+20%' or 'p99>50ms'",
                details: "A figure, one of `>`, `>=`, `<` and `<=`, and either a number (latencies with `us`, `ms` or "
                    + "`s`) or a percentage with a sign: `+20%` is the baseline's figure and 20% more, `-10%` is 10% "
                    + "less. May be given again; one that holds is enough. A figure that the run doesn't have fails "
                    + "too."
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

    // MARK: - Running

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        let plan = try plan(values, in: context)
        let conditions = try conditions(values)
        let baseline = try values.baselineFile.map { path throws(CommandError) in try BenchFiles.readBaseline(path) }
        if let baseline { warnOfDifferences(baseline, plan, in: context) }
        try check(conditions, plan, baseline)
        let percentileFile = try values.percentileFile.map { path throws(CommandError) in
            try BenchFiles.output(path)
        }
        guard let signals = SignalPipe(catching: [SIGINT, SIGTERM, SIGHUP]) else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        let startedAt = context.wallClock()
        let queue = try queue(plan)
        let broker = queue.brokerVersion
        let progress = BenchProgress(plan, isQuiet: values.common.isQuiet, context)
        progress.begin(broker: "\(broker) at \(queue.node)")
        let results = try? BenchRun(plan, on: queue, signals: signals, note: progress.note).run()
        if let reason = queue.remove() {
            context.say(
                "\(reason). Queue \"\(plan.queue)\" is left behind, and expires \(plan.queueExpiry.shortText) "
                    + "after its last use")
        }
        guard let results else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        let report = BenchReport(results, plan, brokerVersion: broker, startedAt: startedAt)
        if results.hasStarted {
            progress.end()
            switch values.format {
            case .text:
                let style = TerminalStyle(context, descriptor: context.standardOutput)
                let place = "\(broker) at \(queue.node), librabbitmq \(Library.version)"
                try context.write(BenchSummary(plan: plan, results: results, broker: place, style: style).text)
            case .json: try context.write(report.json())
            }
            // Last: a full disk shouldn't cost the results, too.
            try percentileFile?.write(results.mainLatency.percentileFile)
        }
        return verdict(results, report, baseline, conditions, in: context)
    }

    private static func queue(_ plan: BenchPlan) throws(CommandError) -> TestQueue {
        do throws(TestQueue.Refusal) {
            return try TestQueue(plan)
        } catch {
            switch error {
            case .broker(let error): throw CommandError(error)
            case .exists:
                throw CommandError(
                    .refused,
                    "queue \"\(plan.queue)\" exists already, and bench only works on one of its own. Choose another "
                        + "--queue"
                )
            }
        }
    }

    private static func plan(_ values: Values, in context: CommandContext) throws(CommandError) -> BenchPlan {
        var plan = BenchPlan(
            connection: try values.connection.parameters(for: name, in: context),
            queue: values.queue ?? "workq-bench-\(context.processName)", runID: .random(in: .min ... .max))
        plan.queueType = values.queueType
        plan.queueLifetime = values.expires
        plan.producers = values.producers
        plan.consumers = values.consumers
        plan.size = values.size
        plan.extent = values.messages.map { .messages($0) } ?? .duration(values.duration ?? .seconds(10))
        plan.warmUp = values.warmUp
        plan.rate = values.rate
        plan.window = values.window
        plan.prefetch = values.prefetch
        plan.isPersistent = values.isPersistent
        return plan
    }

    private static func conditions(_ values: Values) throws(CommandError) -> [FailCondition] {
        var conditions: [FailCondition] = []
        for text in values.failConditions {
            do throws(FailCondition.Fault) {
                conditions.append(try FailCondition(text))
            } catch {
                let rest = text.dropFirst(error.offset)
                let place = rest.isEmpty ? "at the end" : "at character \(error.offset + 1), at \"\(rest)\""
                throw CommandError(
                    .usage, "bench: --fail-if \"\(text)\" can't be read: \(place), there should be \(error.expectation)"
                )
            }
        }
        if let relative = conditions.first(where: \.isRelative), values.baselineFile == nil {
            throw CommandError(.usage, "bench: --fail-if \"\(relative.text)\" needs a --baseline to compare with")
        }
        return conditions
    }

    /// A condition on a figure that nobody has would never fail a run.
    private static func check(
        _ conditions: [FailCondition], _ plan: BenchPlan, _ baseline: BenchReport?
    ) throws(CommandError) {
        for condition in conditions {
            if condition.metric == .consumeRate, plan.consumers == 0 {
                throw CommandError(.usage, "bench: --fail-if \"\(condition.text)\" needs consumers")
            }
            if condition.isRelative, let baseline, condition.metric.value(in: baseline) == nil {
                throw CommandError(
                    .refused, "the baseline has no \(condition.metric.rawValue), which --fail-if compares with")
            }
        }
    }

    private static func warnOfDifferences(_ baseline: BenchReport, _ plan: BenchPlan, in context: CommandContext) {
        guard baseline.parameters != BenchReport.Parameters(plan) else { return }
        context.say("warning: the baseline was taken with other parameters, so it says little about this run")
    }

    /// Says what is wrong with the run, if anything, and returns the status for it.
    private static func verdict(
        _ results: BenchResults, _ report: BenchReport, _ baseline: BenchReport?, _ conditions: [FailCondition],
        in context: CommandContext
    ) -> ExitStatus {
        if let interruption = results.interruption {
            if interruption.kind != "signal" {
                context.say(
                    "\(results.hasStarted ? "the run ended early" : "the run could not begin"): \(interruption.text)")
            }
            return interruption.status
        }
        if let lost = results.lost, lost > 0 {
            context.say("\(lost) of \(results.confirmed) confirmed messages were lost")
            return .partlyDone
        }
        if results.nacked + results.returned > 0 {
            context.say("\(results.nacked) messages were refused by the broker, \(results.returned) returned")
            return .partlyDone
        }
        let findings = conditions.compactMap { $0.finding(in: report, baseline: baseline) }
        for finding in findings { context.say("failed: \(finding)") }
        return findings.isEmpty ? .done : .someFailed
    }
}
