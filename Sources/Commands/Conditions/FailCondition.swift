// The conditions of --fail-if.

/// What must not hold of a run, nor of a run beside an earlier one: `p99>50ms`, `publish-rate<-10% or p99>+20%`.
struct FailCondition {
    /// The expression as given.
    let text: String
    let expression: Expression<BenchFigure>

    init(_ text: String) throws(ExpressionFault) {
        self.text = text
        expression = try Expression(text, .benchFigures)
    }

    /// Whether an earlier run is needed to compare with.
    var isRelative: Bool { expression.names.contains(where: \.isOfBaseline) }

    /// What the expression says of a run, where it holds or can't be told; nil where it doesn't hold.
    func finding(in report: BenchReport, baseline: BenchReport?) -> String? {
        func value(_ figure: BenchFigure) -> Double? {
            (figure.isOfBaseline ? baseline : report).flatMap(figure.metric.value)
        }
        let truth = expression.truth { value($0).map(ExpressionValue.number) ?? .unknown }
        guard truth != .fails else { return nil }
        let findings = expression.names.compactMap { figure -> String? in
            let name = figure.metric.rawValue
            guard let value = value(figure) else {
                return "the \(figure.isOfBaseline ? "baseline" : "run") has no \(name)"
            }
            guard truth == .holds, !figure.isOfBaseline else { return nil }
            let isCompared = expression.names.contains(BenchFigure(figure.metric, isOfBaseline: true))
            let old = isCompared ? baseline.flatMap(figure.metric.value) : nil
            return "\(name) is \(figure.metric.text(value))" + (old.map { Self.change(figure.metric, $0, value) } ?? "")
        }
        return "\(text): \(findings.joined(separator: ", "))"
    }

    private static func change(_ metric: BenchMetric, _ old: Double, _ value: Double) -> String {
        let change = old > 0 ? (value / old - 1) * 100 : 0
        let sign = change < 0 ? "-" : "+"
        return ", was \(metric.text(old)) (\(sign)\(NumberText.decimal(change.magnitude, digits: 1))%)"
    }
}

/// A figure of a run, or the same of the run that it is compared with.
struct BenchFigure: Hashable {
    var metric: BenchMetric
    var isOfBaseline: Bool

    init(_ metric: BenchMetric, isOfBaseline: Bool = false) {
        self.metric = metric
        self.isOfBaseline = isOfBaseline
    }
}

extension Vocabulary<BenchFigure> {
    static var benchFigures: Self {
        Self(
            noun: "figure",
            meaning: { word in
                guard let metric = BenchMetric(rawValue: word) else { return .nothing }
                return .name(BenchFigure(metric), .number(metric.isLatency ? .latency : .amount))
            },
            known: BenchMetric.allCases.map(\.rawValue),
            baseline: { BenchFigure($0.metric, isOfBaseline: true) })
    }
}

extension Quantity {
    /// In microseconds. The unit must be there: 20 of what would be a guess.
    fileprivate static let latency = Quantity(
        noun: "latency", expectation: "a latency with us, ms or s, such as 1.5ms"
    ) { text in
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let units: [Substring: Double] = ["us": 1, "ms": 1_000, "s": 1_000_000]
        guard let number = amount.number(String(digits)), let unit = units[text.dropFirst(digits.count)] else {
            return nil
        }
        return number * unit
    }

    /// None is below 0, and -10 would be taken for -10%.
    fileprivate static let amount = Quantity(noun: "number", expectation: "a number such as 100") { text in
        text.first?.isNumber == true ? plain.number(text) : nil
    }
}
