// A run beside an earlier one.

/// What `--baseline` shows: figures that people compare first, of before and now.
struct BenchComparison {
    private static let metrics: [BenchMetric] = [.publishRate, .consumeRate, .p50, .p99, .max, .confirmP99]

    let baseline: BenchReport
    let report: BenchReport
    let style: TerminalStyle

    var text: String {
        let header = "  " + "Compared".rightPadded(to: 14) + ["before", "now", "change"].map(Self.column).joined()
        let rows = Self.metrics.compactMap { metric -> String? in
            guard let old = metric.value(in: baseline), let new = metric.value(in: report) else { return nil }
            return "  " + metric.rawValue.rightPadded(to: 14)
                + [metric.text(old), metric.text(new), Self.change(from: old, to: new)].map(Self.column).joined()
        }
        return ([style.faint(header)] + rows).map { $0 + "\n" }.joined() + "\n"
    }

    private static func column(_ text: String) -> String { text.leftPadded(to: 20) }

    private static func change(from old: Double, to new: Double) -> String {
        guard old > 0 else { return "-" }
        let percents = (new - old) / old * 100
        return (percents < 0 ? "-" : "+") + NumberText.decimal(percents.magnitude, digits: 1) + "%"
    }
}
