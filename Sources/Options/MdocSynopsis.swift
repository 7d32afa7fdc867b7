// Turns a synopsis as people write it into the macros that give each of its words its typeface.

/// A synopsis, or a part of one, as macro calls.
struct MdocSynopsis {
    /// What to write after the dot of a macro line.
    private(set) var calls: [String] = []

    init(_ synopsis: String) {
        var word = ""
        for character in synopsis {
            if "[]| ".contains(character) {
                append(word)
                word = ""
                append(bracket: character)
            } else {
                word.append(character)
            }
        }
        append(word)
    }

    private mutating func append(bracket character: Character) {
        switch character {
        case "[": calls.append("Oo")
        case "]": calls.append("Oc")
        case "|": calls.append("|")
        default: break
        }
    }

    private mutating func append(_ word: String) {
        guard !word.isEmpty else { return }
        let dots = "..."
        if word == dots {
            calls.append(calls.last == "Oc" ? "Ns No \(dots)" : "No \(dots)")
        } else if word.hasSuffix(dots), let before = word.dropLast(dots.count).last, before.isLetter {
            calls.append("\(Self.call(String(word.dropLast(dots.count)))) \(dots)")
        } else {
            calls.append(Self.call(word))
        }
    }

    /// A word by its looks: `--option`, `--option=VALUE`, `PLACEHOLDER`, or something to type as it stands.
    private static func call(_ word: String) -> String {
        if word.hasPrefix("-"), word.count > 1 {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let value = parts.count == 2 ? " Ns No = Ns \(call(parts[1]))" : ""
            return Mdoc.flag(parts[0]) + value
        }
        if word.isPlaceholder { return "Ar \(Mdoc.argument(word))" }
        return (word.contains { $0.isLetter } ? "Cm " : "No ") + Mdoc.argument(word)
    }
}
