// A small tool whose tables use everything that tables can say, for the tests of parser and generators.

@testable import Options

enum Format: String, CaseIterable {
    case table, tsv, json
}

/// Values that a command of the sample begins with.
protocol SampleValues {
    init()
}

extension CommandDefinition where Values: SampleValues {
    var description: CommandDescription { description(defaults: Values()) }
}

/// The options that two commands of the sample share.
struct ConnectionValues: Equatable {
    var urls: [String] = []
    var vhost: String?
}

struct PublishValues: Equatable, SampleValues {
    var queue = ""
    var task: String?
    var connection = ConnectionValues()
    var exchange: String?
    var headers: [String] = []
    var window = 1_000
    var timeout = Duration.seconds(30)
    var lines = false
    var quiet = false
    var transient = false
    var format = Format.table
    var spool: String?
    var certificate: String?
}

struct WorkValues: Equatable, SampleValues {
    var queue = ""
    var jobs = 1
    var quiet = false
    var connection = ConnectionValues()
    var other: String?
    var command: [Word] = []
}

struct PurgeValues: Equatable, SampleValues {
    var queues: [String] = []
    var format = Format.table
}

/// Characters that mean something to a shell, to mdoc or to a completion function.
let trickyText = #"a [b] c: d \ e $f "g" 'h' (i) {j} %k ~l *m ;n &o |p <q> #r !s ^t = @"#
let trickyChoices = [
    "plain", "two words", "a:b", "it's", #"a"b"#, "$HOME", #"back\slash"#, "(paren)", "[bracket]", "semi;colon", "k=v",
    "~",
    "*", "`tick`", #"a\:b"#,
]

enum Sample {
    static func connectionOptions() -> [Option<ConnectionValues>] {
        [
            .values(
                "-u", "--url", of: .text("URL"), appendingTo: \.urls, default: "amqp://localhost",
                environment: ["WORKQ_URL", "AMQP_URL"], "where the broker is",
                details: "May name several nodes. An IPv6 address stands in brackets, as in `amqp://[::1]`."),
            .value("-p", "--vhost", of: .name("NAME"), into: \.vhost, default: "from the URL", "virtual host"),
        ]
    }

    private static var publishOptions: [Option<PublishValues>] {
        [
            .flag("-l", "--lines", sets: \.lines, to: true, "publish a task a line"),
            .value(
                "--window", of: .count("N", 1...65_535), into: \.window, "how many tasks may be unconfirmed"),
            .value(
                "--timeout", of: .duration(.milliseconds(1) ... .seconds(3_600)), into: \.timeout,
                "how long to wait for a confirm"),
            .value("-x", "--exchange", of: .text("NAME"), into: \.exchange, "publish to an exchange"),
            .values("-H", "--header", of: .text("K=V"), appendingTo: \.headers, "add a header"),
            .value(
                "--format", of: .choice("FORMAT"), into: \.format, default: "table",
                environment: ["WORKQ_FORMAT"], "how to print"),
            .flag("-q", "--quiet", sets: \.quiet, to: true, "say nothing"),
            .flag("-t", "--transient", sets: \.transient, to: true, "don't store tasks"),
            .value("--spool", of: .directory, into: \.spool, "keep tasks in DIR"),
            .value("--cert", of: .file(), into: \.certificate, "client certificate"),
        ]
    }

    static var publish: CommandDefinition<PublishValues> {
        CommandDefinition(
            name: "publish", summary: "put tasks on a queue",
            synopses: ["publish [OPTION...] QUEUE [TASK]", "publish --lines [--window N | --timeout DURATION] QUEUE"],
            introduction: [
                "Puts a task on a queue. Use `--lines` for more than one, or (`--window`).",
                "'Quoted' first. .Dot and a \\ backslash.",
            ],
            operands: [
                .required(.name("QUEUE"), into: \.queue, "the queue's name"),
                .optional(.text("TASK"), into: \.task, "the task; without it, standard input is read"),
            ],
            optionGroups: [
                ("Options", publishOptions),
                ("Connection options", connectionOptions().map { $0.within(\.connection) } + [.help]),
            ],
            rules: [
                .row("--lines", excludes: "TASK", "--transient"),
                .row("--window", "--spool", needs: "--lines", because: "one task needs none"),
            ],
            sections: [
                ManualSection(
                    title: "Message ids", paragraphs: ["Each task gets one."], terms: [("uuid", "a fresh one")])
            ],
            examples: [
                Example("One task", "workq publish emails 'hello'"),
                Example("Many tasks", "seq 10 |\n    workq publish --lines emails\n\n.dot"),
                Example(
                    "To a far broker",
                    "workq publish --url amqps://broker.example.net --exchange 'a long name' emails hello"),
            ])
    }

