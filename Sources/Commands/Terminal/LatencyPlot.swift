// A latency distribution as bars.

import Benchmark

/// A bar for each step of 1, 2, 5, 10 ... microseconds between the least and the greatest latency.
struct LatencyPlot {
    /// A step of the scale: from `lower`, below `upper`, in microseconds.
    struct Step: Equatable {
        var lower: UInt64
        var upper: UInt64
        var count: Int
    }

    let steps: [Step]
    private let total: Int

    init(_ latencies: LatencyHistogram) {
        total = latencies.count
        guard !latencies.isEmpty else {
            steps = []
            return
        }
        var steps: [Step] = []
        var lower: UInt64 = 0
        for upper in Self.bounds {
            defer { lower = upper }
            guard upper > latencies.minimum, lower <= latencies.maximum else { continue }
            steps.append(Step(lower: lower, upper: upper, count: latencies.count(from: lower, below: upper)))
        }
        self.steps = steps
    }

    /// 1, 2, 5, 10, ... up to ten thousand seconds.
    private static let bounds: [UInt64] = {
        var bounds: [UInt64] = []
        var ten: UInt64 = 1
        while ten < 10_000_000_000 {
            bounds += [ten, 2 * ten, 5 * ten]
            ten *= 10
        }
        return bounds
    }()

    /// A line a step: its limits, its share, and a bar of up to `width` characters.
    func lines(width: Int, style: TerminalStyle) -> [String] {
        let most = max(1, steps.map(\.count).max() ?? 1)
        return steps.map { step in
            let limits = "\(NumberText.bound(step.lower)) - \(NumberText.bound(step.upper))"
            let bar = style.bar(Double(step.count) / Double(most), width: width)
            let share = NumberText.decimal(100 * Double(step.count) / Double(max(1, total)), digits: 1)
            return limits.leftPadded(to: 17) + share.leftPadded(to: 7) + "%  " + style.accent(bar)
        }
    }
}
