// How a bench shows its results, to people and to programs.

import Broker
import Posix
import TestSupport
import Testing

@testable import Benchmark
@testable import Commands

@Suite("Bench output") struct BenchOutputTests {
    private static func plan() -> BenchPlan {
        let parameters = ConnectionParameters(
            nodes: [], vhost: "/", login: .external, connectionName: "test")
        return BenchPlan(connection: parameters, queue: "q", runID: 1)
    }

    private static func results() -> BenchResults {
        var results = BenchResults()
        results.sent = 1_000
        results.confirmed = 1_000
        results.received = 1_000
        results.lost = 0
        results.publishing = BenchResults.Flow(messages: 900, time: .seconds(2))
        results.consuming = BenchResults.Flow(messages: 900, time: .seconds(3))
        for microseconds: UInt64 in 1...900 {
            results.confirmLatency.record(microseconds: microseconds)
            results.arrivalLatency.record(microseconds: 10 * microseconds)
        }
        for tenth in 0..<20 { results.published.add(45, at: .milliseconds(100 * tenth)) }
        return results
    }

    private static func summary(_ results: BenchResults, style: TerminalStyle = TerminalStyle()) -> String {
        BenchSummary(plan: plan(), results: results, broker: "RabbitMQ 3.10.8 at amqp://h:5672", style: style).text
    }

    // MARK: - Pieces

    @Test("numbers are grouped and rounded as people read them")
    func numbers() {
        #expect([0, 999, 1_000, 1_234_567].map(NumberText.grouped) == ["0", "999", "1,000", "1,234,567"])
        #expect(NumberText.decimal(1.005, digits: 1) == "1.0" && NumberText.decimal(1_234.56, digits: 1) == "1,234.6")
        #expect(NumberText.decimal(.nan, digits: 1) == "-" && NumberText.decimal(0.96, digits: 1) == "1.0")
        let latencies: [(UInt64, String)] = [
            (0, "0 us"), (999, "999 us"), (1_000, "1.00 ms"), (9_994, "9.99 ms"), (9_996, "10.0 ms"),
            (99_960, "100 ms"), (999_499, "999 ms"), (999_600, "1.00 s"), (75_000_000, "75.0 s"),
        ]
        for (microseconds, text) in latencies { #expect(NumberText.latency(microseconds) == text) }
        #expect(
            [1, 500, 1_000, 50_000, 2_000_000].map(NumberText.bound) == ["1 us", "500 us", "1 ms", "50 ms", "2 s"])
    }

    @Test("a sparkline goes from nothing to the greatest value")
    func sparkline() {
        #expect(Sparkline.text([0, 1, 4, 8], isUnicode: true) == " ▂▅█")
        #expect(Sparkline.text([0, 1, 4, 8], isUnicode: false) == " .=#")
        #expect(Sparkline.text([], isUnicode: true) == "" && Sparkline.text([0, 0], isUnicode: true) == "  ")
    }

    @Test("a throughput series keeps its sum and its limit, however long the run is", arguments: seeds(20))
    func series(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var series = ThroughputSeries()
        var (time, sum) = (0, 0)
        for _ in 0..<3_000 {
            time += Int.random(in: 1...5_000, using: &generator)
            let count = Int.random(in: 0...100, using: &generator)
            sum += count
            series.add(count, at: .milliseconds(time))
        }
        #expect(series.counts.reduce(0, +) == sum && series.counts.count <= ThroughputSeries.limit)
        #expect(series.interval * series.counts.count >= .milliseconds(time))
        #expect(series.rates(columns: 60).count == 60)
    }

    @Test("rates are messages a second, without what the end cut short")
    func rates() {
        var series = ThroughputSeries()
        for tenth in 0..<4 { series.add(10, at: .milliseconds(100 * tenth)) }
        series.add(1, at: .milliseconds(400))
        series.add(5, at: .milliseconds(-1))
        #expect(series.rates(columns: 60) == [100, 100, 100, 100])
        #expect(series.rates(columns: 3) == [100, 100, 100] && ThroughputSeries().rates(columns: 3) == [])
    }

    @Test("a plot's steps hold every latency once")
    func plot() {
        let plot = LatencyPlot(Self.results().arrivalLatency)
        #expect(plot.steps.map(\.count).reduce(0, +) == 900)
        #expect(plot.steps.first?.lower == 10 && plot.steps.last?.upper == 10_000)
        #expect(LatencyPlot(LatencyHistogram()).steps == [])
        for line in plot.lines(width: 20, style: TerminalStyle()) { #expect(line.utf8.allSatisfy { $0 < 0x7F }) }
    }

    @Test("a bar is as long as its share, and never invisible")
    func bars() {
        #expect(TerminalStyle().bar(0.5, width: 10) == "#####" && TerminalStyle().bar(0.001, width: 10) == "#")
        let unicode = TerminalStyle(isUnicode: true)
        #expect(
            unicode.bar(1, width: 3) == "███" && unicode.bar(0.001, width: 10) == "▏" && unicode.bar(0, width: 9) == "")
    }

    @Test("histograms that are put together have the values of both")
    func addition() {
        var (one, other) = (LatencyHistogram(), LatencyHistogram())
        for microseconds: UInt64 in 1...500 { one.record(microseconds: 1_000 * microseconds) }
        for microseconds: UInt64 in 501...1_000 { other.record(microseconds: 1_000 * microseconds) }
        one.add(other)
        #expect(one.count == 1_000 && one.maximum == 1_000_000)
        #expect(abs(Int(one.percentile(50)) - 500_000) <= 500 && abs(Int(one.minimum) - 1_000) <= 1)
        one.record(nanoseconds: .max)
        one.record(nanoseconds: -5)
        #expect(one.count == 1_002 && one.maximum == 3_600_000_000 && one.minimum == 1)
    }

