// What help prints: everything needed to type a command line, and where to read more.

/// How much help says.
package enum HelpLength: Equatable {
    /// `-h`: a line an option.
    case short
    /// `--help`: what a command does, the options with all that they mean and their defaults.
    case long

    /// What a spelling of the help option asks for.
    package init(_ spelling: String) {
        self = spelling == "-h" ? .short : .long
    }
}

/// The help texts of a tool, each ending in a newline.
package struct HelpText {
    private let tool: ToolDescription
    /// The widest line, in characters. Only what a break would spoil may be wider, such as a quoted word.
    private let width: Int

    /// The widths that help is made for: narrower columns can't hold labels, and wider lines are hard to read.
    package static let widths = 50...120

    package init(of tool: ToolDescription, width: Int = 80) {
        self.tool = tool
        self.width = min(max(width, Self.widths.lowerBound), Self.widths.upperBound)
    }

    /// The commands with a line each and an example: what somebody needs who typed nothing but the tool's name.
    package var overview: String {
        text(of: [commandList, exampleBlock("Example", tool.examples.prefix(1)), pointers])
    }

    /// The help for the tool as a whole.
    package var toolText: String {
        let optionRows = tool.options.map { Row(option: $0, length: .long) }
        return text(of: [
            title(tool.name, tool.summary),
            usage(["[OPTION...] COMMAND [OPTION...] [OPERAND...]"]),
            exampleBlock("Examples", tool.examples.prefix(2)),
            commandList,
            list("Options", optionRows, column: column(for: optionRows)),
            topicList,
            pointers,
        ])
    }

    /// The help for `command`.
    package func text(for command: CommandDescription, _ length: HelpLength = .long) -> String {
        let operands = command.operands + (command.rest.map { [$0] } ?? [])
        let operandRows = operands.map { Row(label: $0.placeholder, text: $0.summary) }
        var blocks = [
            title("\(tool.name) \(command.name)", command.summary),
            length == .long ? command.introduction.first?.withoutBackquotes.filled(width: width) ?? [] : [],
            usage(command.synopses),
            command.aliases.isEmpty ? [] : ["Also answers to: " + command.aliases.joined(separator: ", ")],
            exampleBlock("Examples", command.examples.prefix(2)),
            list("Operands", operandRows, column: column(for: operandRows, length), length),
        ]
        let ownGroups = command.optionGroups.filter { topic(of: $0) == nil }
        let column = column(for: ownGroups.flatMap(\.options).map { Row(option: $0, length: length) }, length)
        for group in command.optionGroups {
            if let topic = topic(of: group) {
                blocks.append(pointer(to: topic, length))
            } else {
                blocks.append(
                    list(group.title, group.options.map { Row(option: $0, length: length) }, column: column, length))
            }
        }
        if !command.isHidden { blocks.append(moreAbout(command, length)) }
        return text(of: blocks)
    }

    /// The help for what several commands have in common.
    package func text(for topic: HelpTopic) -> String {
        let rows = topic.group.options.map { Row(option: $0, length: .long) }
        let paragraphs = topic.introduction.map { $0.withoutBackquotes.filled(width: width) }
        return text(
            of: [title("\(tool.name) help \(topic.name)", topic.summary)] + paragraphs + [
                list(topic.group.title, rows, column: column(for: rows)),
                "\"man \(tool.name)\" says more.".filled(width: width),
            ])
    }
}

// MARK: - Blocks

extension HelpText {
    private func text(of blocks: [[String]]) -> String {
        blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private func title(_ name: String, _ summary: String) -> [String] {
        "\(name) - \(summary.withoutBackquotes)".filled(width: width)
    }

    private var commandList: [String] {
        let rows = tool.commands.filter { !$0.isHidden && $0.name != "help" }
            .map { Row(label: $0.name, text: $0.summary) }
        return list("Commands", rows, column: column(for: rows))
    }

    private var topicList: [String] {
        let rows = tool.topics.map { Row(label: $0.name, text: $0.summary) }
        return list("Other help", rows, column: column(for: rows))
    }

    private var pointers: [String] {
        "\"\(tool.name) help COMMAND\" explains a command, \"man \(tool.name)\" everything.".filled(width: width)
    }

    private func moreAbout(_ command: CommandDescription, _ length: HelpLength) -> [String] {
        let manual = "\"man \(tool.name)-\(command.name)\""
        let text =
            length == .long
            ? "\(manual) says more."
            : "\"\(tool.name) \(command.name) --help\" says more, \(manual) everything."
        return text.filled(width: width)
    }

    /// The topic that explains a group of options.
    private func topic(of group: OptionGroup) -> HelpTopic? {
        tool.topics.first { $0.group.title == group.title }
    }

    private func pointer(to topic: HelpTopic, _ length: HelpLength) -> [String] {
        let lead = "\(topic.group.title): see \"\(tool.name) help \(topic.name)\"."
        guard length == .long else { return lead.filled(width: width) }
        let spellings = topic.group.options.compactMap(\.spellings.last)
        let units = spellings.enumerated().map { $0 + 1 < spellings.count ? "\($1)," : $1 }
        return lead.filled(width: width) + units.filled(width: width - 2).map { "  " + $0 }
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

    private func exampleBlock(_ title: String, _ examples: ArraySlice<Example>) -> [String] {
        guard !examples.isEmpty else { return [] }
        let blocks = examples.map { example in
            "\(example.purpose.withoutBackquotes):".filled(width: width - 2).map { "  " + $0 }
                + example.script.split(separator: "\n", omittingEmptySubsequences: false)
                .flatMap { String($0).shellLines(width: width - 6) }.map { $0.isEmpty ? "" : "      " + $0 }
        }
        return ["\(title):"] + blocks.joined(separator: [""])
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
    private func column(for rows: [Row], _ length: HelpLength = .long) -> Int {
        let limit = length == .short ? width / 4 : width * 2 / 5
        let widest = rows.map(\.label.count).filter { $0 <= limit }.max() ?? 0
        return 2 + widest + 2
    }

    private func list(_ title: String, _ rows: [Row], column: Int, _ length: HelpLength = .long) -> [String] {
        guard !rows.isEmpty else { return [] }
        let texts =
            length == .short ? rows.map { line($0, column: column) } : rows.flatMap { lines($0, column: column) }
        return ["\(title):"] + texts
    }

    private func lines(_ row: Row, column: Int) -> [String] {
        let indent = String(repeating: " ", count: column)
        let label = "  " + row.label
        let texts = row.text.withoutBackquotes.filled(width: max(width - column, 20)).map { indent + $0 }
        guard let first = texts.first else { return [label] }
        guard label.count + 2 <= column else { return [label] + texts }
        return [label + first.dropFirst(label.count)] + texts.dropFirst()
    }

    /// A row on one line: behind a label that is wider than its column, the text starts further right.
    private func line(_ row: Row, column: Int) -> String {
        let label = "  " + row.label
        let start = max(column, label.count + 2)
        let text = row.text.withoutBackquotes.shortened(to: width - start)
        return label + String(repeating: " ", count: start - label.count) + text
    }
}

extension HelpText.Row {
    /// An option's row: `-j, --jobs N` and what it does, in long help with `[1]` as its default.
    fileprivate init(option: OptionDescription, length: HelpLength) {
        let hasShort = option.spellings.first.map { !$0.hasPrefix("--") } ?? false
        label = (hasShort ? "" : "    ") + option.spellings.joined(separator: ", ")
        if let placeholder = option.placeholder { label += " " + placeholder }
        text = ([option.summary] + (length == .long ? option.remarks : [])).joined(separator: " ")
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
