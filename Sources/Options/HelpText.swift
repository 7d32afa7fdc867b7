// What --help prints: everything needed to type a command line, and where to read more.

/// The help texts of a tool.
package struct HelpText {
    private let tool: ToolDescription
    /// The widest line, in characters. Synopses, examples and single words may be wider, since a break would spoil them.
    private let width: Int

    package init(of tool: ToolDescription, width: Int = 80) {
        self.tool = tool
        self.width = width
    }

    /// The help for `command`, or for the tool as a whole; it ends in a newline.
    package func text(for command: CommandDescription? = nil) -> String {
        let blocks = command.map(commandBlocks) ?? toolBlocks
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var toolBlocks: [[String]] {
        let commands = tool.commands.filter { !$0.isHidden }
        let commandRows = commands.map { Row(label: $0.name, text: $0.summary) }
        let optionRows = tool.options.map(Row.init(option:))
        let name = tool.name
        return [
            "\(name) - \(tool.summary.withoutBackquotes)".filled(width: width),
            usage(["[OPTION...] COMMAND [OPTION...] [OPERAND...]"]),
            list("Commands", commandRows, column: column(for: commandRows)),
            list("Options", optionRows, column: column(for: optionRows)),
            "\"\(name) help COMMAND\" explains a command, \"man \(name)\" everything.".filled(width: width),
        ]
    }

    private func commandBlocks(_ command: CommandDescription) -> [[String]] {
        let operands = command.operands + (command.rest.map { [$0] } ?? [])
        let operandRows = operands.map { Row(label: $0.placeholder, text: $0.summary) }
        let optionColumn = column(for: command.options.map(Row.init(option:)))
        let name = "\(tool.name) \(command.name)"
        var blocks = [
            "\(name) - \(command.summary.withoutBackquotes)".filled(width: width),
            usage(command.synopses),
            command.aliases.isEmpty ? [] : ["Also answers to: " + command.aliases.joined(separator: ", ")],
            list("Operands", operandRows, column: column(for: operandRows)),
        ]
        for group in command.optionGroups {
            blocks.append(list(group.title, group.options.map(Row.init(option:)), column: optionColumn))
        }
        blocks.append(examples(command.examples))
        if !command.isHidden { blocks.append("\"man \(tool.name)-\(command.name)\" says more.".filled(width: width)) }
        return blocks
    }

    private func usage(_ synopses: [String]) -> [String] {
        let lead = "Usage: "
        let indent = String(repeating: " ", count: lead.count)
        let lines = synopses.flatMap { synopsis in
            ([tool.name] + synopsis.synopsisUnits).filled(width: width - lead.count - Self.synopsisIndent.count)
                .enumerated().map { $0 == 0 ? $1 : Self.synopsisIndent + $1 }
        }
        return lines.enumerated().map { ($0 == 0 ? lead : indent) + $1 }
    }

    private static let synopsisIndent = "    "

    private func examples(_ examples: [Example]) -> [String] {
        guard !examples.isEmpty else { return [] }
        let blocks = examples.map { example in
            "\(example.purpose.withoutBackquotes):".filled(width: width - 2).map { "  " + $0 }
                + example.script.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? "" : "      " + $0 }
        }
        return ["Examples:"] + blocks.joined(separator: [""])
    }
}

// MARK: - Columns

extension HelpText {
    /// A line of two columns.
    fileprivate struct Row {
        var label: String
        var text: String
    }

    /// The distance of the second column from the left edge: the widest label, unless it would squeeze the texts.
    private func column(for rows: [Row]) -> Int {
        let widest = rows.map(\.label.count).filter { $0 <= width * 2 / 5 }.max() ?? 0
        return 2 + widest + 2
    }

    private func list(_ title: String, _ rows: [Row], column: Int) -> [String] {
        rows.isEmpty ? [] : ["\(title):"] + rows.flatMap { lines($0, column: column) }
    }

    private func lines(_ row: Row, column: Int) -> [String] {
        let indent = String(repeating: " ", count: column)
        let label = "  " + row.label
        let texts = row.text.withoutBackquotes.filled(width: max(width - column, 20)).map { indent + $0 }
        guard let first = texts.first else { return [label] }
        guard label.count + 2 <= column else { return [label] + texts }
        return [label + first.dropFirst(label.count)] + texts.dropFirst()
    }
}

extension HelpText.Row {
    /// An option's row: `-j, --jobs N` and what it does, `[1]` being its default.
    fileprivate init(option: OptionDescription) {
        let hasShort = option.spellings.first.map { !$0.hasPrefix("--") } ?? false
        label = (hasShort ? "" : "    ") + option.spellings.joined(separator: ", ")
        if let placeholder = option.placeholder { label += " " + placeholder }
        text = ([option.summary] + option.remarks).joined(separator: " ")
    }
}

extension OptionDescription {
    /// What the summary needn't say, since the table knows it: choices, whether it may be repeated, and the default.
    fileprivate var remarks: [String] {
        var facts: [String] = []
        if case .choices(let choices) = completion, choices.count <= 8, !choices.allSatisfy(summary.contains) {
            facts.append(choices.alternatives)
        }
        if isRepeatable { facts.append("repeatable") }
        var sources = environment.map { "$" + $0 }
        if let defaultText { sources.append(sources.isEmpty ? defaultText : "else \(defaultText)") }
        return (facts.isEmpty ? [] : ["(\(facts.joined(separator: "; ")))"])
            + (sources.isEmpty ? [] : ["[\(sources.joined(separator: ", "))]"])
    }
}

extension String {
    /// The synopsis cut at blanks, but not inside brackets and not between an option and its value.
    var synopsisUnits: [String] {
        var units: [String] = []
        var depth = 0
        for word in split(separator: " ").map(String.init) {
            let isValue = units.last.map { $0.hasPrefix("-") && $0 != "--" && !$0.contains(" ") } ?? false
            if depth > 0 || (isValue && word.isPlaceholder) {
                units[units.count - 1] += " " + word
            } else {
                units.append(word)
            }
            depth += word.count { $0 == "[" } - word.count { $0 == "]" }
        }
        return units
    }

    /// Whether the word stands for something else, as upper case says.
    var isPlaceholder: Bool {
        contains { $0.isLetter } && !contains { $0.isLowercase } && !hasPrefix("-") && !hasPrefix("[")
    }
}
