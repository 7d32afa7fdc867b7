// What can be named in an expression, and what the names hold.

import Options

/// The names of a kind of expression.
struct Vocabulary<Name: Hashable> {
    /// What a word names.
    enum Meaning {
        case name(Name, ExpressionKind)
        /// It exists and can't be compared, which is told as it is here.
        case incomparable(String)
        case nothing
    }

    /// What people call a name: "column".
    var noun: String
    var meaning: (String) -> Meaning
    /// Names to list and to guess from when a word means nothing.
    var known: [String]
    /// The same figure of an earlier run, of which percentages are taken; nil where there is none.
    var baseline: ((Name) -> Name)?
}

/// What a name holds.
enum ExpressionKind: Equatable {
    case number(Quantity)
    case text
    case flag
    /// It is only known when it is asked for, as the value of a message's header.
    case any
}

/// What can be compared with each other.
enum ExpressionContent {
    case number, text, flag

    var plural: String {
        switch self {
        case .number: "numbers"
        case .text: "texts"
        case .flag: "truth values"
        }
    }

    /// The operators that there are for it.
    var comparisons: String {
        switch self {
        case .number: "==, !=, <, <=, > and >="
        case .text: "==, !=, =~ and !~"
        case .flag: "== and !="
        }
    }
}

extension ExpressionKind {
    /// nil for any.
    var content: ExpressionContent? {
        switch self {
        case .number: .number
        case .text: .text
        case .flag: .flag
        case .any: nil
        }
    }

    /// What to compare it with.
    var expectation: String {
        switch self {
        case .number(let quantity): quantity.expectation
        case .text: "a text in quotes"
        case .flag: "true or false"
        case .any: "a number or a text in quotes"
        }
    }
}

/// A kind of number, and how one is written.
struct Quantity: Equatable, Sendable {
    /// "number".
    let noun: String
    /// What is accepted: "a number such as 100".
    let expectation: String
    /// The number in the unit of the names that hold it; nil when a text is none.
    let number: @Sendable (String) -> Double?

    static func == (left: Quantity, right: Quantity) -> Bool { left.noun == right.noun }

    /// Digits, with a sign and a point at most.
    static let plain = Quantity(noun: "number", expectation: "a number such as 100") { text in
        guard text.utf8.allSatisfy({ UInt8(ascii: "-")...UInt8(ascii: "9") ~= $0 && $0 != UInt8(ascii: "/") }) else {
            return nil
        }
        return Double(text)
    }

    /// In seconds.
    static let time = Quantity(noun: "duration", expectation: "a duration such as 500ms, 30s, 10m or 2h") { text in
        Duration(shortText: text).map { $0 / .seconds(1) }
    }

    /// In bytes.
    static let size = Quantity(noun: "size", expectation: "a size such as 100, 64k or 16M") { text in
        plain.number(text) ?? ValueFormat.size(0...Int.max).parse(text).map(Double.init)
    }
}
