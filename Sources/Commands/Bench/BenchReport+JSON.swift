// A report's way into JSON and back.

import JSON

extension BenchReport {
    /// Why a text is no report.
    struct Malformed: Error {}

    /// The report as JSON, a newline at its end.
    func json() -> String {
        var text: [UInt8] = []
        text.appendIndentedJSON(jsonValue)
        return String(decoding: text, as: UTF8.self) + "\n"
    }

    init(json text: [UInt8]) throws(Malformed) {
        guard let value = try? JSONReader.value(of: text), let report = BenchReport(json: value) else {
            throw Malformed()
        }
        self = report
    }
}

/// What a report is made of.
private protocol ReportPart {
    /// nil where the value is none of these.
    init?(json: JSONValue)
    var jsonValue: JSONValue { get }
}

extension JSONValue {
    /// An object of those parts that there are, sorted by key.
    fileprivate static func object(_ parts: [(String, (any ReportPart)?)]) -> JSONValue {
        .object(
            parts.compactMap { key, part in part.map { JSONMember(key, $0.jsonValue) } }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) })
    }

    fileprivate func part<Part: ReportPart>(_ key: String) -> Part? {
        self[key].flatMap(Part.init(json:))
    }
}

// MARK: - Values

extension String: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let text = json.string else { return nil }
        self = text
    }

    fileprivate var jsonValue: JSONValue { JSONValue(self) }
}

extension Bool: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard case .bool(let flag) = json else { return nil }
        self = flag
    }

    fileprivate var jsonValue: JSONValue { .bool(self) }
}

extension FixedWidthInteger {
    fileprivate init?(json: JSONValue) {
        switch json {
        case .integer(let number): self.init(exactly: number)
        case .unsigned(let number): self.init(exactly: number)
        default: return nil
        }
    }

    fileprivate var jsonValue: JSONValue { JSONValue(self) }
}

extension Int: ReportPart {}
extension UInt64: ReportPart {}

extension Double: ReportPart {
    fileprivate init?(json: JSONValue) {
        switch json {
        case .double(let number): self = number
        case .integer(let number): self = Double(number)
        case .unsigned(let number): self = Double(number)
        default: return nil
        }
    }

    fileprivate var jsonValue: JSONValue { .double(self) }
}

extension [Int]: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard case .array(let values) = json else { return nil }
        let numbers = values.compactMap(Int.init(json:))
        guard numbers.count == values.count else { return nil }
        self = numbers
    }

    fileprivate var jsonValue: JSONValue { .array(map(\.jsonValue)) }
}

// MARK: - Parts

extension BenchReport.Versions: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let workq: String = json.part("workq"), let librabbitmq: String = json.part("librabbitmq"),
            let broker: String = json.part("broker")
        else { return nil }
        self.init(workq: workq, librabbitmq: librabbitmq, broker: broker)
    }

    fileprivate var jsonValue: JSONValue {
        .object([("workq", workq), ("librabbitmq", librabbitmq), ("broker", broker)])
    }
}

extension BenchReport.Parameters: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let producers: Int = json.part("producers"), let consumers: Int = json.part("consumers"),
            let size: Int = json.part("size"), let warmUpSeconds: Double = json.part("warm_up_seconds"),
            let window: Int = json.part("window"), let prefetch: Int = json.part("prefetch"),
            let queueType: String = json.part("queue_type"), let persistent: Bool = json.part("persistent")
        else { return nil }
        self.init(
            producers: producers, consumers: consumers, size: size, messages: json.part("messages"),
            durationSeconds: json.part("duration_seconds"), warmUpSeconds: warmUpSeconds, rate: json.part("rate"),
            window: window, prefetch: prefetch, queueType: queueType, queueArguments: json.part("queue_arguments"),
            persistent: persistent)
    }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("producers", producers), ("consumers", consumers), ("size", size), ("messages", messages),
            ("duration_seconds", durationSeconds), ("warm_up_seconds", warmUpSeconds), ("rate", rate),
            ("window", window), ("prefetch", prefetch), ("queue_type", queueType), ("queue_arguments", queueArguments),
            ("persistent", persistent),
        ])
    }
}

