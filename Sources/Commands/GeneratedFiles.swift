// The committed files that are made from the command table, and the units that the manual shows.

import Options

/// Manual pages, completions and units as they belong into the project.
package enum GeneratedFiles {
    /// Paths from the project's top level, and contents.
    package static var all: [(path: String, contents: String)] {
        let tool = CommandTable.tool
        let pages = ManualPage.pages(of: tool, date: Version.date).map {
            (path: "man/\($0.fileName)", contents: $0.contents)
        }
        return pages + [
            ("completions/workq.bash", BashCompletion.script(for: tool)),
            ("completions/_workq", ZshCompletion.script(for: tool)),
            ("completions/workq.fish", FishCompletion.script(for: tool)),
        ] + ServiceUnits.all.map { (path: ".packaging/systemd/\($0.name)", contents: $0.text) }
    }
}
