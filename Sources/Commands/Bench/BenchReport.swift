// The results of a bench for programs, and for comparing with a later one.

import Benchmark
import Broker

/// What `--format json` writes and `--baseline` reads. Latencies are in microseconds, rates in messages a second.
struct BenchReport: Equatable {
    struct Versions: Equatable {
        var workq: String
        var librabbitmq: String
        var broker: String
    }

    struct Parameters: Equatable {
        var producers: Int
        var consumers: Int
        var size: Int
        var messages: Int?
        var durationSeconds: Double?
        var warmUpSeconds: Double
        var rate: Int?
        var window: Int
        var prefetch: Int
        var queueType: String
        /// What the queue was declared with besides, as JSON; nil where that is nothing.
        var queueArguments: String?
        var persistent: Bool
    }

    struct Flow: Equatable {
        var messages: Int
        var seconds: Double
        var rate: Double
        var bytesPerSecond: Double
    }

    struct Latency: Equatable {
        var count: Int
        var min: UInt64
        var mean: Double
        var p50: UInt64
        var p90: UInt64
        var p99: UInt64
        var p999: UInt64
        var max: UInt64
    }

    struct Integrity: Equatable {
        var sent: Int
        var confirmed: Int
        var received: Int
        /// nil where the run was interrupted.
        var lost: Int?
        var duplicated: Int
        var reordered: Int
        var nacked: Int
        var returned: Int
        var unconfirmed: Int
    }

    struct Interruption: Equatable {
        var kind: String
        var text: String
        var afterSeconds: Double
    }

    struct Series: Equatable {
        var intervalSeconds: Double
        var messages: [Int]
    }

    var versions: Versions
    var parameters: Parameters
    /// Seconds since 1970.
    var startedAt: UInt64
    var publish: Flow
    var consume: Flow?
    var confirmLatencyMicroseconds: Latency
    var endToEndLatencyMicroseconds: Latency?
    var integrity: Integrity
    var interruption: Interruption?
    var publishSeries: Series
    var consumeSeries: Series?
}

extension BenchReport {
    init(_ results: BenchResults, _ plan: BenchPlan, brokerVersion: String, startedAt: UInt64) {
        versions = Versions(workq: Version.workq, librabbitmq: Library.version, broker: brokerVersion)
        parameters = Parameters(plan)
        self.startedAt = startedAt
        publish = Flow(results.publishing, size: plan.size)
        confirmLatencyMicroseconds = Latency(results.confirmLatency)
        integrity = Integrity(
            sent: results.sent, confirmed: results.confirmed, received: results.received, lost: results.lost,
            duplicated: results.duplicated, reordered: results.reordered, nacked: results.nacked,
            returned: results.returned, unconfirmed: results.unconfirmed)
        interruption = results.interruption.map {
            Interruption(kind: $0.kind, text: $0.text, afterSeconds: results.ranFor.inSeconds)
        }
        publishSeries = Series(results.published)
        guard plan.consumers > 0 else { return }
        consume = Flow(results.consuming, size: plan.size)
        endToEndLatencyMicroseconds = Latency(results.arrivalLatency)
        consumeSeries = Series(results.consumed)
    }
}

extension BenchReport.Parameters {
    init(_ plan: BenchPlan) {
        self.init(
            producers: plan.producers, consumers: plan.consumers, size: plan.size,
            warmUpSeconds: plan.warmUp.inSeconds, rate: plan.rate, window: plan.window, prefetch: plan.prefetch,
            queueType: plan.backlog == nil ? plan.queueType.rawValue : "kept", persistent: plan.isPersistent)
        if !plan.queueArguments.isEmpty {
            var text: [UInt8] = []
            plan.queueArguments.appendJSON(to: &text)
            queueArguments = String(decoding: text, as: UTF8.self)
        }
        switch plan.extent {
        case .messages(let count): messages = count
        case .duration(let duration): durationSeconds = duration.inSeconds
        }
    }
}

extension BenchReport.Flow {
    fileprivate init(_ flow: BenchResults.Flow, size: Int) {
        self.init(
            messages: flow.messages, seconds: flow.seconds, rate: flow.rate,
            bytesPerSecond: flow.rate * Double(size))
    }
}

extension BenchReport.Latency {
    init(_ latencies: LatencyHistogram) {
        self.init(
            count: latencies.count, min: latencies.minimum, mean: latencies.mean, p50: latencies.percentile(50),
            p90: latencies.percentile(90), p99: latencies.percentile(99), p999: latencies.percentile(99.9),
            max: latencies.maximum)
    }
}

extension BenchReport.Series {
    fileprivate init(_ series: ThroughputSeries) {
        self.init(intervalSeconds: series.interval.inSeconds, messages: series.counts)
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(nanoseconds) / 1e9 }
}
