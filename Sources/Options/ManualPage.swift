// The manual: one page for the tool and one for each command, in the format that man(1) reads.

/// Writes the manual pages of a tool in mdoc(7).
package struct ManualPage {
    private let tool: ToolDescription
    private let date: String

    /// All pages of `tool`, by the names they are installed under: `workq.1`, `workq-publish.1`.
    ///
    /// - Parameter date: The date the pages carry, as mdoc spells it: `May 4, 2026`. It isn't read from a clock, so
    ///   that the same tables give the same pages.
    package static func pages(of tool: ToolDescription, date: String) -> [(fileName: String, contents: String)] {
        let page = ManualPage(tool: tool, date: date)
        return [(fileName: "\(tool.name).1", contents: page.toolPage)]
            + page.commands.map { (fileName: "\(tool.name)-\($0.name).1", contents: page.commandPage($0)) }
    }

    private var commands: [CommandDescription] { tool.commands.filter { !$0.isHidden } }

    // MARK: - Pages

    private var toolPage: String {
        let options = tool.options + sharedGroups.flatMap(\.options)
        var chapters = [
            name(tool.name, tool.summary),
            ManualChapter("Synopsis", lines: synopsis("[OPTION...] COMMAND [OPTION...] [OPERAND...]")),
            ManualChapter("Description", lines: paragraphs(tool.introduction, orElse: tool.summary)),
            ManualChapter("Commands", items: commands.map(item)),
            ManualChapter(
                "Options", parts: [ManualPart(items: tool.options.map { item($0) })] + sharedGroups.map { part($0) }),
        ]
        chapters += tool.sections.map(ManualChapter.init)
        chapters += [
            environment(of: options + commands.flatMap(\.options)),
            ManualChapter("Exit status", items: tool.exitStatuses.map(item)),
            examples(tool.examples),
            seeAlso(from: tool.name),
        ]
        return source(title: tool.name, chapters)
    }

    private func commandPage(_ command: CommandDescription) -> String {
        let name = "\(tool.name)-\(command.name)"
        let operands = command.operands + (command.rest.map { [$0] } ?? [])
        var chapters = [
            self.name(name, command.summary),
            ManualChapter("Synopsis", lines: command.synopses.flatMap(synopsis)),
            ManualChapter("Description", lines: paragraphs(command.introduction, orElse: command.summary)),
            ManualChapter("Operands", items: operands.map(item)),
            ManualChapter("Options", parts: command.optionGroups.map { part($0, command.rules) }),
        ]
        chapters[2].parts[0].lines += also(command)
        chapters += command.sections.map(ManualChapter.init)
        chapters.append(environment(of: command.options))
        if !tool.exitStatuses.isEmpty {
            let lines = ["Exit statuses are the same for all commands;", ".Xr \(tool.name) 1", "lists them."]
            chapters.append(ManualChapter("Exit status", lines: lines))
        }
        chapters += [examples(command.examples), seeAlso(from: name)]
        return source(title: name, chapters)
    }

    private func source(title: String, _ chapters: [ManualChapter]) -> String {
        // groff would put BSD into the heading of every page.
        let head = [
            ".\\\" Made from \(tool.name)'s option tables: changes belong there.", ".Dd \(date)",
            ".ds doc-volume-operating-system \(tool.name) \(tool.version)", ".Dt \(title.uppercased()) 1",
            ".Os \(tool.name) \(tool.version)",
        ]
        let lines = head + chapters.merged.inOrder.flatMap(\.source)
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Chapters

    private func name(_ name: String, _ summary: String) -> ManualChapter {
        ManualChapter("Name", lines: [".Nm \(name)", ".Nd \(Mdoc.heading(summary.withoutBackquotes))"])
    }

    private func synopsis(_ text: String) -> [String] {
        [".Nm \(tool.name)"] + text.synopsisUnits.map { "." + MdocSynopsis($0).calls.joined(separator: " ") }
    }

    private func paragraphs(_ texts: [String], orElse summary: String) -> [String] {
        ManualPart.paragraphs(texts.isEmpty ? [summary.asSentence] : texts)
    }

    private func also(_ command: CommandDescription) -> [String] {
        guard !command.aliases.isEmpty else { return [] }
        return [".Pp", "The command may also be called"] + Mdoc.alternatives(command.aliases)
    }

    /// The groups that several commands have, which the tool's own page shows once more.
    private var sharedGroups: [OptionGroup] {
        var groups: [OptionGroup] = []
        for group in commands.flatMap(\.optionGroups) where !groups.contains(group) {
            if commands.count(where: { $0.optionGroups.contains(group) }) > 1 { groups.append(group) }
        }
        return groups.map { group in
            OptionGroup(title: group.title, options: group.options.filter { !tool.options.contains($0) })
        }
    }

    private func environment(of options: [OptionDescription]) -> ManualChapter {
        var items: [ManualItem] = []
        for option in options {
            for (index, variable) in option.environment.enumerated() {
                let head = "Ev \(Mdoc.argument(variable))"
                guard !items.contains(where: { $0.head == head }) else { continue }
                var lines = ["Used when"] + option.spellings.suffix(1).map { ".\(Mdoc.flag($0))" } + ["is not given"]
                if index > 0 {
                    lines += ["and", ".Ev \(Mdoc.argument(option.environment[index - 1]))", "is not set either."]
                } else {
                    lines[lines.count - 1] += "."
                }
                items.append(ManualItem(head: head, lines: lines))
            }
        }
        return ManualChapter("Environment", items: items)
    }

    private func examples(_ examples: [Example]) -> ManualChapter {
        let lines = examples.enumerated().flatMap { index, example in
            (index == 0 ? [] : [".Pp"]) + Mdoc.lines(prose: example.purpose + ":")
                + Mdoc.literal(example.script)
        }
        return ManualChapter("Examples", lines: lines)
    }

    private func seeAlso(from page: String) -> ManualChapter {
        let pages = ([tool.name] + commands.map { "\(tool.name)-\($0.name)" }).filter { $0 != page }.sorted()
        let lines = pages.enumerated().map { ".Xr \($1) 1" + ($0 + 1 < pages.count ? " ," : "") }
        return ManualChapter("See also", lines: lines)
    }

    // MARK: - Items

    private func part(_ group: OptionGroup, _ rules: [OptionRule] = []) -> ManualPart {
        let isTitleOfChapter = group.title.uppercased() == "OPTIONS"
        return ManualPart(title: isTitleOfChapter ? nil : group.title, items: group.options.map { item($0, rules) })
    }

    private func item(_ command: CommandDescription) -> ManualItem {
        ManualItem(head: "Xr \(tool.name)-\(command.name) 1", lines: Mdoc.lines(prose: command.summary.asSentence))
    }

    private func item(_ operand: OperandDescription) -> ManualItem {
        let lines = Mdoc.lines(prose: operand.summary.asSentence) + operand.completion.lines
        let dots = operand.isRepeatable ? " ..." : ""
        return ManualItem(head: "Ar \(Mdoc.argument(operand.placeholder))\(dots)", lines: lines)
    }

    private func item(_ status: ExitStatusDescription) -> ManualItem {
        ManualItem(head: "Sy \(Mdoc.argument(status.status))", lines: Mdoc.lines(prose: status.meaning.asSentence))
    }

    private func item(_ option: OptionDescription, _ rules: [OptionRule] = []) -> ManualItem {
        let argument = option.placeholder.map { " Ar \(Mdoc.argument($0))" } ?? ""
        var lines = Mdoc.lines(prose: option.summary.asSentence) + Mdoc.lines(prose: option.details ?? "")
        lines += option.completion.lines
        if option.isRepeatable { lines.append("May be given more than once.") }
        lines += rules.compactMap { $0.sentence(about: option.spellings) }.flatMap(Mdoc.lines(prose:))
        let variables = option.environment.map { "Ev \(Mdoc.argument($0))" }
        let standIns = variables + (option.defaultText.map { ["No \(Mdoc.argument($0))"] } ?? [])
        if !standIns.isEmpty {
            lines.append("Default:")
            lines += standIns.enumerated().map { ".\($1)" + ($0 + 1 < standIns.count ? " , else" : " .") }
        }
        return ManualItem(head: option.spellings.map(Mdoc.flag).joined(separator: " , ") + argument, lines: lines)
    }
}

extension Completion {
    /// What the manual says about the values there are to choose from.
    fileprivate var lines: [String] {
        guard case .choices(let choices) = self, choices.count > 1 else { return [] }
        return ["One of"] + Mdoc.alternatives(choices)
    }
}
