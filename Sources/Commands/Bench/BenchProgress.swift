// What a bench tells while it runs.

import Benchmark
import Options
import Posix

/// A line a second on standard error.
struct BenchProgress {
    private let plan: BenchPlan
    private let isQuiet: Bool
    private let context: CommandContext
    private let style: TerminalStyle

    init(_ plan: BenchPlan, isQuiet: Bool, _ context: CommandContext) {
        self.plan = plan
        self.isQuiet = isQuiet
        self.context = context
        style = TerminalStyle(context, descriptor: context.standardError)
    }

    func begin(broker: String) {
        guard !isQuiet else { return }
        let extent =
            switch plan.extent {
            case .messages(let count): "\(NumberText.grouped(count)) messages"
            case .duration(let duration): duration.shortText
            }
        let warmUp = plan.warmUp > .zero ? "\(plan.warmUp.shortText) of warm-up and " : ""
        context.say("bench on \(broker), queue \"\(plan.queue)\", \(warmUp)\(extent)")
    }

    /// On a terminal, an empty line between the seconds and the summary.
    func end() {
        guard !isQuiet, context.isTerminal(context.standardError) else { return }
        write("")
    }

    func note(_ second: BenchRun.Second) {
        guard !isQuiet else { return }
        write(Self.line(second, consumers: plan.consumers, style))
    }

    private func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(context.standardError, $0, bytes.count) }
        }
    }

    static func line(_ second: BenchRun.Second, consumers: Int, _ style: TerminalStyle) -> String {
        func rate(_ count: Int) -> String {
            (NumberText.grouped(Int((Double(count) / second.seconds).rounded())) + "/s").leftPadded(to: 10)
        }
        let time = NumberText.decimal(Double(second.elapsed.nanoseconds) / 1e9, digits: 0) + "s"
        var parts = ["confirmed" + rate(second.confirmed)]
        if consumers > 0 { parts.append("received" + rate(second.received)) }
        if !second.confirmLatency.isEmpty {
            parts.append("confirm p99 " + NumberText.latency(second.confirmLatency.percentile(99)).leftPadded(to: 7))
        }
        if !second.arrivalLatency.isEmpty {
            parts.append("latency p99 " + NumberText.latency(second.arrivalLatency.percentile(99)).leftPadded(to: 7))
        }
        if consumers > 0 { parts.append("waiting " + NumberText.grouped(second.waiting).leftPadded(to: 7)) }
        if second.isWarmUp { parts.append(style.faint("warming up")) }
        if second.isDraining { parts.append(style.faint("waiting for the rest")) }
        return style.faint(time.leftPadded(to: 6)) + "  " + parts.joined(separator: "  ")
    }
}
