// What may be shown: colour, and characters beyond ASCII.

/// How results look. Colour only on a terminal and without NO_COLOR, blocks only where the locale has them.
struct TerminalStyle: Equatable {
    /// Whether the cursor can be moved: a terminal that isn't dumb.
    var hasCursor = false
    var hasColour = false
    var isUnicode = false

    init(hasColour: Bool = false, isUnicode: Bool = false) {
        self.hasColour = hasColour
        self.isUnicode = isUnicode
    }

    /// The style for what `context` writes to `descriptor`.
    init(_ context: CommandContext, descriptor: Int32) {
        let environment = context.environment
        hasCursor = context.isTerminal(descriptor) && environment["TERM"] != "dumb"
        hasColour = hasCursor && (environment["NO_COLOR"] ?? "").isEmpty
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let encoding = locale.lowercased()
        isUnicode = encoding.hasSuffix("utf-8") || encoding.hasSuffix("utf8")
    }

    func strong(_ text: String) -> String { escaped(text, "1") }
    func faint(_ text: String) -> String { escaped(text, "2") }
    func accent(_ text: String) -> String { escaped(text, "36") }
    func good(_ text: String) -> String { escaped(text, "32") }
    func bad(_ text: String) -> String { escaped(text, "1;31") }

    private func escaped(_ text: String, _ code: String) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static let eighths = Array("▏▎▍▌▋▊▉█")

    /// A bar that fills `fraction` of `width` characters; a fraction above zero is never invisible.
    func bar(_ fraction: Double, width: Int) -> String {
        guard fraction > 0 else { return "" }
        guard isUnicode else {
            return String(repeating: "#", count: max(1, Int((fraction * Double(width)).rounded())))
        }
        let parts = max(1, Int((fraction * Double(width) * 8).rounded()))
        let rest = parts % 8
        return String(repeating: "█", count: parts / 8) + (rest > 0 ? String(Self.eighths[rest - 1]) : "")
    }
}
