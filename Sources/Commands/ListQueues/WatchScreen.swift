// The picture that list-queues --watch draws, as lines of text. Pure: what a terminal does with them is elsewhere.

import Options

/// A screen of queues.
struct WatchScreen {
    var title: String
    var rows: [WatchRow]
    var showsVhost: Bool
    /// What went wrong with the last sample, in place of the foot line.
    var trouble: String?
    /// Whether the terminal shows more than ASCII.
    var isUnicode: Bool
    /// How many rows are above the screen.
    var offset = 0
    var foot = "q leaves"

    private static let numberWidth = 9
    private static let rateWidth = 8

    /// The widths of the parts of a row. The name gets what the others leave; bars, then rates give way where it is
    /// narrow.
    private struct Layout {
        var name: Int
        var bar: Int
        var hasRates: Bool

        init(width: Int) {
            let counts = 2 * (WatchScreen.numberWidth + 1) + 10
            let rates = 2 * (WatchScreen.rateWidth + 1)
            hasRates = width >= counts + rates + 12
            let left = width - counts - (hasRates ? rates : 0)
            bar = left >= 30 ? min(24, (left - 16) / 2) : 0
            name = max(1, left - (bar > 0 ? bar + 1 : 0))
        }
    }

    /// How many rows a screen of that height holds.
    static func rows(height: Int) -> Int { max(0, height - 4) }

    /// Exactly `height` lines of at most `width` terminal columns. The third is the rows' header.
    func lines(width: Int, height: Int) -> [String] {
        let layout = Layout(width: width)
        let room = Self.rows(height: height)
        // The last line tells what isn't shown.
        let shown = rows.count <= room ? rows[...] : rows.dropFirst(offset).prefix(max(0, room - 1))
        let greatest = rows.compactMap(\.ready).max() ?? 0
        var lines = [title, summary, header(layout)]
        lines += shown.map { line($0, layout, greatest: greatest) }
        let below = rows.count - shown.endIndex
        if shown.count < rows.count, room > 0 {
            lines.append(offset > 0 ? "\(offset) more above, \(below) below" : "\(below) more below")
        }
        while lines.count < height - 1 { lines.append("") }
        lines = Array(lines.prefix(max(0, height - 1)))
        if height > 0 { lines.append((trouble ?? foot).escapedForDisplay) }
        return lines.map { $0.truncated(toDisplayWidth: width) }
    }

    private var summary: String {
        let ready = rows.compactMap(\.ready).reduce(0, +)
        let unacknowledged = rows.compactMap(\.unacknowledged).reduce(0, +)
        return [
            "\(NumberText.grouped(rows.count)) queue\(rows.count == 1 ? "" : "s")",
            "\(NumberText.grouped(ready)) ready", "\(NumberText.grouped(unacknowledged)) unacknowledged",
        ].joined(separator: ", ")
    }

    private func header(_ layout: Layout) -> String {
        var cells = ["QUEUE".padded(toDisplayWidth: layout.name), Self.right("READY", Self.numberWidth)]
        if layout.bar > 0 { cells.append(String(repeating: " ", count: layout.bar)) }
        cells.append(Self.right("UNACKED", Self.numberWidth))
        if layout.hasRates { cells += [Self.right("IN/S", Self.rateWidth), Self.right("OUT/S", Self.rateWidth)] }
        return (cells + [Self.right("EMPTY IN", 9)]).joined(separator: " ")
    }

    private func line(_ row: WatchRow, _ layout: Layout, greatest: Int) -> String {
        let name = (showsVhost ? "\(row.vhost): \(row.name)" : row.name).escapedForDisplay
        var cells = [name.padded(toDisplayWidth: layout.name), Self.number(row.ready)]
        if layout.bar > 0 { cells.append(bar(row.ready ?? 0, of: greatest, width: layout.bar)) }
        cells.append(Self.number(row.unacknowledged))
        if layout.hasRates { cells += [Self.rate(row.incoming), Self.rate(row.outgoing)] }
        return (cells + [Self.right(Self.text(row.outlook), 9)]).joined(separator: " ")
    }

    /// A bar of `value` where `greatest` fills the width. What isn't nothing shows at least a sliver.
    private func bar(_ value: Int, of greatest: Int, width: Int) -> String {
        guard greatest > 0, value > 0 else { return String(repeating: " ", count: width) }
        let share = Double(value) / Double(greatest)
        guard isUnicode else {
            return String(repeating: "#", count: max(1, Int((share * Double(width)).rounded())))
                .padded(toDisplayWidth: width)
        }
        let eighths = max(1, Int((share * Double(8 * width)).rounded()))
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        return (String(repeating: "█", count: eighths / 8) + partial).padded(toDisplayWidth: width)
    }

    // MARK: - Numbers

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.displayWidth)) + text
    }

    private static func number(_ value: Int?) -> String {
        guard let value else { return right("-", numberWidth) }
        return right(value < 1_000_000_000 ? fitting(value, numberWidth) : "\(value / 1_000_000)M", numberWidth)
    }

    /// A number with separators, where there is room for them.
    private static func fitting(_ value: Int, _ width: Int) -> String {
        let text = NumberText.grouped(value)
        return text.count <= width ? text : "\(value)"
    }

    private static func rate(_ value: Double?) -> String {
        guard let value, value.isFinite else { return right("-", rateWidth) }
        let tenths = Int((min(value, 1e15) * 10).rounded())
        return right(
            tenths < 100_000 ? NumberText.decimal(Double(tenths) / 10, digits: 1) : fitting(tenths / 10, rateWidth),
            rateWidth)
    }

    static func text(_ outlook: WatchRow.Outlook) -> String {
        switch outlook {
        case .unknown: return "-"
        case .empty: return "empty"
        case .steady: return "steady"
        case .growing: return "growing"
        case .emptyIn(let seconds):
            let seconds = Int(min(seconds.rounded(.up), 1e12))
            switch seconds {
            case ..<60: return "\(seconds)s"
            case ..<3_600: return "\(seconds / 60)m\(twoDigits(seconds % 60))s"
            case ..<86_400: return "\(seconds / 3_600)h\(twoDigits(seconds / 60 % 60))m"
            case ..<31_536_000: return "\(seconds / 86_400)d\(twoDigits(seconds / 3_600 % 24))h"
            default: return "> 1 year"
            }
        }
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
