// The whole command line as plain data, from which help, manual and completions are made.

/// The tool: what stands in `workq --help`, in workq(1) and around the commands in a completion.
package struct ToolDescription {
    package var name: String
    package var version: String
    /// One line, starting in lower case, without a full stop.
    package var summary: String
    /// Paragraphs; words in backquotes are literal. So in all texts below.
    package var introduction: [String]
    package var commands: [CommandDescription]
    /// Options that are understood without a command.
    package var options: [OptionDescription]
    package var sections: [ManualSection]
    package var exitStatuses: [ExitStatusDescription]
    package var examples: [Example]
    /// What `help` explains besides commands.
    package var topics: [HelpTopic]

    package init(
        name: String, version: String, summary: String, introduction: [String] = [], commands: [CommandDescription],
        options: [OptionDescription], sections: [ManualSection] = [], exitStatuses: [ExitStatusDescription] = [],
        examples: [Example] = [], topics: [HelpTopic] = []
    ) {
        self.name = name
        self.version = version
        self.summary = summary
        self.introduction = introduction
        self.commands = commands
        self.options = options
        self.sections = sections
        self.exitStatuses = exitStatuses
        self.examples = examples
        self.topics = topics
    }
}

/// A group of options that several commands have, explained once: `workq help connection`.
package struct HelpTopic {
    package var name: String
    /// One line, starting in lower case, without a full stop.
    package var summary: String
    package var introduction: [String]
    /// The help of a command names these options and points here.
    package var group: OptionGroup

    package init(name: String, summary: String, introduction: [String] = [], group: OptionGroup) {
        self.name = name
        self.summary = summary
        self.introduction = introduction
        self.group = group
    }
}

/// A command.
package struct CommandDescription {
    package var name: String
    /// Other names it answers to.
    package var aliases: [String]
    package var summary: String
    /// The ways to call it, without the tool's name: `publish [OPTION...] QUEUE [TASK]`. Words in upper case are
    /// placeholders, brackets mark what may be left out, and three dots what may be repeated.
    package var synopses: [String]
    package var introduction: [String]
    package var operands: [OperandDescription]
    package var rest: OperandDescription?
    package var optionGroups: [OptionGroup]
    /// Which options and operands go together.
    package var rules: [OptionRule] = []
    package var sections: [ManualSection]
    package var examples: [Example]
    /// Hidden commands work, but no help, manual or completion names them.
    package var isHidden: Bool

    /// The command's options without their groups.
    package var options: [OptionDescription] { optionGroups.flatMap(\.options) }
}

/// Options that are shown together.
package struct OptionGroup: Equatable {
    /// In sentence case: `Connection options`.
    package var title: String
    package var options: [OptionDescription]

    package init(title: String, options: [OptionDescription]) {
        self.title = title
        self.options = options
    }
}

/// A chapter of a manual page beyond the usual ones.
package struct ManualSection {
    /// In sentence case.
    package var title: String
    package var paragraphs: [String]
    /// Terms and what they mean, shown as a list after the paragraphs.
    package var terms: [(term: String, meaning: String)]
    /// Lines to be copied, such as a file, shown after the paragraphs; empty for none.
    package var script: String

    package init(
        title: String, paragraphs: [String] = [], terms: [(term: String, meaning: String)] = [], script: String = ""
    ) {
        self.title = title
        self.paragraphs = paragraphs
        self.terms = terms
        self.script = script
    }
}

/// A command line worth copying.
package struct Example: Equatable {
    /// A sentence without a full stop.
    package var purpose: String
    /// One or more lines of shell.
    package var script: String

    package init(_ purpose: String, _ script: String) {
        self.purpose = purpose
        self.script = script
    }
}

/// An exit status and what it means.
package struct ExitStatusDescription: Equatable {
    /// Text, since some are ranges: `128+n`.
    package var status: String
    package var meaning: String

    package init(status: String, meaning: String) {
        self.status = status
        self.meaning = meaning
    }
}
