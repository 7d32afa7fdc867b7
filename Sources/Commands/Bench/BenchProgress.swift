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
            case .messages(let count): "\(NumberText.grouped(plan.backlog ?? count)) messages"
            case .duration(let duration): duration.shortText
            }
        let warmUp = plan.warmUp > .zero ? "\(plan.warmUp.shortText) of warm-up and " : ""
        context.say("bench on \(broker)")
        context.say("\(warmUp)\(extent) on queue \"\(plan.queue)\"")
    }

    /// On a terminal, an empty line between the seconds and the summary.
    func end() {
        guard !isQuiet, context.isTerminal(context.standardError) else { return }
        write("")
    }

    func note(_ second: BenchRun.Second) {
        guard !isQuiet else { return }
        let isTerminal = context.isTerminal(context.standardError)
        let width = isTerminal ? TerminalScreen.size(of: context.standardError).width : .max
        write(Self.line(second, producers: plan.producers, consumers: plan.consumers, style, width: width))
    }

    private func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(context.standardError, $0, bytes.count) }
        }
    }

    /// The parts of a line that fit into `width` columns, the first ones before all.
    static func line(
        _ second: BenchRun.Second, producers: Int = 1, consumers: Int, _ style: TerminalStyle, width: Int = .max
    ) -> String {
        func rate(_ count: Int) -> String {
            (NumberText.grouped(Int((Double(count) / second.seconds).rounded())) + "/s").leftPadded(to: 10)
        }
        let time = NumberText.decimal(Double(second.elapsed.nanoseconds) / 1e9, digits: 0) + "s"
        var parts = producers > 0 ? ["confirmed" + rate(second.confirmed)] : []
        if consumers > 0 { parts.append("received" + rate(second.received)) }
        if !second.confirmLatency.isEmpty {
            parts.append("confirm p99 " + NumberText.latency(second.confirmLatency.percentile(99)).leftPadded(to: 7))
        }
        if !second.arrivalLatency.isEmpty {
            parts.append("latency p99 " + NumberText.latency(second.arrivalLatency.percentile(99)).leftPadded(to: 7))
        }
        if consumers > 0 { parts.append("waiting " + NumberText.grouped(second.waiting).leftPadded(to: 7)) }
        let phase = second.isWarmUp ? "warming up" : second.isDraining && producers > 0 ? "waiting for the rest" : ""
        let room = width - 6 - (phase.isEmpty ? 0 : phase.count + 2)
        var used = 0
        let shown = parts.prefix { part in
            used += part.count + 2
            return used <= room
        }
        return ([style.faint(time.leftPadded(to: 6))] + shown + (phase.isEmpty ? [] : [style.faint(phase)]))
            .joined(separator: "  ")
    }
}
