// Latencies as HDR histograms.

import Histogram

/// Latencies in whole microseconds, from 1 µs to an hour, to three digits.
package struct LatencyHistogram: Sendable {
    private(set) var values = Histogram<UInt64>(
        highestTrackableValue: Self.longest, numberOfSignificantValueDigits: .three)

    private static let longest: UInt64 = 3_600_000_000

    package init() {}

    package var count: Int { Int(values.totalCount) }
    package var isEmpty: Bool { values.totalCount == 0 }

    package mutating func record(nanoseconds: Int64) {
        record(microseconds: UInt64(max(0, nanoseconds)) / 1_000)
    }

    package mutating func record(microseconds: UInt64, count: UInt64 = 1) {
        values.record(min(max(microseconds, 1), Self.longest), count: count)
    }

    /// Adds the other's values.
    package mutating func add(_ other: LatencyHistogram) {
        guard !other.isEmpty else { return }
        for step in other.values.recordedValues() {
            values.record(min(step.value, other.maximum), count: step.count)
        }
    }

    package var minimum: UInt64 { isEmpty ? 0 : values.min }
    package var maximum: UInt64 { isEmpty ? 0 : values.maxRecorded }
    package var mean: Double { isEmpty ? 0 : values.mean }

    /// The latency in microseconds that so many percent of all don't exceed.
    package func percentile(_ percent: Double) -> UInt64 { isEmpty ? 0 : values.valueAtPercentile(percent) }

    /// How many latencies are at least `lower` and less than `upper`, in microseconds.
    package func count(from lower: UInt64, below upper: UInt64) -> Int { Int(values.count(within: lower...upper - 1)) }

    /// The percentile file that HdrHistogram's plotters read, in milliseconds.
    package var percentileFile: String {
        var text = ""
        values.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1_000)
        return text
    }
}