    @Test("the percentile file is the one that HdrHistogram's plotters read")
    func percentileFile() throws {
        let lines = Self.results().confirmLatency.percentileFile.split(separator: "\n")
        #expect(lines[0].split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
        let rows = lines.dropFirst().filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        let percentiles = rows.compactMap { Double($0[1]) }
        #expect(percentiles.count == rows.count && percentiles == percentiles.sorted())
        let last = try #require(rows.last)
        #expect(last.count == 3 && last[0] == "0.900" && last[2] == "900", "milliseconds")
        #expect(LatencyHistogram().percentileFile.hasPrefix(String(lines[0])), "nothing measured")
        #expect(lines.suffix(3).allSatisfy { $0.hasPrefix("#[") })
    }

    // MARK: - Summary

    @Test("a summary tells rates, latencies and that all arrived, in ASCII and without colour unless asked for")
    func summary() {
        let text = Self.summary(Self.results())
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(text)")
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for part in [
            "1 producer, 1 consumer, 100-byte persistent messages, classic queue, window 1,000, prefetch 100",
            "450 messages/s", "300 messages/s", "RabbitMQ 3.10.8 at amqp://h:5672", "p99.9", "End to end", "8.91 ms",
            "all 1,000 confirmed messages arrived, once and in order",
        ] {
            #expect(words.contains(part), "\(part) in \(text)")
        }
        #expect(lines.contains { $0.hasSuffix("classic queue,") }, "\(text)")
        #expect(text.contains("100 of them to warm up"), "\(text)")
        #expect(text.utf8.allSatisfy { $0 < 0x7F && ($0 >= 0x20 || $0 == 0x0A) })
        let coloured = Self.summary(Self.results(), style: TerminalStyle(hasColour: true, isUnicode: true))
        #expect(coloured.contains("\u{1B}[32mall 1,000") && coloured.contains("█"))
    }

    @Test("what went wrong is told, and what isn't known isn't")
    func troubles() {
        var results = Self.results()
        results.lost = 3
        results.duplicated = 2
        results.reordered = 1
        #expect(Self.summary(results).contains("3 LOST, 2 came twice, 1 came out of order, of 1,000 confirmed"))
        results = Self.results()
        results.lost = nil
        results.interruption = .blocked(reason: "low on memory\u{1B}[2J")
        results.ranFor = .milliseconds(3_210)
        let text = Self.summary(results)
        #expect(text.contains("ENDED EARLY after 3.2 s") && text.contains("low on memory\\x1b[2J"), "O15")
        #expect(text.contains("whether all would have arrived is not known") && !text.contains("once and in order"))
    }

    @Test(
        "colour only on a terminal and without NO_COLOR; blocks only where the locale has them",
        arguments: [
            ([:], true, true, false), (["NO_COLOR": "1"], true, false, false), (["TERM": "dumb"], true, false, false),
            ([:], false, false, false), (["LANG": "en_US.UTF-8"], false, false, true),
            (["LC_ALL": "C", "LANG": "de_DE.utf8"], false, false, false), (["LC_CTYPE": "C.UTF-8"], false, false, true),
        ] as [([String: String], Bool, Bool, Bool)])
    func style(environment: [String: String], isTerminal: Bool, hasColour: Bool, isUnicode: Bool) {
        var context = CommandContext(
            environment: Environment(environment), processName: "1@h")
        context.isTerminal = { _ in isTerminal }
        let style = TerminalStyle(context, descriptor: 1)
        #expect(style.hasColour == hasColour && style.isUnicode == isUnicode)
    }

    // MARK: - JSON

    @Test("a report reads back from its JSON, with or without consumers and interruption")
    func json() throws {
        var plan = Self.plan()
        plan.extent = .messages(900)
        let report = BenchReport(Self.results(), plan, brokerVersion: "RabbitMQ 3.10.8", startedAt: 1_700_000_000)
        let text = report.json()
        #expect(try BenchReport(json: Array(text.utf8)) == report)
        for part in [
            "\"end_to_end_latency_microseconds\"", "\"p99.9\" : ", "\"broker\" : \"RabbitMQ 3.10.8\"",
            "\"librabbitmq\" : \"\(Library.version)\"", "\"workq\" : \"\(Version.workq)\"", "\"messages\" : 900",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        plan.consumers = 0
        var results = Self.results()
        results.interruption = .signal(15)
        results.lost = nil
        let other = BenchReport(results, plan, brokerVersion: "x", startedAt: 1)
        #expect(other.consume == nil && other.interruption?.kind == "signal")
        #expect(try BenchReport(json: Array(other.json().utf8)) == other)
        #expect(throws: (any Error).self) { try BenchReport(json: Array("{}".utf8)) }
    }

    @Test("a line a second tells rates and latencies, and when they don't count yet")
    func line() {
        var second = BenchRun.Second(
            elapsed: .seconds(1), isWarmUp: true, isDraining: false, seconds: 2, confirmed: 2_000,
            received: 1_000, waiting: 500, confirmLatency: LatencyHistogram(), arrivalLatency: LatencyHistogram())
        let early = BenchProgress.line(second, consumers: 1, TerminalStyle())
        #expect(early == "    1s  confirmed   1,000/s  received     500/s  waiting     500  warming up")
        second.confirmLatency.record(microseconds: 1_500)
        second.isWarmUp = false
        let later = BenchProgress.line(second, consumers: 0, TerminalStyle())
        #expect(later == "    1s  confirmed   1,000/s  confirm p99 1.50 ms")
    }
}
