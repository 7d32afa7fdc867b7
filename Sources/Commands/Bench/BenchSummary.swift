// The results of a bench for people.

import Benchmark
import Broker
import Options
import Posix

/// The text of a summary: parameters, rates, latencies, a plot, and whether all arrived.
struct BenchSummary {
    private static let width = 80
    private static let plotWidth = 40
    private static let sparkWidth = 60

    let plan: BenchPlan
    let results: BenchResults
    /// Where it ran and on what: `RabbitMQ 3.10.8 at amqp://host:5672`.
    let broker: String
    let style: TerminalStyle

    var text: String {
        var lines = [style.strong("workq bench")]
        let parameters = Self.parameters(plan)
        let units = parameters.enumerated().map { $1 + ($0 + 1 < parameters.count ? "," : "") }
        lines += units.filled(width: Self.width - 2).map { "  \($0)" }
        lines += [style.faint("  on \(broker.escapedForDisplay)"), ""]
        if let interruption = results.interruption {
            lines += [
                style.bad("  ENDED EARLY") + " after \(Self.time(results.ranFor)): "
                    + interruption.text.escapedForDisplay, "",
            ]
        }
        lines += rates + [""]
        if !results.mainLatency.isEmpty { lines += latencies + [""] + plot + [""] }
        lines.append(integrity)
        return lines.map { $0 + "\n" }.joined()
    }

    /// `1 producer`, `1 consumer`, `100-byte persistent messages` and so on.
    private static func parameters(_ plan: BenchPlan) -> [String] {
        if let backlog = plan.backlog {
            return [
                counted(plan.consumers, "consumer"),
                "\(NumberText.grouped(backlog)) messages of \(NumberText.grouped(plan.size)) bytes on a kept queue",
                "prefetch \(NumberText.grouped(plan.prefetch))",
            ]
        }
        var parts = [
            counted(plan.producers, "producer"), counted(plan.consumers, "consumer"),
            "\(NumberText.grouped(plan.size))-byte \(plan.isPersistent ? "persistent" : "transient") messages",
            "\(plan.queueType.rawValue) queue", "window \(NumberText.grouped(plan.window))",
        ]
        if plan.consumers > 0 { parts.append("prefetch \(NumberText.grouped(plan.prefetch))") }
        if let rate = plan.rate { parts.append("\(NumberText.grouped(rate)) messages/s") }
        return parts
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(NumberText.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }

    private static func time(_ time: Duration) -> String {
        "\(NumberText.decimal(Double(time.nanoseconds) / 1e9, digits: 1)) s"
    }

    // MARK: - Rates

    private var rates: [String] {
        var lines = plan.backlog == nil ? flow("Published", results.publishing, results.published) : []
        if plan.consumers > 0 { lines += flow("Consumed", results.consuming, results.consumed) }
        if let rate = plan.rate, isBehind(rate), results.interruption == nil {
            lines.append(
                style.bad("  The rate of \(NumberText.grouped(rate)) messages/s was not reached: ")
                    + "latencies tell how late messages were")
        }
        return lines
    }

    /// Whether fewer messages were confirmed than were due, by more than those that were on their way at the end.
    private func isBehind(_ rate: Int) -> Bool {
        let flow = results.publishing
        let missing = Double(rate) * flow.seconds - Double(flow.messages)
        let underWay = Double(rate) * Double(results.confirmLatency.percentile(50)) / 1e6
        return missing > 0.01 * Double(rate) * flow.seconds + underWay
    }

    private func flow(_ name: String, _ flow: BenchResults.Flow, _ series: ThroughputSeries) -> [String] {
        let rate = NumberText.grouped(Int(flow.rate.rounded()))
        let numbers =
            "  " + name.rightPadded(to: 10) + style.strong(rate.leftPadded(to: 9) + " messages/s") + "  "
            + NumberText.bytes(flow.rate * Double(plan.size)).leftPadded(to: 11)
            + "   \(NumberText.grouped(flow.messages)) in \(Self.time(flow.time))"
        let rates = series.rates(columns: Self.sparkWidth)
        guard rates.count > 1 else { return [numbers] }
        let sparkline = style.accent(Sparkline.text(rates, isUnicode: style.isUnicode))
        return [numbers, String(repeating: " ", count: 12) + sparkline]
    }

    // MARK: - Latencies

    private static var columns: [(String, (LatencyHistogram) -> UInt64)] {
        [
            ("min", { $0.minimum }), ("p50", { $0.percentile(50) }), ("p90", { $0.percentile(90) }),
            ("p99", { $0.percentile(99) }), ("p99.9", { $0.percentile(99.9) }), ("max", { $0.maximum }),
        ]
    }

    private var latencies: [String] {
        let header = "  " + "Latency".rightPadded(to: 12) + Self.columns.map { $0.0.leftPadded(to: 10) }.joined()
        var rows = [("Confirm", results.confirmLatency)]
        if !results.arrivalLatency.isEmpty { rows.append(("End to end", results.arrivalLatency)) }
        return [style.faint(header)]
            + rows.map { name, latencies in
                "  " + name.rightPadded(to: 12)
                    + Self.columns.map { NumberText.latency($0.1(latencies)).leftPadded(to: 10) }.joined()
            }
    }

    private var plot: [String] {
        let title = results.arrivalLatency.isEmpty ? "Confirm latency" : "End-to-end latency"
        return ["  \(title)"]
            + LatencyPlot(results.mainLatency).lines(width: Self.plotWidth, style: style).map { "  " + $0 }
    }

    // MARK: - Integrity

    private var integrity: String {
        var troubles: [String] = []
        func add(_ count: Int, _ text: String) {
            if count > 0 { troubles.append("\(NumberText.grouped(count)) \(text)") }
        }
        add(results.lost ?? 0, "LOST")
        add(results.duplicated, "came twice")
        add(results.reordered, "came out of order")
        add(results.nacked, "refused by the broker")
        add(results.returned, "returned as unroutable")
        add(results.unconfirmed, "unconfirmed")
        let confirmed =
            results.backlog.map { "\(NumberText.grouped(results.received)) received of \(NumberText.grouped($0))" }
            ?? NumberText.grouped(results.confirmed) + " confirmed"
        let doubt = results.lost == nil ? "; whether all would have arrived is not known" : ""
        guard troubles.isEmpty else {
            return "  Integrity  \(style.bad(troubles.joined(separator: ", "))), of \(confirmed)\(doubt)"
        }
        guard results.lost != nil else { return "  Integrity  \(confirmed)\(doubt)" }
        if let backlog = results.backlog {
            return "  Integrity  "
                + style.good("all \(NumberText.grouped(backlog)) messages arrived, once and in order")
        }
        let found = plan.consumers > 0 ? "arrived, once and in order" : "are on the queue"
        let warmUp = results.confirmed - results.publishing.messages
        let included =
            warmUp > 0
            ? "\n" + String(repeating: " ", count: 13) + "\(NumberText.grouped(warmUp)) of them to warm up" : ""
        return "  Integrity  "
            + style.good("all \(NumberText.grouped(results.confirmed)) confirmed messages \(found)") + included
    }
}
