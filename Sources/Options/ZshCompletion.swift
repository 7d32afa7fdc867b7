// Completion for zsh: specifications for _arguments, which does the rest.

import Text

/// Writes the completion script for zsh.
package struct ZshCompletion {
    private let table: CompletionTable

    /// The script for `tool`, to be installed as `_workq` in a directory of `fpath`.
    package static func script(for tool: ToolDescription) -> String {
        ZshCompletion(table: CompletionTable(tool)).script
    }

    private var function: String { "_\(table.identifier)" }

    private var script: String {
        let functions = [main, live] + commandLists + table.commands.map(definition)
        return """
            #compdef \(table.tool.name)

            # zsh completion for \(table.tool.name), made from its option tables: changes belong there.

            \(functions.joined(separator: "\n\n"))

            if [[ $funcstack[1] == \(function) ]]; then
                \(function) "$@"
            else
                compdef \(function) \(table.tool.name.shellQuoted)
            fi

            """
    }

    private var main: String {
        let offered = table.offeredFirst.flatMap { specifications($0) }
        let known = Set(table.offeredFirst.flatMap(\.spellings))
        let others = table.understoodFirst.filter { known.isDisjoint(with: $0.spellings) }
        let hidden = others.flatMap { specifications($0, lead: "!") }
        let cases = table.commands.map { command in
            "    \(command.names.map(\.shellQuoted).joined(separator: " | "))) \(name(of: command)) && ret=0 ;;"
        }
        return """
            \(function)() {
                local curcontext=$curcontext context state state_descr line ret=1
                typeset -A opt_args
                local -a typed=("${(@)words[1, CURRENT - 1]}")

                _arguments -C -s -S \\
            \(lines(offered + hidden, indent: "        ")) \\
                    '(-): :\(function)_commands' \\
                    '(-)*:: :->words' && ret=0

                [[ $state == words ]] || return ret
                curcontext=${curcontext%:*:*}:\(table.tool.name)-$words[1]:
                case $words[1] in
            \(cases.joined(separator: "\n"))
                *) _message 'unknown command' ;;
                esac
                return ret
            }
            """
    }

    /// Names that the tool itself is asked for: it knows the options typed so far, and takes a second at most.
    private var live: String {
        """
        # Words before the last are for compadd.
        \(function)_live() {
            local -a names=(${(f)"$(command "${(Q)typed[1]}" complete ${@[-1]} -- "${(@Q)typed[2, -1]}" 2>/dev/null)"})
            compadd "${(@)@[1, -2]}" -a names
        }
        """
    }

    private var commandLists: [String] {
        [
            list(named: "commands", table.commands.map { ($0.name, $0.summary) }),
            list(named: "topics", table.helpEntries),
        ]
    }

    /// A function that offers names with what they mean.
    private func list(named name: String, _ entries: [(name: String, summary: String)]) -> String {
        let lines = entries.map { name, summary in
            let summary = summary.withoutBackquotes.replacing("\\", with: "\\\\")
            return "        " + "\(name):\(summary)".shellQuoted
        }
        return """
            \(function)_\(name)() {
                local -a \(name)=(
            \(lines.joined(separator: "\n"))
                )
                _describe -t commands command \(name)
            }
            """
    }

    private func definition(of command: CommandDescription) -> String {
        if command.name == "help" {
            return """
                \(name(of: command))() {
                    _arguments ':: :\(function)_topics'
                }
                """
        }
        let options = command.options.flatMap { specifications($0) }
        let operands = command.operands.enumerated().map { specification($1, at: $0 + 1, in: command) }
        let all = options + operands
        let call = all.isEmpty ? "" : "    _arguments -s -S \\\n\(lines(all, indent: "        "))"
        return """
            \(name(of: command))() {
            \(command.rest == nil ? "" : restBlock)\(call.isEmpty ? "    _message 'no arguments'" : call)
            }
            """
    }

    /// Behind `--` stands another command line, which its own completion knows best.
    private var restBlock: String {
        """
            local -i dashes=${words[(i)--]}
            if ((dashes < CURRENT)); then
                words=("${(@)words[dashes + 1, -1]}")
                ((CURRENT -= dashes))
                _normal
                return
            fi

        """
    }

    private func name(of command: CommandDescription) -> String {
        "\(function)_\(String(command.name.map { $0.isLetter || $0.isNumber ? $0 : "_" }))"
    }

    // MARK: - Specifications

    /// One specification for each spelling of an option.
    private func specifications(_ option: OptionDescription, lead: String = "") -> [String] {
        option.spellings.map { spelling in
            var text = lead
            if option.isRepeatable {
                text += "*"
            } else if option.spellings.count > 1 {
                text += "(\(option.spellings.joined(separator: " ")))"
            }
            text += spelling
            if option.placeholder != nil { text += spelling.hasPrefix("--") ? "=" : "+" }
            if lead.isEmpty { text += "[\(Self.escaped(option.summary.withoutBackquotes))]" }
            if let placeholder = option.placeholder {
                text += ":\(Self.escaped(placeholder)):\(action(option.completion))"
            }
            return text.shellQuoted
        }
    }

    private func specification(
        _ operand: OperandDescription, at position: Int, in command: CommandDescription
    ) -> String {
        let place = operand.isRepeatable ? "*" : "\(position)" + (operand.isOptional ? ":" : "")
        let completion = table.completion(of: operand, in: command)
        // A bare message would count as a match, and keep zsh from completing an option in the operand's place.
        let message = "_guard '^-*' \(Self.word(operand.placeholder))"
        let action = completion == .none ? message : action(completion)
        return "\(place):\(Self.escaped(operand.placeholder)):\(action)".shellQuoted
    }

    private func lines(_ specifications: [String], indent: String) -> String {
        specifications.map { indent + $0 }.joined(separator: " \\\n")
    }

    private func action(_ completion: Completion) -> String {
        switch completion {
        case .none: " "
        case .file: "_files"
        case .directory: "_files -/"
        case .command: "_command_names -e"
        case .choices(let choices): "(\(choices.map(Self.word).joined(separator: " ")))"
        case .queue: "\(function)_live queues"
        case .section: "\(function)_live sections"
        }
    }

    /// Text within a specification, where brackets and colons separate its parts.
    private static func escaped(_ text: String) -> String {
        String(text.flatMap { "\\[]:".contains($0) ? ["\\", $0] : [$0] })
    }

    /// A value in a list of choices, which zsh cuts at colons and then evaluates: so no special character may show.
    private static func word(_ text: String) -> String {
        guard !text.isPlainWord else { return text }
        let body = text.unicodeScalars.map { scalar in
            let isPlain = !scalar.isASCII || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            guard !isPlain else { return String(scalar) }
            return "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        }
        return "$'\(body.joined())'"
    }
}