    static var work: CommandDefinition<WorkValues> {
        CommandDefinition(
            name: "work", summary: "run a command for each task",
            synopses: ["work [OPTION...] QUEUE [-- COMMAND [ARG...]]"],
            operands: [.required(.queue, into: \.queue, "the queue's name")],
            rest: RestOperand("COMMAND", into: \.command, "what to run, and its arguments"),
            optionGroups: [
                (
                    "Options",
                    [
                        .value("-j", "--jobs", of: .count("N", 1...64), into: \.jobs, default: "1", "commands at once"),
                        .flag("-q", "--quiet", sets: \.quiet, to: true, "say nothing"),
                        .value("--other", of: .queue, into: \.other, "another queue"),
                    ]
                ),
                ("Connection options", connectionOptions().map { $0.within(\.connection) } + [.help]),
            ])
    }

    static var topic: HelpTopic {
        HelpTopic(
            name: "connection", summary: "where the broker is", introduction: ["Look `here`."],
            group: OptionGroup(
                title: "Connection options",
                options: (connectionOptions() + [.help]).map { $0.description(defaults: ConnectionValues()) }))
    }

    static var purge: CommandDefinition<PurgeValues> {
        CommandDefinition(
            name: "purge", aliases: ["purge_queue"], summary: "remove all tasks", synopses: ["purge QUEUE..."],
            operands: [.repeated(.name("QUEUE"), appendingTo: \.queues, "the queues to empty")],
            optionGroups: [("Options", [.help])])
    }

    /// A command made of difficult texts only.
    static var tricky: CommandDescription {
        let choices = OptionDescription(
            spellings: ["--choice"], placeholder: "WHAT", completion: .choices(trickyChoices), defaultText: trickyText,
            environment: ["WORKQ_CHOICE"], isRepeatable: false, summary: trickyText, details: trickyText)
        let flag = OptionDescription(
            spellings: ["-0", "--null"], placeholder: nil, completion: .none, defaultText: nil, environment: [],
            isRepeatable: false, summary: trickyText, details: ".Starts like a macro. 'And so. `.Ql`, `a` `b`; (`-x`)s."
        )
        let operand = OperandDescription(
            placeholder: "PLACE", completion: .choices(trickyChoices), isOptional: false, summary: trickyText)
        let file = OperandDescription(placeholder: "FILE", completion: .file, isOptional: true, summary: "a file")
        return CommandDescription(
            name: "tricky", aliases: [], summary: trickyText, synopses: ["tricky PLACE [FILE]"],
            introduction: [trickyText, "'" + trickyText, "." + trickyText, "`" + trickyText + "`"],
            operands: [operand, file], rest: nil,
            optionGroups: [OptionGroup(title: "Options", options: [choices, flag, Option<Void>.help.description])],
            sections: [
                ManualSection(title: "Environment", paragraphs: [trickyText], terms: [(trickyText, trickyText)])
            ],
            examples: [Example("All of it", trickyText + "\n.\n'\n\\\n\ttab")], isHidden: false)
    }

    static var hidden: CommandDescription {
        CommandDescription(
            name: "secret", aliases: [], summary: "not to be seen", synopses: ["secret"], introduction: [],
            operands: [],
            rest: nil, optionGroups: [], sections: [], examples: [], isHidden: true)
    }

    static var tool: ToolDescription {
        let version = OptionDescription.standalone("--version", summary: "show the version")
        return ToolDescription(
            name: "workq", version: "1.0", summary: "work queues on RabbitMQ",
            introduction: ["Work queues for shell scripts."],
            commands: [publish.description, work.description, purge.description, tricky, hidden],
            options: [Option<Void>.help.description, version],
            sections: [
                ManualSection(title: "Environment", terms: [("NO_COLOR", "no colour, whatever its value")]),
                ManualSection(title: "Files", terms: [("~/.config/workq", "settings")]),
            ],
            exitStatuses: [
                ExitStatusDescription(status: "0", meaning: "done"),
                ExitStatusDescription(status: "128+n", meaning: "ended by signal n"),
            ],
            examples: [Example("One task", "workq publish emails hello")])
    }
}

extension ValueFormat where Value == String {
    static var queue: Self {
        Self("QUEUE", expectation: "a name, not empty", completion: .queue) { $0.isEmpty ? nil : $0 }
    }

    static var directory: Self {
        Self("DIR", expectation: "a directory", completion: .directory) { $0.isEmpty ? nil : $0 }
    }
}

/// The bytes of each text, as arguments arrive.
func words(_ texts: String...) -> [Word] { texts.map { Array($0.utf8) } }
