// Completion for fish: one complete call for each option and operand, with a condition saying where it applies.

import Text

/// Writes the completion script for fish.
package struct FishCompletion {
    private let table: CompletionTable

    /// The script for `tool`, to be installed as `workq.fish`.
    package static func script(for tool: ToolDescription) -> String {
        FishCompletion(table: CompletionTable(tool)).script
    }

    private var prefix: String { "__\(table.identifier)" }

    private var script: String {
        ([head, calls(for: nil)] + table.commands.map(calls)).filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    // MARK: - The complete calls

    private func calls(for command: CommandDescription?) -> String {
        guard let command else {
            let commands = table.commands.map { command in
                call(condition: "\(prefix)_in -") + " -a \(Self.quoted(Self.quoted(command.name)))"
                    + " -d \(Self.quoted(command.summary.withoutBackquotes))"
            }
            let options = table.offeredFirst.map { call($0, condition: "\(prefix)_in -") }
            return (["complete -c \(Self.quoted(table.tool.name)) -f"] + commands + options).joined(separator: "\n")
        }
        let condition = "\(prefix)_in \(Self.quoted(command.name))"
        var lines = command.options.map { call($0, condition: condition) }
        for (index, operand) in command.operands.enumerated() {
            let place = operand.isRepeatable ? "\(index) 999999" : "\(index) \(index)"
            let condition = "\(prefix)_operand \(place) \(Self.quoted(command.name))"
            let completion = table.completion(of: operand, in: command)
            lines += calls(completion, condition: condition, isHelp: command.name == "help")
        }
        if command.rest != nil {
            lines.append(call(condition: "\(prefix)_rest") + " -a '(\(prefix)_rest_completions)'")
        }
        return lines.joined(separator: "\n")
    }

    private func call(condition: String) -> String {
        "complete -c \(Self.quoted(table.tool.name)) -n \(Self.quoted(condition))"
    }

    private func call(_ option: OptionDescription, condition: String) -> String {
        var text = call(condition: condition)
        for spelling in option.spellings {
            text += spelling.hasPrefix("--") ? " -l \(spelling.dropFirst(2))" : " -s \(spelling.dropFirst())"
        }
        if option.placeholder != nil {
            switch option.completion {
            case .none: text += " -x"
            case .file: text += " -r -F"
            case .directory: text += " -x -a '(__fish_complete_directories (commandline -ct))'"
            case .command: text += " -x -a '(__fish_complete_command)'"
            case .choices(let choices): text += " -x -a \(Self.list(choices))"
            case .queue: text += " -x -a '(\(prefix)_live queues)'"
            case .section: text += " -x -a '(\(prefix)_live sections)'"
            }
        }
        return text + " -d \(Self.quoted(option.summary.withoutBackquotes))"
    }

    private func calls(_ completion: Completion, condition: String, isHelp: Bool) -> [String] {
        let call = call(condition: condition)
        switch completion {
        case .none: return []
        case .file: return [call + " -F"]
        case .directory: return [call + " -a '(__fish_complete_directories (commandline -ct))'"]
        case .command: return [call + " -a '(__fish_complete_command)'"]
        case .queue: return [call + " -a '(\(prefix)_live queues)'"]
        case .section: return [call + " -a '(\(prefix)_live sections)'"]
        case .choices(let choices) where !isHelp: return [call + " -a \(Self.list(choices))"]
        case .choices:
            return table.helpEntries.map { name, summary in
                call + " -a \(Self.quoted(Self.quoted(name))) -d \(Self.quoted(summary.withoutBackquotes))"
            }
        }
    }

    /// Words for `-a`, which fish evaluates: quoted each for itself and once more together.
    private static func list(_ words: [String]) -> String {
        quoted(words.map(quoted).joined(separator: " "))
    }

    /// The text as one word of fish, where a backslash counts even in single quotes.
    private static func quoted(_ text: String) -> String {
        guard !text.isPlainWord else { return text }
        return "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }

    // MARK: - The part that is the same for all tables

    private var head: String {
        let cases = table.commands.filter { !$0.aliases.isEmpty }.map { command in
            """
                    case \(command.aliases.map(Self.quoted).joined(separator: " "))
                        set command \(Self.quoted(command.name))
            """
        }
        let restCommands = table.commands.filter { $0.rest != nil }.map { Self.quoted($0.name) }
        return """
            # fish completion for \(table.tool.name), made from its option tables: changes belong there.

            # Prints where the cursor is: the command (- when there is none yet), the number of operands before the
            # cursor, and "rest" behind the -- after which a command takes everything.
            function \(prefix)_place
                set -l with_value \(table.spellingsWithValue.map(Self.quoted).joined(separator: " "))
                set -l tokens (commandline -opc)
                set -l command -
                set -l operands 0
                set -l place options
                set -l pending no
                for token in $tokens[2..-1]
                    if test $pending = yes
                        set pending no
                        continue
                    end
                    if test $place = options
                        switch $token
                            case --
                                set place operands
                                if contains -- $command \(restCommands.joined(separator: " "))
                                    set place rest
                                    break
                                end
                                continue
                            case '--*=*'
                                continue
                            case '--*'
                                contains -- $token $with_value; and set pending yes
                                continue
                            case '-?*'
                                set -l letters (string split '' -- (string sub -s 2 -- $token))
                                for index in (seq (count $letters))
                                    if contains -- -$letters[$index] $with_value
                                        test $index -eq (count $letters); and set pending yes
                                        break
                                    end
                                end
                                continue
                        end
                    end
                    if test $command = -
                        set command $token
                    else
                        set operands (math $operands + 1)
                    end
                end
                switch $command
            \(cases.joined(separator: "\n"))
                end
                printf '%s\\n' $command $operands $place
            end

            # Whether options of command $argv may stand here.
            function \(prefix)_in
                set -l place (\(prefix)_place)
                test "$place[1]" = "$argv[1]"; and test $place[3] = options
            end

            # Whether this is one of the operands from $argv[1] to $argv[2], counted from 0, of command $argv[3].
            function \(prefix)_operand
                set -l place (\(prefix)_place)
                test "$place[1]" = "$argv[3]"; and test $place[3] != rest
                and test $place[2] -ge $argv[1]; and test $place[2] -le $argv[2]
            end

            # Whether this is a word of another command line, behind --.
            function \(prefix)_rest
                set -l place (\(prefix)_place)
                test $place[3] = rest
            end

            # Names that the tool itself is asked for: it knows the options typed so far, and takes a second at most.
            function \(prefix)_live
                set -l tokens (commandline -opc)
                command $tokens[1] complete $argv[1] -- $tokens[2..-1] 2>/dev/null
            end

            # Completes the command line behind -- as if it stood alone.
            function \(prefix)_rest_completions
                set -l tokens (commandline -opc)
                set -l first (contains -i -- -- $tokens)
                set -l words
                test $first -lt (count $tokens); and set words $tokens[(math $first + 1)..-1]
                complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
            end
            """
    }
}
