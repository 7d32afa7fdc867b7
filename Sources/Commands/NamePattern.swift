// A regular expression over queue names, the same for all commands that choose queues by one.

import Options

/// What `--match` takes: a regular expression that may match anywhere in a name; `^` and `$` tie it to the ends.
struct NamePattern {
    let text: String
    private let regex: Regex<AnyRegexOutput>

    /// nil when the text is no regular expression.
    init?(_ text: String) {
        guard !text.isEmpty, let regex = try? Regex(text) else { return nil }
        self.text = text
        // By scalars: a combining mark behind a letter must not hide the letter.
        self.regex = regex.matchingSemantics(.unicodeScalar)
    }

    func matches(_ name: String) -> Bool {
        (try? regex.firstMatch(in: name)) != nil
    }
}

extension ValueFormat where Value == NamePattern {
    static var pattern: Self {
        Self("REGEX", expectation: "a regular expression, such as ^mail\\.") { NamePattern($0) }
    }
}
