// The functions of bash's completion that are the same for all tables.

extension BashCompletion {
    var offer: String {
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

    var main: String {
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
