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

    private typealias Condition = Expression<BenchFigure>

    @Test("an expression is read, spaces or not")
    func reading() throws {
        func figure(_ metric: BenchMetric) -> Condition.Term { .name(BenchFigure(metric)) }
        func share(_ metric: BenchMetric, _ factor: Double) -> Condition.Term {
            .multiple(BenchFigure(metric, isOfBaseline: true), factor)
        }
        for (text, expected) in [
            ("p99>+20%", .comparison(figure(.p99), .greater, share(.p99, 1.2))),
            ("publish-rate<-10%", .comparison(figure(.publishRate), .less, share(.publishRate, 0.9))),
            (" p99.9 >= 1.5ms ", .comparison(figure(.p999), .greaterOrEqual, .number(1_500))),
            ("confirm-p99.9<=2s", .comparison(figure(.confirmP999), .lessOrEqual, .number(2_000_000))),
            ("max>700us", .comparison(figure(.max), .greater, .number(700))),
            ("consume-rate<20000", .comparison(figure(.consumeRate), .less, .number(20_000))),
            ("duplicated != 0", .comparison(figure(.duplicated), .unequal, .number(0))),
            (
                "p99>5ms and not p50<1ms",
                .and(
                    .comparison(figure(.p99), .greater, .number(5_000)),
                    .not(.comparison(figure(.p50), .less, .number(1_000))))
            ),
        ] as [(String, Condition)] {
            #expect(try FailCondition(text).expression == expected)
        }
    }

    @Test(
        "a fault is found at its place",
        arguments: [
            ("", 1, "a figure"), ("p98>1ms", 1, "no figure is called \"p98\"; did you mean p9"),
            ("p99", 4, "a comparison"), ("p99>", 5, "a figure, a number"), ("p99>+x%", 5, "no percentage such as +20%"),
            ("p99>.5ms", 5, "no latency"), ("p99>1.2.3ms", 5, "no latency"), ("p99>20%", 5, "needs a sign"),
            ("p99>+20", 5, "or +20% for 20% above"), ("p99>20", 5, "with us, ms or s"), ("p99>20min", 5, "us, ms"),
            ("publish-rate>5ms", 14, "no number"), ("publish-rate<-10", 14, "or +20%"), ("p99>5ms x", 9, "the end"),
            ("p99 > publish-rate", 1, "p99 is a latency, and publish-rate a number"), ("p99 =~ 'x'", 5, "not numbers"),
            ("p99 == 'fast'", 1, "p99 holds no texts; it is compared with a latency"), ("+20% > 5", 1, "no number"),
        ])
    func faults(text: String, position: Int, reason: String) {
        let fault = #expect(throws: ExpressionFault.self) { try FailCondition(text) }
        #expect(fault?.position == position && fault?.reason.contains(reason) == true, "\(String(describing: fault))")
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
        #expect(
            try finding("p99>+20% or publish-rate<100", slower)
                == "p99>+20% or publish-rate<100: p99 is 1.25 ms, was 1.00 ms (+25.0%), publish-rate is 850 messages/s")
        #expect(try finding("p99>+20% and publish-rate<100", slower) == nil)
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
        #expect(
            try FailCondition("not consume-rate>1").finding(in: report, baseline: nil)
                == "not consume-rate>1: the run has no consume-rate")
        #expect(try FailCondition("consume-rate<1 and p99>1s").finding(in: report, baseline: nil) == nil)
        report.confirmLatencyMicroseconds.count = 0
        #expect(try FailCondition("p99>1s").finding(in: report, baseline: nil) == "p99>1s: the run has no p99")
    }
}