extension BenchReport.Flow: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let messages: Int = json.part("messages"), let seconds: Double = json.part("seconds"),
            let rate: Double = json.part("rate"), let bytesPerSecond: Double = json.part("bytes_per_second")
        else { return nil }
        self.init(messages: messages, seconds: seconds, rate: rate, bytesPerSecond: bytesPerSecond)
    }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("messages", messages), ("seconds", seconds), ("rate", rate), ("bytes_per_second", bytesPerSecond),
        ])
    }
}

extension BenchReport.Latency: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let count: Int = json.part("count"), let min: UInt64 = json.part("min"),
            let mean: Double = json.part("mean"), let p50: UInt64 = json.part("p50"),
            let p90: UInt64 = json.part("p90"), let p99: UInt64 = json.part("p99"),
            let p999: UInt64 = json.part("p99.9"), let max: UInt64 = json.part("max")
        else { return nil }
        self.init(count: count, min: min, mean: mean, p50: p50, p90: p90, p99: p99, p999: p999, max: max)
    }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("count", count), ("min", min), ("mean", mean), ("p50", p50), ("p90", p90), ("p99", p99),
            ("p99.9", p999), ("max", max),
        ])
    }
}

extension BenchReport.Integrity: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let sent: Int = json.part("sent"), let confirmed: Int = json.part("confirmed"),
            let received: Int = json.part("received"), let duplicated: Int = json.part("duplicated"),
            let reordered: Int = json.part("reordered"), let nacked: Int = json.part("nacked"),
            let returned: Int = json.part("returned"), let unconfirmed: Int = json.part("unconfirmed")
        else { return nil }
        self.init(
            sent: sent, confirmed: confirmed, received: received, lost: json.part("lost"), duplicated: duplicated,
            reordered: reordered, nacked: nacked, returned: returned, unconfirmed: unconfirmed)
    }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("sent", sent), ("confirmed", confirmed), ("received", received), ("lost", lost),
            ("duplicated", duplicated), ("reordered", reordered), ("nacked", nacked), ("returned", returned),
            ("unconfirmed", unconfirmed),
        ])
    }
}

extension BenchReport.Interruption: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let kind: String = json.part("kind"), let text: String = json.part("text"),
            let afterSeconds: Double = json.part("after_seconds")
        else { return nil }
        self.init(kind: kind, text: text, afterSeconds: afterSeconds)
    }

    fileprivate var jsonValue: JSONValue {
        .object([("kind", kind), ("text", text), ("after_seconds", afterSeconds)])
    }
}

extension BenchReport.Series: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let intervalSeconds: Double = json.part("interval_seconds"), let messages: [Int] = json.part("messages")
        else { return nil }
        self.init(intervalSeconds: intervalSeconds, messages: messages)
    }

    fileprivate var jsonValue: JSONValue {
        .object([("interval_seconds", intervalSeconds), ("messages", messages)])
    }
}

extension BenchReport: ReportPart {
    fileprivate init?(json: JSONValue) {
        guard let versions: Versions = json.part("versions"), let parameters: Parameters = json.part("parameters"),
            let startedAt: UInt64 = json.part("started_at"), let publish: Flow = json.part("publish"),
            let confirmLatency: Latency = json.part("confirm_latency_microseconds"),
            let integrity: Integrity = json.part("integrity"), let publishSeries: Series = json.part("publish_series")
        else { return nil }
        self.init(
            versions: versions, parameters: parameters, startedAt: startedAt, publish: publish,
            consume: json.part("consume"), confirmLatencyMicroseconds: confirmLatency,
            endToEndLatencyMicroseconds: json.part("end_to_end_latency_microseconds"), integrity: integrity,
            interruption: json.part("interruption"), publishSeries: publishSeries,
            consumeSeries: json.part("consume_series"))
    }

    fileprivate var jsonValue: JSONValue {
        .object([
            ("versions", versions), ("parameters", parameters), ("started_at", startedAt), ("publish", publish),
            ("consume", consume), ("confirm_latency_microseconds", confirmLatencyMicroseconds),
            ("end_to_end_latency_microseconds", endToEndLatencyMicroseconds), ("integrity", integrity),
            ("interruption", interruption), ("publish_series", publishSeries), ("consume_series", consumeSeries),
        ])
    }
}
