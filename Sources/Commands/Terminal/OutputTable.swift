// Rows as an aligned table, for people.

import Management

/// A table of rows.
struct OutputTable {
    /// What a table is shown on.
    struct Terminal {
        var width: Int
        var style = TerminalStyle()
    }

    fileprivate struct Cell {
        var text: String
        /// How it looks: what is nothing steps back.
        var isFaint = false
    }

    /// Columns are this far apart.
    private static let gap = 2
    /// No text is cut further than that to make room.
    private static let leastText = 12

    private let columns: [QueueColumn]
    private let hasHeader: Bool
    private let terminal: Terminal?
    private var rows: [[Cell]]
    private let total: [Cell]?
    /// How wide each column is.
    private var widths: [Int]

    /// On a terminal numbers have separators, and several rows a total.
    init(_ output: OutputRows, hasHeader: Bool, on terminal: Terminal?) {
        columns = output.columns
        self.hasHeader = hasHeader
        self.terminal = terminal
        rows = output.rows.map { row in
            zip(output.columns, row).map { Cell($1, of: $0, onTerminal: terminal != nil) }
        }
        total = terminal != nil && hasHeader ? output.totals : nil
        widths = columns.map { hasHeader ? $0.name.utf8.count : 0 }
        for row in rows + (total.map { [$0] } ?? []) {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.text.displayWidth) }
        }
        if let terminal { fit(to: terminal.width) }
    }

    var text: String {
        if let terminal, !rows.isEmpty, usedWidth > terminal.width { return records }
        let style = terminal?.style ?? TerminalStyle()
        var lines = hasHeader ? header.map { line($0.map { Cell(text: $0) }, style.strong) } : []
        lines += rows.map { line($0) { $0 } }
        if let total { lines.append(line(total, style.faint)) }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A line of cells, `emphasis` added to each that isn't faint.
    private func line(_ cells: [Cell], _ emphasis: (String) -> String) -> String {
        let style = terminal?.style ?? TerminalStyle()
        var line = ""
        // Spaces wait until something follows them.
        var spaces = 0
        for (index, cell) in cells.enumerated() {
            let text = cell.text.truncated(toDisplayWidth: widths[index])
            let padding = widths[index] - text.displayWidth
            if columns[index].isRightAligned { spaces += padding }
            if !text.isEmpty {
                line += String(repeating: " ", count: spaces) + (cell.isFaint ? style.faint(text) : emphasis(text))
                spaces = 0
            }
            spaces += Self.gap + (columns[index].isRightAligned ? 0 : padding)
        }
        return line
    }

    // MARK: - Fitting

    private var usedWidth: Int { widths.reduce(0, +) + Self.gap * (widths.count - 1) }

    /// Takes from the widest columns what doesn't fit. Headers go over several lines first, then long texts are cut:
    /// one long name mustn't make all rows wrap. Numbers are never cut.
    private mutating func fit(to width: Int) {
        let contents = columns.indices.map { index in
            (rows + (total.map { [$0] } ?? [])).map { $0[index].text.displayWidth }.max() ?? 1
        }
        let pieces = columns.map { Self.pieces(of: $0.name).map(\.utf8.count).max() ?? 1 }
        let stacked = columns.indices.map { max(contents[$0], hasHeader ? pieces[$0] : 1) }
        shrink(to: stacked, width)
        shrink(
            to: columns.indices.map { columns[$0].isRightAligned ? widths[$0] : min(stacked[$0], Self.leastText) },
            width)
    }

    private mutating func shrink(to least: [Int], _ width: Int) {
        while usedWidth > width {
            let candidates = widths.indices.filter { widths[$0] > least[$0] }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
        }
    }

    /// The names of the columns, over as many lines as they need, standing on the last one.
    private var header: [[String]] {
        let stacks = zip(columns, widths).map { Self.stack($0.name, width: $1) }
        let height = stacks.map(\.count).max() ?? 1
        return (0..<height).map { line in
            stacks.map { stack in
                let index = line - (height - stack.count)
                return index >= 0 ? stack[index] : ""
            }
        }
    }

    private static func stack(_ name: String, width: Int) -> [String] {
        pieces(of: name).reduce(into: []) { lines, piece in
            if let last = lines.last, last.utf8.count + piece.utf8.count <= width {
                lines[lines.count - 1] += piece
            } else {
                lines.append(piece)
            }
        }
    }

    /// A name may be broken behind an underscore.
    private static func pieces(of name: String) -> [String] {
        let words = name.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        return words.dropLast().map { $0 + "_" } + words.suffix(1)
    }

    /// What no terminal is wide enough for: a line a value, a block a row.
    private var records: String {
        let style = terminal?.style ?? TerminalStyle()
        let names = columns.map { hasHeader ? $0.name : "" }
        let width = names.map(\.utf8.count).max() ?? 0
        let blocks = rows.map { row in
            zip(names, row).map { name, cell in
                (hasHeader
                    ? style.strong(name) + String(repeating: " ", count: width - name.utf8.count + Self.gap) : "")
                    + (cell.isFaint ? style.faint(cell.text) : cell.text) + "\n"
            }.joined()
        }
        return blocks.joined(separator: "\n")
    }
}

extension OutputTable.Cell {
    fileprivate init(_ value: QueueValue, of column: QueueColumn, onTerminal isOnTerminal: Bool) {
        text = value.text.escapedForDisplay
        guard isOnTerminal else { return }
        switch value {
        case .integer(0), .unknown: isFaint = true
        case .integer(let number) where column.isAmount: text = NumberText.grouped(number)
        default: break
        }
    }
}

extension OutputRows {
    /// What the columns of amounts come to, nil where that says nothing new.
    fileprivate var totals: [OutputTable.Cell]? {
        guard rows.count > 1, columns.first?.isRightAligned == false, columns.contains(where: \.isAmount) else {
            return nil
        }
        return columns.enumerated().map { index, column in
            guard column.isAmount else { return OutputTable.Cell(text: index == 0 ? "total" : "") }
            let sum = rows.reduce(0.0) { $0 + ($1[index].number ?? 0) }
            return OutputTable.Cell(text: Int(exactly: sum).map(NumberText.grouped) ?? "")
        }
    }
}

extension QueueColumn {
    /// Whether it counts something of which several queues have the sum. Retries are counted beside the queue that
    /// they belong to, and in their own.
    fileprivate var isAmount: Bool {
        kind == .bytes || kind == .count && (name.hasPrefix("messages") || name == "consumers")
    }
}
