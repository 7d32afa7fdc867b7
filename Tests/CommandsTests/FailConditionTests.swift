// The conditions of --fail-if: reading them, and what they say of a run.

import Broker
import Testing

@testable import Benchmark
@testable import Commands

@Suite("Fail conditions") struct FailConditionTests {
    private static func report(p99: UInt64, rate: Double, consumers: Int = 1) -> BenchReport {
        let parameters = ConnectionParameters(
            nodes: [], vhost: "/", login: .external, connectionName: "test")
        var plan = BenchPlan(connection: parameters, queue: "q", runID: 1)
        plan.consumers = consumers
        var report = BenchReport(BenchResults(), plan, brokerVersion: "RabbitMQ 3.10.8", startedAt: 1)
        report.publish.rate = rate
        report.endToEndLatencyMicroseconds?.count = 1
        report.confirmLatencyMicroseconds.count = 1
        report.endToEndLatencyMicroseconds?.p99 = p99
        report.confirmLatencyMicroseconds.p99 = 2 * p99
        return report
    }

    @Test(
        "an expression is read, spaces or not",
        arguments: [
            ("p99>+20%", BenchMetric.p99, FailCondition.Comparison.greater, FailCondition.Bound.relative(percent: 20)),
            ("publish-rate<-10%", .publishRate, .less, .relative(percent: -10)),
            (" p99.9 >= 1.5ms ", .p999, .notLess, .absolute(1_500)),
            ("confirm-p99.9<=2s", .confirmP999, .notGreater, .absolute(2_000_000)),
            ("max>700us", .max, .greater, .absolute(700)),
            ("consume-rate<20000", .consumeRate, .less, .absolute(20_000)),
            ("duplicated>0", .duplicated, .greater, .absolute(0)),
        ])
    func reading(
        text: String, metric: BenchMetric, comparison: FailCondition.Comparison, bound: FailCondition.Bound
    ) throws {
        let condition = try FailCondition(text)
        #expect(condition.metric == metric && condition.comparison == comparison && condition.bound == bound)
    }

    @Test(
        "a fault is found at its place",
        arguments: [
            ("", 0, "a figure"), ("p98>1ms", 0, "a figure"), ("p99", 3, ">, >=, < or <="), ("p99=1ms", 3, ">"),
            ("p99>", 4, "a number"), ("p99>+x%", 5, "a number"), ("p99>.5ms", 4, "a number"),
            ("p99>1.2.3ms", 4, "a number"), ("p99>20%", 4, "a sign"), ("p99>+20", 7, "%"), ("p99>20", 6, "us, ms"),
            ("p99>20min", 6, "us, ms"), ("publish-rate>5ms", 14, "the end"), ("p99>5ms x", 8, "the end"),
        ])
    func faults(text: String, offset: Int, expectation: String) {
        let fault = #expect(throws: FailCondition.Fault.self) { try FailCondition(text) }
        #expect(fault?.offset == offset, "\(text)")
        #expect(fault?.expectation.contains(expectation) == true, "\(text): \(fault?.expectation ?? "")")
    }

    @Test("every figure can be named, and is found in a report")
    func metrics() throws {
        let report = Self.report(p99: 1_000, rate: 100)
        for metric in BenchMetric.allCases {
            let condition = try FailCondition("\(metric.rawValue)>=0\(metric.isLatency ? "us" : "")")
            #expect(condition.finding(in: report, baseline: nil)?.contains(metric.rawValue) == true)
        }
    }

    @Test("limits hold or not; a change counts from the baseline")
    func findings() throws {
        let before = Self.report(p99: 1_000, rate: 1_000)
        let slower = Self.report(p99: 1_250, rate: 850)
        func finding(_ text: String, _ report: BenchReport) throws -> String? {
            try FailCondition(text).finding(in: report, baseline: before)
        }
        #expect(try finding("p99>+20%", slower) == "p99>+20%: p99 is 1.25 ms, was 1.00 ms (+25.0%)")
        #expect(try finding("p99>+25%", slower) == nil)
        #expect(try finding("p99>=+25%", slower) != nil)
        #expect(
            try finding("publish-rate<-10%", slower)
                == "publish-rate<-10%: publish-rate is 850 messages/s, was 1,000 messages/s (-15.0%)")
        #expect(try finding("publish-rate<-10%", before) == nil)
        #expect(try finding("p99>1ms", before) == nil)
        #expect(try finding("p99>1ms", slower) == "p99>1ms: p99 is 1.25 ms")
        #expect(try finding("confirm-p99>2ms", slower) != nil)
        #expect(try FailCondition("p99>+1%").finding(in: slower, baseline: nil) == "p99>+1%: the baseline has no p99")
    }

    @Test("without consumers, a latency is that of confirms, and there is no consume rate")
    func withoutConsumers() throws {
        let report = Self.report(p99: 1_000, rate: 10, consumers: 0)
        #expect(try FailCondition("p99>1.9ms").finding(in: report, baseline: nil) != nil)
    }

    @Test("Q11 a figure that a run doesn't have fails, and 0 is no latency of nothing")
    func missing() throws {
        var report = Self.report(p99: 1_000, rate: 10, consumers: 0)
        for text in ["consume-rate<1", "consume-rate>1"] {
            #expect(
                try FailCondition(text).finding(in: report, baseline: nil) == "\(text): the run has no consume-rate")
        }
        report.confirmLatencyMicroseconds.count = 0
        #expect(try FailCondition("p99>1s").finding(in: report, baseline: nil) == "p99>1s: the run has no p99")
    }
}
