// How the text of an option's value becomes a value, and how help, manual and completions describe it.

/// What a shell can offer to complete a value with.
package enum Completion: Equatable {
    case none
    case file
    case directory
    /// A command's name, and then files.
    case command
    case choices([String])
    /// The name of a queue that the broker has.
    case queue
    /// A section of the configuration file.
    case section
}

/// The format of an option's value or of an operand.
package struct ValueFormat<Value> {
    /// The name in help and manual, upper case: `DURATION`.
    package var placeholder: String
    /// What is accepted, as it follows "must be" in an error message.
    package var expectation: () -> String
    package var completion: Completion
    /// What to say of a text that doesn't fit, where there is more to say than what is accepted.
    package var complaint: ((String) -> String?)?
    /// nil when the text doesn't fit the format.
    package var parse: (String) -> Value?
    /// The text that people are shown for a value, such as an option's default; nil where a format has none.
    package var show: ((Value) -> String)?

    package init(
        _ placeholder: String, expectation: @autoclosure @escaping () -> String, completion: Completion = .none,
        show: ((Value) -> String)? = nil, parse: @escaping (String) -> Value?
    ) {
        self.placeholder = placeholder
        self.expectation = expectation
        self.completion = completion
        self.show = show
        self.parse = parse
    }
}

extension ValueFormat {
    /// The same format for a value that is kept in another form.
    package func map<Kept>(_ transform: @escaping (Value) -> Kept) -> ValueFormat<Kept> {
        ValueFormat<Kept>(placeholder, expectation: expectation(), completion: completion) { text in
            parse(text).map(transform)
        }
    }
}

extension ValueFormat where Value == String {
    /// Any text, the empty text included.
    package static func text(_ placeholder: String, completion: Completion = .none) -> Self {
        Self(placeholder, expectation: "text", completion: completion) { $0 }
    }

    /// Text that must not be empty: an empty name is a script's unset variable.
    package static func name(_ placeholder: String) -> Self {
        Self(placeholder, expectation: "a name, not empty") { $0.isEmpty ? nil : $0 }
    }

    package static func file(_ placeholder: String = "FILE") -> Self {
        Self(placeholder, expectation: "a file's path", completion: .file) { $0.isEmpty ? nil : $0 }
    }

    package static func directory(_ placeholder: String = "DIR") -> Self {
        Self(placeholder, expectation: "a folder's path", completion: .directory) { $0.isEmpty ? nil : $0 }
    }
}

extension ValueFormat where Value == Int {
    /// A whole number `N` within `range`, in decimal digits only.
    package static func count(_ range: ClosedRange<Int>) -> Self { count("N", range) }

    /// A whole number within `range`, in decimal digits only.
    package static func count(_ placeholder: String, _ range: ClosedRange<Int>) -> Self {
        Self(placeholder, expectation: "a whole number, \(limits(of: range))", show: \.description) { text in
            guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
            return Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private static func limits(of range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
    }
}

extension ValueFormat where Value == Int {
    /// A number of bytes within `range`: `100`, `64k`, `16M`; a k is 1,024.
    package static func size(_ range: ClosedRange<Int>) -> Self {
        Self(
            "SIZE",
            expectation: "a size from \(range.lowerBound) to \(range.upperBound) bytes, such as 100, 64k or 16M",
            show: \.description
        ) { text in
            let digits = text.prefix { ("0"..."9").contains($0) }
            let unit: [Substring: Int] = ["": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            guard let number = Int(digits), let unit = unit[text.dropFirst(digits.count)] else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
            return !overflow && range.contains(bytes) ? bytes : nil
        }
    }
}

extension ValueFormat where Value == Duration {
    /// A `DURATION` within `range`.
    package static func duration(_ range: ClosedRange<Duration>) -> Self { duration("DURATION", range) }

    /// `500ms`, `30s`, `5m`, `2h`, or a bare number of seconds, within `range`.
    package static func duration(_ placeholder: String, _ range: ClosedRange<Duration>) -> Self {
        Self(
            placeholder,
            expectation: "a duration from \(range.lowerBound.shortText) to \(range.upperBound.shortText), "
                + "such as 500ms, 30s, 5m or 2h",
            show: \.shortText
        ) { text in
            Duration(shortText: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension ValueFormat where Value == Duration {
    /// So many in a time, as `5/s`, `100/m`, `1000/h` or `0.5/s`: the time between two, rounded up, so that there are
    /// never more. Between a million a second and one in 10,000 hours.
    package static var rate: Self {
        Self("RATE", expectation: "so many in a time, such as 5/s, 100/m, 1000/h or 0.5/s, up to 1000000/s") { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let periods: [Substring: Int64] = ["s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
            guard parts.count == 2, let period = periods[parts[1]], let count = tenThousandths(parts[0]), count > 0
            else { return nil }
            // At most 3.6e16, which fits.
            let interval = (period * 10_000 + count - 1) / count
            return interval >= 1_000 ? .nanoseconds(interval) : nil
        }
    }

    /// A decimal number with up to four digits behind its point, in ten-thousandths; nil for anything else, or for ten
    /// digits and more before it.
    private static func tenThousandths(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        let digits = parts[0] + fraction
        guard (1...9).contains(parts[0].utf8.count), (1...4).contains(fraction.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(digits + String(repeating: "0", count: 4 - fraction.utf8.count))
    }
}

extension ValueFormat where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of an enumeration's raw values.
    package static func choice(_ placeholder: String) -> Self {
        let names = Value.allCases.map { $0.rawValue }
        return Self(
            placeholder, expectation: names.joined(separator: " or "), completion: .choices(names),
            show: { $0.rawValue }, parse: Value.init(rawValue:))
    }
}

extension Duration {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000),
    ]

    /// Reads `500ms`, `30s`, `5m`, `2h` or a bare number of seconds; nil for anything else or more than 1,000 years.
    package init?(shortText text: String) {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let suffix = text.dropFirst(digits.count)
        guard let number = Int64(digits) else { return nil }
        let unit = suffix.isEmpty ? 1_000 : Self.units.first { $0.suffix == suffix }?.milliseconds
        guard let unit, number <= 31_557_600_000_000 / unit else { return nil }
        self = .milliseconds(number * unit)
    }

    /// The shortest text that reads back as this duration; fractions of a millisecond are dropped.
    package var shortText: String {
        let milliseconds = components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        for unit in Self.units.reversed() where milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
        }
        return "\(milliseconds)ms"
    }
}
