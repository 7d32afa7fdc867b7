// What a bench sends, and when.

import Broker
import Posix
import Testing

@testable import Benchmark

@Suite("Bench schedule") struct BenchScheduleTests {
    private static func plan() -> BenchPlan {
        let parameters = ConnectionParameters(
            nodes: [], vhost: "/", login: .external, connectionName: "test")
        return BenchPlan(connection: parameters, queue: "q", runID: 1)
    }

    @Test("producers take turns in one evenly spaced schedule, however long the run is")
    func spacing() {
        let start = Instant(nanoseconds: 1_000)
        let schedules = (0..<3).map { SendSchedule(start: start, rate: 3_000, producers: 3, producer: $0) }
        for sequence: UInt64 in [1, 2, 1_000, 1_001, 31_536_000_000] {
            let position = Int64(sequence - 1) * 3
            for (producer, schedule) in schedules.enumerated() {
                let expected = (position + Int64(producer)) / 3 * 1_000_000 + Int64(producer) * 1_000_000 / 3
                let time = (schedule.time(of: sequence) - start).nanoseconds
                #expect(abs(time - expected) <= 1, "\(producer) \(sequence)")
            }
        }
        let odd = SendSchedule(start: start, rate: 7, producers: 1, producer: 0)
        #expect(odd.time(of: 8) == start + .seconds(1), "rounding doesn't add up")
    }

    @Test("measuring starts after the warm-up, and ends by time or by number")
    func times() {
        var plan = Self.plan()
        plan.warmUp = .seconds(2)
        plan.extent = .duration(.seconds(3))
        let start = Instant(nanoseconds: 5)
        #expect(BenchTimes(plan, start: start).measureStart == start + .seconds(2))
        #expect(BenchTimes(plan, start: start).end == start + .seconds(5))
        plan.extent = .messages(10)
        #expect(BenchTimes(plan, start: start).end == .never)
    }

    @Test("producers share the messages, none left over", arguments: [1, 2, 3, 7, 20])
    func shares(producers: Int) {
        var plan = Self.plan()
        plan.producers = producers
        plan.extent = .messages(10)
        let shares = (0..<producers).compactMap { plan.share(of: $0) }
        #expect(shares.reduce(0, +) == 10 && shares.count == producers)
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
        plan.extent = .duration(.seconds(1))
        #expect(plan.share(of: 0) == nil)
    }

    @Test("a queue that nobody consumes from outlasts the run, within what RabbitMQ takes")
    func expiry() {
        var plan = Self.plan()
        plan.extent = .duration(.seconds(600))
        #expect(plan.queueExpiry == .seconds(60))
        plan.consumers = 0
        #expect(plan.queueExpiry > .seconds(660))
        plan.extent = .messages(1_000_000)
        #expect(plan.queueExpiry > .seconds(5_000))
        plan.rate = 10
        #expect(plan.queueExpiry > .seconds(100_000))
        plan.extent = .messages(.max)
        #expect(plan.queueExpiry.milliseconds == 4_294_967_295)
    }

    @Test("consumers acknowledge well before they may hold no more")
    func acknowledging() {
        var plan = Self.plan()
        for (prefetch, every) in [(0, 500), (1, 1), (2, 1), (3, 1), (100, 50), (65_535, 500)] {
            plan.prefetch = prefetch
            #expect(plan.acknowledgesEvery == every)
        }
    }
}
