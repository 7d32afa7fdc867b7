// The conditions of --fail-if.

/// A comparison of one of a run's figures with a number, or with the same figure of an earlier run: `p99>50ms`,
/// `publish-rate<-10%`.
struct FailCondition: Equatable {
    enum Comparison: String, CaseIterable {
        // Longer ones first: they are read in this order.
        case notLess = ">="
        case notGreater = "<="
        case greater = ">"
        case less = "<"

        func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .notLess: left >= right
            case .notGreater: left <= right
            case .greater: left > right
            case .less: left < right
            }
        }
    }

    enum Bound: Equatable {
        /// In the metric's own unit.
        case absolute(Double)
        /// Percent above the baseline, or below where negative.
        case relative(percent: Double)
    }

    /// Where an expression can't be read, and what should stand there.
    struct Fault: Error, Equatable {
        /// Characters before the place.
        var offset: Int
        var expectation: String
    }

    /// The expression as given.
    let text: String
    let metric: BenchMetric
    let comparison: Comparison
    let bound: Bound

    var isRelative: Bool { if case .relative = bound { true } else { false } }

    init(_ text: String) throws(Fault) {
        var reader = Reader(text)
        self.text = text
        let start = reader.offset
        let name = reader.take { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
        guard let metric = BenchMetric(rawValue: name) else {
            throw Fault(
                offset: start,
                expectation: "a figure: one of \(BenchMetric.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.metric = metric
        guard let comparison = Comparison.allCases.first(where: { reader.take($0.rawValue) }) else {
            throw reader.fault(">, >=, < or <=")
        }
        self.comparison = comparison
        bound = try Self.bound(&reader, metric)
        guard reader.isAtEnd else { throw reader.fault("the end") }
    }

    private static func bound(_ reader: inout Reader, _ metric: BenchMetric) throws(Fault) -> Bound {
        let sign: Double? = reader.take("+") ? 1 : reader.take("-") ? -1 : nil
        let start = reader.offset
        let digits = reader.take { $0.isASCII && $0.isNumber || $0 == "." }
        guard let number = Double(digits), digits.first != "." else {
            throw Fault(offset: start, expectation: "a number")
        }
        let beforeUnit = reader
        if reader.take("%") {
            guard let sign else {
                throw Fault(offset: start, expectation: "a sign before a percentage: +20% is 20% above the baseline")
            }
            return .relative(percent: sign * number)
        }
        guard sign == nil else {
            throw beforeUnit.fault("% (a number with a sign is compared with the baseline)")
        }
        guard metric.isLatency else { return .absolute(number) }
        let units: [(String, Double)] = [("us", 1), ("ms", 1_000), ("s", 1_000_000)]
        guard let unit = units.first(where: { reader.take($0.0) }) else { throw reader.fault("us, ms or s") }
        return .absolute(number * unit.1)
    }

    /// What the expression says of a run, where it holds or can't be told; nil where it doesn't hold.
    func finding(in report: BenchReport, baseline: BenchReport?) -> String? {
        guard let value = metric.value(in: report) else { return "\(text): the run has no \(metric.rawValue)" }
        switch bound {
        case .absolute(let limit):
            return comparison.holds(value, limit) ? "\(text): \(metric.rawValue) is \(metric.text(value))" : nil
        case .relative(let percent):
            guard let old = baseline.flatMap(metric.value) else {
                return "\(text): the baseline has no \(metric.rawValue)"
            }
            guard comparison.holds(value, old * (1 + percent / 100)) else { return nil }
            let change = old > 0 ? (value / old - 1) * 100 : 0
            let sign = change < 0 ? "-" : "+"
            return "\(text): \(metric.rawValue) is \(metric.text(value)), was \(metric.text(old)) "
                + "(\(sign)\(NumberText.decimal(change.magnitude, digits: 1))%)"
        }
    }

    /// Reads a text from left to right, spaces between words left out.
    private struct Reader {
        private let characters: [Character]
        private var position = 0

        init(_ text: String) {
            characters = Array(text)
            skipSpaces()
        }

        var offset: Int { position }
        var isAtEnd: Bool { position == characters.count }

        func fault(_ expectation: String) -> Fault { Fault(offset: position, expectation: expectation) }

        mutating func take(_ text: String) -> Bool {
            guard characters[position...].starts(with: text) else { return false }
            position += text.count
            skipSpaces()
            return true
        }

        mutating func take(while isPart: (Character) -> Bool) -> String {
            let word = characters[position...].prefix(while: isPart)
            position += word.count
            skipSpaces()
            return String(word)
        }

        private mutating func skipSpaces() {
            while position < characters.count, characters[position] == " " { position += 1 }
        }
    }
}

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
