// The parts a manual page is put together from, and the order that readers of manuals expect them in.

/// An entry of a list: what is explained, as macro calls without the dot, and the explanation's source lines.
struct ManualItem {
    var head: String
    var lines: [String]
}

/// Text and a list after it, under a heading of their own or directly in a chapter.
struct ManualPart {
    var title: String?
    var lines: [String] = []
    var items: [ManualItem] = []

    /// The source of `texts`, which are paragraphs.
    static func paragraphs(_ texts: [String]) -> [String] {
        Array(texts.map(Mdoc.lines(prose:)).joined(separator: [".Pp"]))
    }

    fileprivate var isEmpty: Bool { lines.isEmpty && items.isEmpty }

    fileprivate var source: [String] {
        guard !isEmpty else { return [] }
        let heading = title.map { [".Ss \(Mdoc.heading($0))"] } ?? []
        let list = items.flatMap { [".It \($0.head)"] + $0.lines }
        return heading + lines + (items.isEmpty ? [] : [".Bl -tag -width Ds"] + list + [".El"])
    }
}

/// A chapter of a manual page, empty when there is nothing to say.
struct ManualChapter {
    var title: String
    var parts: [ManualPart]

    init(_ title: String, parts: [ManualPart]) {
        self.title = title.uppercased()
        self.parts = parts
    }

    init(_ title: String, lines: [String] = [], items: [ManualItem] = []) {
        self.init(title, parts: [ManualPart(lines: lines, items: items)])
    }

    init(_ section: ManualSection) {
        let items = section.terms.map { term, meaning in
            ManualItem(head: Self.head(term), lines: Mdoc.lines(prose: meaning.asSentence))
        }
        let script = section.script.isEmpty ? [] : Mdoc.literal(section.script)
        self.init(section.title, lines: ManualPart.paragraphs(section.paragraphs) + script, items: items)
    }

    var source: [String] {
        let lines = parts.flatMap(\.source)
        return lines.isEmpty ? [] : [".Sh \(Mdoc.heading(title))"] + lines
    }

    /// A term of a list by what it looks like: an environment variable, an option, or a word to type.
    private static func head(_ term: String) -> String {
        let text = term.withoutBackquotes
        let isVariable = text.contains("_") && text.allSatisfy { $0 == "_" || $0.isUppercase || $0.isNumber }
        if isVariable { return "Ev \(Mdoc.argument(text))" }
        return text.hasPrefix("-") ? Mdoc.flag(text) : "Sy \(Mdoc.argument(text))"
    }
}

extension [ManualChapter] {
    /// Chapters of the same title made one, so that a section of a table can add to a chapter that every page has.
    var merged: [ManualChapter] {
        var result: [ManualChapter] = []
        for chapter in self {
            if let index = result.firstIndex(where: { $0.title == chapter.title }) {
                result[index].append(chapter)
            } else {
                result.append(chapter)
            }
        }
        return result
    }

    /// The order of mdoc(7): chapters it doesn't name stand between the options and the environment.
    var inOrder: [ManualChapter] {
        let before = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPERANDS", "OPTIONS"]
        let after = [
            "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "COMPATIBILITY", "ERRORS", "SEE ALSO",
            "STANDARDS", "HISTORY", "AUTHORS", "CAVEATS", "BUGS", "SECURITY CONSIDERATIONS",
        ]
        let others = filter { !before.contains($0.title) && !after.contains($0.title) }
        return chapters(titled: before) + others + chapters(titled: after)
    }

    private func chapters(titled titles: [String]) -> [ManualChapter] {
        titles.compactMap { title in first { $0.title == title } }
    }
}

extension ManualChapter {
    /// Adds another chapter's text after this one's, and its list to this one's list.
    fileprivate mutating func append(_ other: ManualChapter) {
        guard var last = parts.last, last.title == nil, let first = other.parts.first, first.title == nil else {
            parts += other.parts
            return
        }
        let separator = last.lines.isEmpty || first.lines.isEmpty ? [] : [".Pp"]
        last.lines += separator + first.lines
        last.items += first.items
        parts[parts.count - 1] = last
        parts += other.parts.dropFirst()
    }
}
