// Completion for bash, which needs nothing but bash itself.

/// Writes the completion script for bash.
///
/// bash hands over the words already split, at `=` and `:` too, so the script joins them again and answers with only
/// what stands behind the last such character. Files are left to bash, which knows how to quote them.
package struct BashCompletion {
    private let table: CompletionTable

    /// The script for `tool`, to be installed as `workq.bash`.
    package static func script(for tool: ToolDescription) -> String {
        let completion = BashCompletion(table: CompletionTable(tool))
        return completion.script
    }

    private var function: String { "_\(table.identifier)" }

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

// MARK: - The parts that are the same for all tables

extension BashCompletion {
    private var offer: String {
        #"""
        # Offers what kind says for the word $1, of which $2 (such as --option=) stands before it.
        \#(function)_offer() {
            local typed=$1 before=$2 candidate word separator
            local keep=$before
            case $kind in
            choices) ;;
            live)
                # Asked of the tool itself, which knows the options typed so far and takes a second at most.
                keep=${choices[0]} choices=()
                while IFS= read -r candidate; do
                    choices+=("$candidate")
                done < <(command "${words[0]//[\"\']/}" complete "$keep" -- "${words[@]:1:${#words[@]}-2}" 2>/dev/null)
                keep=$before
                ;;
            command)
                if [[ $typed == */* ]]; then
                    compopt -o default 2>/dev/null
                    return
                fi
                while IFS= read -r candidate; do choices+=("$candidate"); done < <(compgen -c -- "$typed")
                ;;
            file | directory)
                # bash completes files by itself, unless = no longer separates words.
                if [[ -z $before || $COMP_WORDBREAKS == *=* ]]; then
                    [[ $kind == file ]] && compopt -o default 2>/dev/null
                    [[ $kind == directory ]] && compopt -o dirnames 2>/dev/null
                    return
                fi
                while IFS= read -r candidate; do
                    choices+=("$candidate")
                done < <(compgen -A "$kind" -- "$typed")
                compopt -o nospace 2>/dev/null
                ;;
            *) return ;;
            esac

            for candidate in "${choices[@]}"; do
                printf -v word %q "$candidate"
                case $typed in
                \'*)
                    word=${candidate//\'/\'\\\'\'}
                    [[ $candidate == "${typed:1}"* ]] && COMPREPLY+=("$word")
                    ;;
                \"*)
                    word=${candidate//\\/\\\\} word=${word//\"/\\\"} word=${word//\$/\\\$} word=${word//\`/\\\`}
                    [[ $candidate == "${typed:1}"* || $word == "${typed:1}"* ]] && COMPREPLY+=("$word")
                    ;;
                *)
                    [[ $candidate == "$typed"* || $word == "$typed"* ]] && COMPREPLY+=("$before$word")
                    ;;
                esac
            done

            # bash replaces only what follows the last separator, or the opening quote.
            [[ $typed == [\"\']* ]] && return
            keep=
            for separator in = : @; do
                [[ $COMP_WORDBREAKS == *"$separator"* && $before$typed == *"$separator"* ]] || continue
                word=$before$typed
                word=${word%"${word##*"$separator"}"}
                ((${#word} > ${#keep})) && keep=$word
            done
            [[ -n $keep ]] && COMPREPLY=("${COMPREPLY[@]#"$keep"}")
        }
        """#
    }

    private var main: String {
        #"""
        \#(function)() {
            local kind command= pending= ended= word= piece trimmed position=0 index
            local line=${COMP_LINE:0:COMP_POINT}
            local -a words=() choices=()
            COMPREPLY=()

            # bash has split the line at = and : too; a piece with no blank before it belongs to the word before.
            for ((index = 0; index <= COMP_CWORD; index++)); do
                piece=${COMP_WORDS[index]}
                trimmed=${line#"${line%%[![:space:]]*}"}
                if [[ $index -eq 0 || $trimmed != "$line" ]]; then words+=(""); fi
                words[${#words[@]} - 1]+=${trimmed:0:${#piece}}
                line=${trimmed:${#piece}}
            done

            for ((index = 1; index < ${#words[@]} - 1; index++)); do
                word=${words[index]}
                if [[ -n $pending ]]; then
                    pending=
                elif [[ -z $ended && $word == -- ]]; then
                    ended=yes
                    \#(function)_operand "$command" rest0
                    [[ $kind == command ]] && position=rest0
                elif [[ -z $ended && $word == --*=* ]]; then
                    continue
                elif [[ -z $ended && $word == --* ]]; then
                    \#(function)_value "$command" "$word"
                    [[ $kind == switch || $kind == unknown ]] || pending=$word
                elif [[ -z $ended && $word == -?* ]]; then
                    while ((${#word} > 1)); do
                        \#(function)_value "$command" "${word:0:2}"
                        [[ $kind == switch || $kind == unknown || ${#word} -gt 2 ]] || pending=$word
                        [[ $kind == switch ]] || break
                        word=-${word:2}
                    done
                elif [[ -z $command ]]; then
                    \#(function)_command "$word"
                elif [[ $position == rest* ]]; then
                    position=rest1
                else
                    position=$((position + 1))
                fi
            done

            word=${words[${#words[@]} - 1]}
            # Behind -- stands another command line, which its own completion knows best.
            if [[ $position == rest1 ]]; then
                for ((index = 1; index < COMP_CWORD; index++)); do
                    [[ ${COMP_WORDS[index]} == -- ]] || continue
                    for piece in _comp_command_offset _command_offset; do
                        declare -F "$piece" >/dev/null || continue
                        "$piece" $((index + 1))
                        return
                    done
                    break
                done
            fi
            if [[ -n $pending ]]; then
                \#(function)_value "$command" "$pending"
                \#(function)_offer "$word"
            elif [[ -z $ended && $word == --*=* ]]; then
                \#(function)_value "$command" "${word%%=*}"
                \#(function)_offer "${word#*=}" "${word%%=*}="
            elif [[ -z $ended && $word == -* ]]; then
                kind=choices
                \#(function)_options "$command"
                \#(function)_offer "$word"
            elif [[ -z $command ]]; then
                kind=choices
                choices=(\#(table.commands.map(\.name.shellQuoted).joined(separator: " ")))
                \#(function)_offer "$word"
            else
                \#(function)_operand "$command" "$position"
                \#(function)_offer "$word"
            fi
        }
        """#
    }
}
