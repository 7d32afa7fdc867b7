// The committed files that are made from the command table.

import Options

/// Manual pages and completions as they belong into the project.
package enum GeneratedFiles {
    /// The date of the manual pages; changed by hand when their contents change in earnest.
    static let manualDate = "November 23, 2026"

    /// Paths from the project's top level, and contents.
    package static var all: [(path: String, contents: String)] {
        let tool = CommandTable.tool
        let pages = ManualPage.pages(of: tool, date: manualDate).map {
            (path: "man/\($0.fileName)", contents: $0.contents)
        }
        return pages + [
            ("completions/workq.bash", BashCompletion.script(for: tool)),
            ("completions/_workq", ZshCompletion.script(for: tool)),
            ("completions/workq.fish", FishCompletion.script(for: tool)),
        ]
    }
}
