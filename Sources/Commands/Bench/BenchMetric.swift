// The figures of a run that can be named.

/// A figure of a run that `--fail-if` can name. Without a prefix a latency is the one from end to end, or that of
/// confirms where nobody consumed.
enum BenchMetric: String, CaseIterable {
    case publishRate = "publish-rate"
    case consumeRate = "consume-rate"
    case min, mean, p50, p90, p99
    case p999 = "p99.9"
    case max
    case confirmMin = "confirm-min"
    case confirmMean = "confirm-mean"
    case confirmP50 = "confirm-p50"
    case confirmP90 = "confirm-p90"
    case confirmP99 = "confirm-p99"
    case confirmP999 = "confirm-p99.9"
    case confirmMax = "confirm-max"
    case duplicated, reordered

    var isLatency: Bool {
        switch self {
        case .publishRate, .consumeRate, .duplicated, .reordered: false
        default: true
        }
    }

    /// The figure in microseconds, messages a second, or messages; nil where the run doesn't have it.
    func value(in report: BenchReport) -> Double? {
        let confirm = report.confirmLatencyMicroseconds
        let latency = report.endToEndLatencyMicroseconds ?? confirm
        // Of nothing, every percentile would be 0.
        if isLatency, (rawValue.hasPrefix("confirm-") ? confirm : latency).count == 0 { return nil }
        return switch self {
        case .publishRate: report.publish.rate
        case .consumeRate: report.consume?.rate
        case .min: Double(latency.min)
        case .mean: latency.mean
        case .p50: Double(latency.p50)
        case .p90: Double(latency.p90)
        case .p99: Double(latency.p99)
        case .p999: Double(latency.p999)
        case .max: Double(latency.max)
        case .confirmMin: Double(confirm.min)
        case .confirmMean: confirm.mean
        case .confirmP50: Double(confirm.p50)
        case .confirmP90: Double(confirm.p90)
        case .confirmP99: Double(confirm.p99)
        case .confirmP999: Double(confirm.p999)
        case .confirmMax: Double(confirm.max)
        case .duplicated: Double(report.integrity.duplicated)
        case .reordered: Double(report.integrity.reordered)
        }
    }

    func text(_ value: Double) -> String {
        if isLatency { return NumberText.latency(value) }
        let number = NumberText.grouped(Int(value.rounded()))
        return self == .publishRate || self == .consumeRate ? "\(number) messages/s" : number
    }
}
