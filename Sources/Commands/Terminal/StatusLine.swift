// A line of progress on a terminal that gets out of the way of everything else.

import Posix

/// The last line of a terminal's standard error, drawn over and over and taken away in the end.
final class StatusLine {
    private static let clearing = "\r\u{1B}[K"

    private static let barWidth = 16

    /// Whether there is a terminal that can show it.
    let isActive: Bool
    private let style: TerminalStyle
    private let descriptor: Int32
    private var isShown = false

    init(_ context: CommandContext, isWanted: Bool) {
        descriptor = context.standardError
        style = TerminalStyle(context, descriptor: descriptor)
        isActive = isWanted && style.hasCursor
    }

    /// Shows the parts that fit, the first ones before all, behind a bar where it is known what part is done.
    func show(_ parts: [String], done: Double? = nil) {
        guard isActive else { return }
        isShown = true
        var bar = ""
        if let done {
            let blocks = style.bar(done, width: Self.barWidth).padded(toDisplayWidth: Self.barWidth)
            bar = style.accent(blocks) + "\(Int(done * 100))%  ".leftPadded(to: 7)
        }
        let room = TerminalScreen.size(of: descriptor).width - 1 - (done == nil ? 0 : Self.barWidth + 7)
        var text = (parts.first ?? "").truncated(toDisplayWidth: room)
        for part in parts.dropFirst() where text.displayWidth + 2 + part.displayWidth <= room { text += "  \(part)" }
        write(Self.clearing + bar + text)
    }

    /// Takes the line away.
    func clear() {
        guard isShown else { return }
        isShown = false
        write(Self.clearing)
    }

    private func write(_ text: String) {
        // Where nobody can read, nobody can be told either.
        try? Transfer.write(text, to: descriptor)
    }
}
