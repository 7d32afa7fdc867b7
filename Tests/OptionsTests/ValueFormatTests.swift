// What the value formats accept, to the last number of their ranges.

import TestSupport
import Testing

@testable import Options

@Suite("Value formats") struct ValueFormatTests {
    @Test(
        "durations are read with their unit, and as seconds without one",
        arguments: [
            ("500ms", .milliseconds(500)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7_200)),
            ("45", .seconds(45)), ("0", .zero), ("007", .seconds(7)), ("8766000h", .seconds(31_557_600_000)),
        ] as [(String, Duration)])
    func durations(text: String, duration: Duration) {
        #expect(Duration(shortText: text) == duration)
    }

    @Test(
        "anything else is no duration, and neither is what would overflow",
        arguments: [
            "", "s", "ms", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1d", "1sec", "1h30m", "0x10", "٣s",
            "1\u{301}s",
            "9223372036854775807", "9223372036854775807h", "9223372036854775808ms", "99999999999999999999s", "8766001h",
        ])
    func noDurations(text: String) {
        #expect(Duration(shortText: text) == nil)
    }

    @Test(
        "a duration is shown in the largest unit that divides it",
        arguments: [
            (.zero, "0s"), (.milliseconds(1), "1ms"), (.milliseconds(1_500), "1500ms"), (.seconds(30), "30s"),
            (.seconds(90), "90s"), (.seconds(300), "5m"), (.seconds(7_200), "2h"), (.microseconds(999), "0s"),
        ] as [(Duration, String)])
    func shortTexts(duration: Duration, text: String) {
        #expect(duration.shortText == text)
    }

    @Test("a duration's short text reads back as the same duration", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let unit: Int64 = [1, 1_000, 60_000, 3_600_000].pick(&generator)
        let duration = Duration.milliseconds(unit * Int64.random(in: 0...8_766_000, using: &generator))
        #expect(Duration(shortText: duration.shortText) == duration)
    }

    @Test("a duration's limits belong to its range")
    func durationRange() {
        let format = ValueFormat.duration(.milliseconds(10) ... .seconds(60))
        #expect(format.placeholder == "DURATION")
        #expect(format.parse("10ms") == .milliseconds(10) && format.parse("1m") == .seconds(60))
        #expect(format.parse("9ms") == nil && format.parse("61s") == nil && format.parse("") == nil)
        #expect(format.expectation() == "a duration from 10ms to 1m, such as 500ms, 30s, 5m or 2h")
    }

    @Test(
        "a rate is the time between two, rounded up",
        arguments: [
            ("5/s", .milliseconds(200)), ("100/m", .milliseconds(600)), ("1000/h", .milliseconds(3_600)),
            ("0.5/s", .seconds(2)), ("3/s", .nanoseconds(333_333_334)), ("1/h", .seconds(3_600)),
            ("0.0001/h", .seconds(36_000_000)), ("1000000/s", .microseconds(1)), ("60000000/m", .microseconds(1)),
            ("007.50/s", .nanoseconds(133_333_334)),
        ] as [(String, Duration)])
    func rates(text: String, interval: Duration) {
        #expect(ValueFormat<Duration>.rate.parse(text) == interval)
    }

    @Test(
        "anything else is no rate",
        arguments: [
            "", "5", "/s", "5/", "5/d", "5/S", "5/ms", "5/2s", "5 /s", "5/ s", "-5/s", "+5/s", "0/s", "0.0/h", ".5/s",
            "5./s", "0.00001/s", "1e3/s", "5/s/s", "1,5/s", "٣/s", "1100000/s", "9999999999/h", "1.2.3/s", "0x1/s",
        ])
    func noRates(text: String) {
        #expect(ValueFormat<Duration>.rate.parse(text) == nil)
    }

    @Test("a count's limits belong to its range")
    func counts() {
        let format = ValueFormat.count("PORT", 1...65_535)
        #expect(format.parse("1") == 1 && format.parse("65535") == 65_535 && format.parse("0001") == 1)
        #expect(format.parse("0") == nil && format.parse("65536") == nil)
        #expect(format.expectation() == "a whole number, from 1 to 65535")
        #expect(ValueFormat.count(0 ... .max).expectation() == "a whole number, 0 or more")
        #expect(ValueFormat.count(0 ... .max).placeholder == "N")
    }

    @Test(
        "a count is written in decimal digits and nothing else",
        arguments: ["", "-1", "+1", "1e3", "1_000", "1 ", " 1", "0x1", "٣", "１", "1\u{301}", "9223372036854775808"])
    func noCounts(text: String) {
        #expect(ValueFormat.count("N", 0 ... .max).parse(text) == nil)
    }

    @Test("the largest number is a count too")
    func largestCount() {
        #expect(ValueFormat.count("N", 0 ... .max).parse("9223372036854775807") == .max)
    }

    @Test("text may be empty, a name and a file may not")
    func texts() {
        #expect(ValueFormat.text("TEXT").parse("") == "")
        #expect(ValueFormat.name("NAME").parse("") == nil && ValueFormat.name("NAME").parse(" ") == " ")
        #expect(ValueFormat.file().parse("") == nil && ValueFormat.file().parse("-") == "-")
        #expect(ValueFormat.file().completion == .file && ValueFormat.text("TEXT").completion == .none)
    }

    @Test("a choice is one of the raw values, spelled exactly")
    func choices() {
        let format = ValueFormat<Format>.choice("FORMAT")
        #expect(format.parse("tsv") == .tsv)
        #expect(format.parse("TSV") == nil && format.parse("") == nil && format.parse("ts") == nil)
        #expect(format.completion == .choices(["table", "tsv", "json"]))
    }

    @Test("a size is a number of bytes, or of k, M or G of 1,024 each, within its range")
    func sizes() {
        let format = ValueFormat<Int>.size(24...1 << 30)
        for (text, bytes) in [("24", 24), ("64k", 65_536), ("16M", 16 << 20), ("1G", 1 << 30)] {
            #expect(format.parse(text) == bytes)
        }
        for text in [
            "", "k", "23", "-1", "1K", "2G", "1.5k", "64 k", "0x20", "99999999999999999999", "9223372036854775807k",
        ] {
            #expect(format.parse(text) == nil, "\(text)")
        }
    }
}
