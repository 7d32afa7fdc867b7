// Completion as a person meets it: a shell on a terminal, a line, and the tabulator key.

import Foundation
import Testing

@testable import Options

/// One shell completes all lines, since starting its completion system takes a second.
@Suite("Interactive completion") struct InteractiveCompletionTests {
    /// Starts a shell on a pseudo terminal, types each line and a tabulator, and prints what the shell says between two
    /// marks, with a third mark after each: `zsh -f driver.zsh SHELL SHOW LINE...`.
    private static let driver = #"""
        zmodload zsh/zpty
        shell=$1 show=$2
        shift 2
        if [[ $shell == zsh ]]; then
            zpty shell zsh -f -i
            zpty -w shell "show=$show; source ./setup.zsh"
        else
            zpty shell bash --norc --noprofile -i
            zpty -w shell 'source ./setup.bash'
        fi
        zpty -r -m shell output $'*\x01ready*'
        for line; do
            zpty -w -n shell $'\x15'"$line"$'\t'
            [[ $show == line ]] && zpty -w -n shell $'\x18p'
            zpty -r -m shell output $'*\x01end*'
            output=${output##*$'\x01begin'}
            print -rn -- "${${output%%$'\x01end'*}//$'\r'}"$'\x01next'
        done
        zpty -d shell
        """#

    /// Prints each match that the completion system is given, or, after ^X p, the line as it stands.
    private static let zshSetup = #"""
        PROMPT=
        unsetopt zle_bracketed_paste
        stty columns 300 rows 100
        fpath=($PWD $fpath)
        autoload -Uz compinit
        compinit -u -D
        zstyle ':completion:*' insert-tab false
        cd here
        if [[ $show == matches ]]; then
            # The completion system forgets these functions each time.
            await_completion() {
                compprefuncs=(begin_matches)
                comppostfuncs=(end_matches)
            }
            begin_matches() { print -rn -- $'\x01begin'; }
            end_matches() {
                print -rn -- $'\x01end'
                await_completion
            }
            await_completion
            compadd() {
                if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
                    builtin compadd "$@"
                    return
                fi
                local -a hits descriptions
                local name
                if (($@[(I)-d])); then
                    name=${@[$((${@[(i)-d]} + 1))]}
                    if [[ $name == \(* ]]; then eval "descriptions=$name"; else descriptions=("${(@P)name}"); fi
                fi
                builtin compadd -A hits -D descriptions "$@"
                local -i index
                for ((index = 1; index <= $#hits; index++)); do
                    print -r -- "$IPREFIX${(Q)hits[index]}"$'\t'"${descriptions[index]}"
                done
                builtin compadd "$@"
            }
        fi
        show_line() { print -rn -- $'\x01begin'"$BUFFER"$'\x01end'; }
        zle -N show_line
        bindkey '^Xp' show_line
        print -n '\x01ready'
        """#

    private static let bashSetup = #"""
        PS1= PS2=
        bind 'set enable-bracketed-paste off' 2>/dev/null
        source ./workq.bash
        cd here
        show_line() { printf '\001begin%s\001end' "$READLINE_LINE"; }
        bind -x '"\C-xp": show_line'
        printf '\001ready'
        """#

    /// What the shell shows for each of the lines.
    private static func complete(_ lines: [String], in shell: String, show: String) throws -> [String] {
        let files = ["driver.zsh": driver, "setup.zsh": zshSetup, "setup.bash": bashSetup]
        _ = try InstalledTool(shell)
        return try withFolder(CompletionTests.files.merging(files) { $1 }) { folder in
            let outcome = try InstalledTool("zsh").run(["-f", "driver.zsh", shell, show] + lines, in: folder)
            let answers = outcome.text.components(separatedBy: "\u{1}next").dropLast()
            try #require(outcome.status == 0 && answers.count == lines.count, "\(outcome.text.escapedForDisplay)")
            return Array(answers)
        }
    }

    private static func matches(_ lines: [String]) throws -> [[(word: String, description: String)]] {
        try complete(lines, in: "zsh", show: "matches").map { answer in
            answer.split(separator: "\n").map { line in
                let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
                return (word: parts[0], description: parts.count == 2 ? parts[1] : "")
            }
        }
    }

    @Test("zsh completes what the other shells complete")
    func zsh() throws {
        let cases = CompletionTests.cases + CompletionTests.liveCases
        for (example, answers) in zip(cases, try Self.matches(cases.map(\.line))) {
            #expect(answers.map(\.word).sorted() == example.words, "\(example.line)")
        }
    }

    @Test("zsh shows descriptions as they were written")
    func zshDescriptions() throws {
        for answers in try Self.matches(["workq tr", "workq tricky --choice x --nu"]) {
            #expect(answers.count == 1)
            #expect(answers[0].description.hasSuffix("-- " + trickyText), "\(answers)")
        }
    }

    /// What a line becomes when the tabulator key is pressed.
    private static let lines = [
        "workq publ": "workq publish ",
        "workq work emai": "workq work emails ",
        "workq work --other two": #"workq work --other two\ words "#,
        "workq publish --format=j": "workq publish --format=json ",
        "workq publish --tra": "workq publish --transient ",
        "workq --lines publish queue --tra": "workq --lines publish queue --transient ",
        "workq tricky tw": #"workq tricky two\ words "#,
        "workq tricky bac": #"workq tricky back\\slash "#,
        "workq tricky --choice=k": "workq tricky --choice=k=v ",
        "workq publish --cert=oth": "workq publish --cert=other ",
        "workq publish --cert oth": "workq publish --cert other ",
        "workq publish --spool=let": "workq publish --spool=letters/",
        "workq tricky plain oth": "workq tricky plain other ",
        "workq work queue -- printen": "workq work queue -- printenv ",
        "workq work queue -- cat oth": "workq work queue -- cat other ",
        "workq work -- cat a b oth": "workq work -- cat a b other ",
    ]

    @Test("the shells write into the line what it stands for", arguments: ["bash", "zsh"])
    func line(shell: String) throws {
        let typed = Self.lines.keys.sorted()
        for (typed, line) in zip(typed, try Self.complete(typed, in: shell, show: "line")) {
            let expected = try #require(Self.lines[typed])
            #expect(line.trimmingSuffix(" ") == expected.trimmingSuffix(" "), "\(typed)")
        }
    }
}

extension String {
    /// The text without `character` at its end: whether a blank is inserted or kept in mind differs between shells.
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self[...]
        while text.last == character { text.removeLast() }
        return String(text)
    }
}
