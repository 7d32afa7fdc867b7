// Runs a bench and reports it.

import Benchmark
import Broker
import Posix

extension BenchCommand {
    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        var plan = try plan(values, in: context)
        let conditions = values.failConditions
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
        if plan.backlog != nil { plan.backlog = queue.backlog }
        let broker = queue.brokerVersion
        let progress = BenchProgress(plan, isQuiet: values.common.isQuiet, context)
        progress.begin(broker: "\(broker) at \(queue.node)")
        let results = try? BenchRun(plan, on: queue, signals: signals, note: progress.note).run()
        if plan.backlog != nil || plan.keepsQueue && results?.interruption == nil {
            queue.keepForLater()
        } else if let reason = queue.remove() {
            context.say(
                "\(reason). Queue \"\(plan.queue)\" is left behind, and expires \(plan.queueExpiry.shortText) "
                    + "after its last use")
        }
        guard let results else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        if plan.backlog != nil { plan.size = results.size }
        let report = BenchReport(results, plan, brokerVersion: broker, startedAt: startedAt)
        if results.hasStarted {
            progress.end()
            switch values.format {
            case .text:
                let style = TerminalStyle(context, descriptor: context.standardOutput)
                let place = "\(broker) at \(queue.node), librabbitmq \(Library.version)"
                try context.write(BenchSummary(plan: plan, results: results, broker: place, style: style).text)
                if let baseline {
                    let comparison = BenchComparison(baseline: baseline, report: report, style: style)
                    try context.write("\n" + comparison.text)
                }
            case .json: try context.write(report.json())
            case .csv: try context.write(report.csv())
            }
            // Last: a full disk shouldn't cost the results, too.
            try percentileFile?.write(results.mainLatency.percentileFile)
        }
        return verdict(results, report, baseline, conditions, in: context)
    }

    private static func queue(_ plan: BenchPlan) throws(CommandError) -> TestQueue {
        do throws(TestQueue.Refusal) {
            return try plan.backlog == nil ? TestQueue(plan) : TestQueue(keptFor: plan)
        } catch {
            switch error {
            case .broker(let error): throw CommandError(error)
            case .empty:
                throw CommandError(
                    .refused,
                    "queue \"\(plan.queue)\" has no messages. 'workq bench --keep --queue \(plan.queue)' makes it, and "
                        + "some")
            case .inUse(let consumers):
                throw CommandError(
                    .refused,
                    "queue \"\(plan.queue)\" has \(count(consumers, "consumer")) already, which would take a part of "
                        + "its messages")
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
        plan.queueArguments = try FieldTable(
            ofNewQueue: values.queueArguments, besides: [("x-expires", "--expires")], for: name)
        plan.queueLifetime = values.expires
        plan.extent = values.messages.map { .messages($0) } ?? .duration(values.duration ?? .seconds(10))
        plan.warmUp = values.warmUp
        plan.producers = values.producers
        plan.consumers = values.keepsQueue ? 0 : values.consumers
        plan.keepsQueue = values.keepsQueue
        if values.keepsQueue || values.isConsumersOnly { plan.runID = BenchPlan.keptRunID(of: plan.queue) }
        if values.isConsumersOnly {
            guard values.consumers > 0 else {
                throw CommandError(.usage, "bench: --consumers-only needs at least one consumer")
            }
            // How many there are, the queue tells.
            (plan.backlog, plan.producers, plan.warmUp) = (0, 0, .zero)
            plan.extent = values.duration.map { .duration($0) } ?? .messages(0)
        }
        plan.size = values.size
        plan.rate = values.rate
        plan.window = values.window
        plan.prefetch = values.prefetch
        plan.isPersistent = values.isPersistent
        return plan
    }

    /// A condition on a figure that nobody has would never fail a run.
    private static func check(
        _ conditions: [FailCondition], _ plan: BenchPlan, _ baseline: BenchReport?
    ) throws(CommandError) {
        if let relative = conditions.first(where: \.isRelative), baseline == nil {
            throw CommandError(.usage, "bench: --fail-if \"\(relative.text)\" needs a --baseline to compare with")
        }
        for condition in conditions {
            let figures = condition.expression.names
            if plan.consumers == 0, figures.contains(where: { $0.metric == .consumeRate }) {
                throw CommandError(.usage, "bench: --fail-if \"\(condition.text)\" needs consumers")
            }
            if plan.backlog != nil, figures.contains(where: { $0.metric == .publishRate || $0.metric.isLatency }) {
                throw CommandError(.usage, "bench: --fail-if \"\(condition.text)\" needs producers")
            }
            for figure in figures where figure.isOfBaseline {
                guard baseline.flatMap(figure.metric.value) == nil else { continue }
                throw CommandError(
                    .refused, "the baseline has no \(figure.metric.rawValue), which --fail-if compares with")
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
            let all = results.backlog.map { "\($0) messages of the queue" } ?? "\(results.confirmed) confirmed messages"
            context.say("\(lost) of \(all) were lost")
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
