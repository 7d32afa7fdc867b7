// Each rule for tables finds the table that breaks it, and no rule finds fault with a good one.

import Testing

@testable import Options

@Suite("Table faults") struct TableFaultsTests {
    /// The sample without the command that exists to be difficult.
    private static var tool: ToolDescription {
        var tool = Sample.tool
        tool.commands.removeAll { $0.name == "tricky" }
        return tool
    }

    @Test("a good table has none")
    func none() {
        #expect(Self.tool.faults == [])
    }

    struct Case: CustomTestStringConvertible {
        var fault: String
        var change: @Sendable (inout ToolDescription) -> Void
        var testDescription: String { fault }

        init(_ fault: String, _ change: @escaping @Sendable (inout ToolDescription) -> Void) {
            self.fault = fault
            self.change = change
        }
    }

    private static let publish = 0
    private static let work = 1
    private static let purge = 2

    @Test("each fault is found, and only that one", arguments: cases)
    func found(example: Case) {
        var tool = Self.tool
        example.change(&tool)
        #expect(tool.faults == [example.fault])
    }

    private static let cases = optionCases + textCases + commandCases

    private static let optionCases = [
        Case("publish has two options spelled --lines") {
            $0.commands[publish].optionGroups[1].options[0].spellings.append("--lines")
            $0.commands[publish].optionGroups[0].options[0].placeholder = "N"
        },
        Case("work: --Jobs is no spelling of an option") {
            $0.commands[work].optionGroups[0].options[0].spellings = ["-j", "--Jobs"]
        },
        Case("work: -jj is no spelling of an option") {
            $0.commands[work].optionGroups[0].options[0].spellings = ["-jj", "--jobs"]
        },
        Case("work: --0 is no spelling of an option") {
            $0.commands[work].optionGroups[0].options[0].spellings = ["--jobs", "--0"]
        },
        Case("work -j has no long spelling") { $0.commands[work].optionGroups[0].options[0].spellings = ["-j"] },
        Case("work -j: short spellings go first") {
            $0.commands[work].optionGroups[0].options[0].spellings = ["--jobs", "-j"]
        },
        Case("work --jobs: the placeholder Number isn't upper case") {
            $0.commands[work].optionGroups[0].options[0].placeholder = "Number"
        },
        Case("work --jobs: jobs is no environment variable") {
            $0.commands[work].optionGroups[0].options[0].environment = ["jobs"]
        },
        Case("work --jobs: the default's text is empty") {
            $0.commands[work].optionGroups[0].options[0].defaultText = ""
        },
        Case("--quiet takes a value in one command and none in another") {
            $0.commands[work].optionGroups[0].options[1].placeholder = "N"
            $0.commands[work].optionGroups[0].options[1].spellings = ["--quiet"]
        },
        Case("work: the group Empty has no options") {
            $0.commands[work].optionGroups.append(OptionGroup(title: "Empty", options: []))
        },
    ]

    private static let textCases = [
        Case("the summary of work starts with a capital") { $0.commands[work].summary = "Run it" },
        Case("the summary of work ends in a full stop") { $0.commands[work].summary = "run it." },
        Case("the summary of work has more than one line") { $0.commands[work].summary = "run\nit" },
        Case("the summary of work is empty") { $0.commands[work].summary = " " },
        Case("the summary of work has 101 characters, which is more than 100") {
            $0.commands[work].summary = String(repeating: "x", count: 101)
        },
        Case("the summary of work has a backquote without a partner") { $0.commands[work].summary = "run `it" },
        Case("the summary of work --jobs starts with a capital") {
            $0.commands[work].optionGroups[0].options[0].summary = "A job"
        },
        Case("the details of work --jobs mentions --job, which no command has") {
            $0.commands[work].optionGroups[0].options[0].details = "Like `--job`, but not --quiet."
        },
        Case("the summary of work QUEUE mentions --all, which no command has") {
            $0.commands[work].operands[0].summary = "the queue, without --all"
        },
        Case("the introduction of work mentions --all-vhosts, which no command has") {
            $0.commands[work].introduction = ["See --all-vhosts."]
        },
        Case("the introduction of workq has a backquote without a partner") { $0.introduction = ["``"] },
        Case("the section Extra of work mentions --none, which no command has") {
            $0.commands[work].sections = [ManualSection(title: "Extra", terms: [("--none", "nothing")])]
        },
        Case("an example of work mentions --none, which no command has") {
            $0.commands[work].examples = [
                Example(
                    "Other programs have other options",
                    "xargs --null | workq \\\n  work --none q -- ls --all; rm --force")
            ]
        },
        Case("an example of work ends in a full stop") {
            $0.commands[work].examples = [Example("Do it.", "workq work q")]
        },
        Case("exit status 0 is empty") { $0.exitStatuses[0].meaning = "" },
        Case("exit status 0 stands twice in the table") { $0.exitStatuses[1].status = "0" },
    ]

    private static let commandCases = [
        Case("two commands are called work") { $0.commands[purge].aliases.append("work") },
        Case("purge queue is no name for a command") { $0.commands[purge].aliases = ["purge queue"] },
        Case("a row of work names --lines, which it doesn't have") {
            $0.commands[work].rules = [.row("--jobs", excludes: "--quiet", "COMMAND", "--lines")]
        },
        Case("purge has no synopsis") {
            $0.commands[purge].synopses = []
            $0.commands[purge].operands = []
        },
        Case("a synopsis of purge starts with another word: workq purge QUEUE...") {
            $0.commands[purge].synopses = ["workq purge QUEUE..."]
        },
        Case("a synopsis of purge has unbalanced brackets: purge [QUEUE...") {
            $0.commands[purge].synopses = ["purge [QUEUE..."]
        },
        Case("a synopsis of purge mentions --match, which no command has") {
            $0.commands[purge].synopses = ["purge --match QUEUE..."]
        },
        Case("no synopsis of work mentions COMMAND") { $0.commands[work].synopses = ["work QUEUE [COMMANDS]"] },
        Case("purge QUEUE leaves no operand to others") {
            var operand = $0.commands[purge].operands[0]
            operand.isRepeatable = false
            $0.commands[purge].operands.append(operand)
        },
        Case("publish: QUEUE can't be required behind TASK") { $0.commands[publish].operands.reverse() },
    ]
}
