// Numbers as people read them.

/// The texts of numbers on a terminal and in reports.
enum NumberText {
    /// `1,234,567`.
    static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// A number, not negative, with so many digits after the point.
    static func decimal(_ number: Double, digits: Int) -> String {
        let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
        guard number.isFinite, number >= 0, number < 1e15 else { return "-" }
        let scaled = Int((number * Double(scale)).rounded())
        guard digits > 0 else { return grouped(scaled) }
        let fraction = String(scaled % scale)
        return grouped(scaled / scale) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A latency given in microseconds, to three digits: `850 us`, `1.25 ms`, `12.5 ms`, `2.03 s`.
    static func latency(_ microseconds: UInt64) -> String { latency(Double(microseconds)) }

    /// A bound of a scale, whole in its unit: `200 us`, `5 ms`, `1 s`.
    static func bound(_ microseconds: UInt64) -> String {
        if microseconds >= 1_000_000 { return "\(microseconds / 1_000_000) s" }
        return microseconds >= 1_000 ? "\(microseconds / 1_000) ms" : "\(microseconds) us"
    }

    static func latency(_ microseconds: Double) -> String {
        if microseconds < 999.5 { return "\(decimal(microseconds, digits: 0)) us" }
        let (number, unit) = microseconds < 999_500 ? (microseconds / 1e3, "ms") : (microseconds / 1e6, "s")
        return "\(decimal(number, digits: number < 9.995 ? 2 : number < 99.95 ? 1 : 0)) \(unit)"
    }

    /// Bytes a second: `2.35 MB/s`.
    static func bytes(_ perSecond: Double) -> String {
        if perSecond < 999_500 { return "\(decimal(perSecond / 1e3, digits: 1)) kB/s" }
        return "\(decimal(perSecond / 1e6, digits: 1)) MB/s"
    }
}

extension Duration {
    /// A time that goes on while it is looked at: `3 s`, `2 min 5 s`.
    var wholeSecondsText: String { Duration.seconds(max(0, nanoseconds) / 1_000_000_000).spokenText }

    /// A time as people say it: `22 ms`, `3.5 s`, `2 min 5 s`, `1 h 30 min`.
    var spokenText: String {
        let milliseconds = max(0, nanoseconds / 1_000_000)
        if milliseconds < 1_000 { return milliseconds == 0 ? "0 s" : "\(milliseconds) ms" }
        let tenths = (milliseconds + 50) / 100
        if tenths < 600 { return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s" }
        let seconds = (milliseconds + 500) / 1_000
        let (large, small) =
            seconds < 3_600
            ? ((seconds / 60, "min"), (seconds % 60, "s")) : ((seconds / 3_600, "h"), (seconds % 3_600 / 60, "min"))
        return "\(large.0) \(large.1)" + (small.0 == 0 ? "" : " \(small.0) \(small.1)")
    }
}

extension String {
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
    func rightPadded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
