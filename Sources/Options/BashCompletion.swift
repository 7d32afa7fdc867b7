// Completion for bash, which needs nothing but bash itself.

/// Writes the completion script for bash.
///
/// bash hands over the words already split, at `=` and `:` too, so the script joins them again and answers with only
/// what stands behind the last such character. Files are left to bash, which knows how to quote them.
package struct BashCompletion {
    let table: CompletionTable

    /// The script for `tool`, to be installed as `workq.bash`.
    package static func script(for tool: ToolDescription) -> String {
        let completion = BashCompletion(table: CompletionTable(tool))
        return completion.script
    }

    var function: String { "_\(table.identifier)" }

    private var script: String {
        """
        # bash completion for \(table.tool.name), made from its option tables: changes belong there.

        # Sets command to the name of the command that $1 is a spelling of.
        \(function)_command() {
            case $1 in
        \(commandCases)
            *) command=$1 ;;
            esac
        }

        # Sets choices to the options that command $1 has; an empty $1 means no command yet.
        \(function)_options() {
            case $1 in
        \(optionCases)
            esac
        }

        # Sets kind, and choices with it, to what the value of option $2 of command $1 can be.
        \(function)_value() {
            kind=unknown choices=()
            case $1 in
        \(valueCases)
            esac
        }

        # Sets kind, and choices with it, to what operand $2 of command $1 can be.
        \(function)_operand() {
            kind=nothing choices=()
            case $1:$2 in
        \(operandCases)
            esac
        }

        \(offer)

        \(main)

        complete -F \(function) \(table.tool.name.shellQuoted)

        """
    }

    // MARK: - The tables

    private var commandCases: String {
        table.commands.map { command in
            "    \(Self.pattern(command.names))) command=\(command.name.shellQuoted) ;;"
        }.joined(separator: "\n")
    }

    private var optionCases: String {
        cases { _, options in
            "        " + Self.assignment(options.flatMap(\.spellings))
        } first: {
            table.offeredFirst
        }
    }

    private var valueCases: String {
        cases { _, options in
            let kinds = options.map(Self.kind)
            var order: [String] = []
            for kind in kinds where !order.contains(kind) { order.append(kind) }
            let lines = order.map { kind in
                let spellings = zip(options, kinds).filter { $0.1 == kind }.flatMap(\.0.spellings)
                return "        \(Self.pattern(spellings, indent: "            ")))\n            \(kind) ;;"
            }
            return "        case $2 in\n" + lines.joined(separator: "\n") + "\n        esac"
        } first: {
            table.understoodFirst
        }
    }

    /// One case for each command that has options, and one for no command yet.
    private func cases(
        _ body: (String, [OptionDescription]) -> String, first: () -> [OptionDescription]
    ) -> String {
        let all = [(name: "", options: first())] + table.commands.map { (name: $0.name, options: $0.options) }
        return all.filter { !$0.options.isEmpty }.map { name, options in
            "    \(name.shellQuoted))\n\(body(name, options)) ;;"
        }.joined(separator: "\n")
    }

    private var operandCases: String {
        var lines: [String] = []
        for command in table.commands {
            for (index, operand) in command.operands.enumerated() {
                let position = operand.isRepeatable ? "*" : String(index)
                let kind = Self.kind(table.completion(of: operand, in: command))
                guard kind != Self.kind(.none) else { continue }
                lines.append("    \(command.name.shellQuoted):\(position)) \(kind) ;;")
            }
            guard command.rest != nil else { continue }
            lines.append("    \(command.name.shellQuoted):rest0) kind=command ;;")
            lines.append("    \(command.name.shellQuoted):rest*) kind=file ;;")
        }
        return lines.joined(separator: "\n")
    }

    private static func kind(_ option: OptionDescription) -> String {
        option.placeholder == nil ? "kind=switch" : kind(option.completion)
    }

    private static func kind(_ completion: Completion) -> String {
        switch completion {
        case .none: "kind=nothing"
        case .file: "kind=file"
        case .directory: "kind=directory"
        case .command: "kind=command"
        case .queue: "kind=live choices=(queues)"
        case .section: "kind=live choices=(sections)"
        case .choices(let choices): "kind=choices " + assignment(choices)
        }
    }

    private static func assignment(_ words: [String]) -> String {
        let quoted = words.map(\.shellQuoted)
        let line = "choices=(\(quoted.joined(separator: " ")))"
        guard line.count > 80 else { return line }
        let indent = String(repeating: " ", count: 12)
        return "choices=(\n" + quoted.filled(width: 88).map { indent + $0 + "\n" }.joined() + "        )"
    }

    private static func pattern(_ words: [String], indent: String = "        ") -> String {
        let units = words.map(\.shellQuoted).enumerated().map { $0 + 1 < words.count ? "\($1) |" : $1 }
        return units.filled(width: 100 - indent.count).joined(separator: " \\\n\(indent)")
    }
}
