// How a command's table turns words and environment into values.

import Testing

@testable import Options

@Suite("Command definition") struct CommandDefinitionTests {
    private func publish(_ texts: String..., environment: [String: String] = [:]) throws -> PublishValues {
        try values(of: Sample.publish, texts.map { Array($0.utf8) }, environment, PublishValues())
    }

    private func refusal(_ texts: String..., environment: [String: String] = [:]) -> String? {
        usageMessage {
            _ = try Sample.publish.parse(
                texts.map { Array($0.utf8) }, environment: environment, defaults: PublishValues())
        }
    }

    // MARK: - Values

    @Test("what isn't given keeps its default")
    func defaults() throws {
        var expected = PublishValues()
        expected.queue = "q"
        #expect(try publish("q") == expected)
    }

    @Test("options may stand before, between and behind the operands")
    func anyPlace() throws {
        let expected = try publish("-q", "--timeout", "7", "queue", "task")
        #expect(
            expected.queue == "queue" && expected.task == "task" && expected.timeout == .seconds(7) && expected.quiet)
        #expect(try publish("queue", "--timeout=7", "task", "-q") == expected)
        #expect(try publish("queue", "-q", "--timeout=7", "--", "task") == expected)
    }

    @Test("of an option given twice the last one counts")
    func lastWins() throws {
        #expect(try publish("-l", "q", "--window", "1", "--window", "2").window == 2)
    }

    @Test("a repeatable option keeps all its values in order")
    func repeatable() throws {
        let given = try publish("q", "-H", "a=1", "--header=", "-Ha=1", "-u", "amqp://b", "--url", "amqp://a")
        #expect(given.headers == ["a=1", "", "a=1"])
        #expect(given.connection.urls == ["amqp://b", "amqp://a"])
    }

    @Test("an empty value is stored as empty text, which isn't the same as no value")
    func emptyValue() throws {
        #expect(try publish("q", "--exchange=").exchange == "")
        #expect(try publish("q").exchange == nil)
    }

    @Test("typed formats are stored as their types")
    func typed() throws {
        let given = try publish("q", "--timeout", "500ms", "--format=json", "-qt", "--vhost", "/")
        #expect(given.timeout == .milliseconds(500) && given.format == .json && given.connection.vhost == "/")
        #expect(given.quiet && given.transient)
    }

    // MARK: - Environment

    @Test("an environment variable stands in for an option that isn't given")
    func environment() throws {
        #expect(try publish("q", environment: ["WORKQ_FORMAT": "tsv"]).format == .tsv)
        #expect(try publish("q", "--format", "json", environment: ["WORKQ_FORMAT": "tsv"]).format == .json)
    }

    @Test("of several environment variables the first that is set and not empty counts")
    func environmentOrder() throws {
        let both = ["WORKQ_URL": "amqp://first", "AMQP_URL": "amqp://second"]
        #expect(try publish("q", environment: both).connection.urls == ["amqp://first"])
        let empty = ["WORKQ_URL": "", "AMQP_URL": "amqp://second"]
        #expect(try publish("q", environment: empty).connection.urls == ["amqp://second"])
        #expect(try publish("q", "-u", "amqp://given", environment: both).connection.urls == ["amqp://given"])
    }

    @Test("a variable that doesn't fit is refused without showing its value, and only where it counts")
    func badEnvironment() throws {
        let environment = ["WORKQ_FORMAT": "s3cret"]
        #expect(
            refusal("q", environment: environment)
                == "the environment variable WORKQ_FORMAT must be table or tsv or json")
        #expect(refusal("q", "--format=tsv", environment: environment) == nil)
    }

    // MARK: - Help

    @Test(
        "help is given wherever it is asked for, even where operands are missing", arguments: ["-h", "--help", "-qh"])
    func help(spelling: String) throws {
        for texts in [[spelling], ["q", spelling], [spelling, "a", "b", "c"], ["-q", spelling, "x"]] {
            let request = try Sample.publish.parse(
                texts.map { Array($0.utf8) }, environment: ["WORKQ_FORMAT": "bad"], defaults: PublishValues())
            guard case .help = request else {
                Issue.record("\(texts) did not ask for help")
                return
            }
        }
    }

    @Test("behind -- nothing asks for help")
    func noHelpInRest() throws {
        let given = try values(of: Sample.work, words("q", "--", "ls", "--help"), [:], WorkValues())
        #expect(given.command == words("ls", "--help"))
    }

    // MARK: - Operands

    @Test(
        "operands that are missing, too many or empty are refused",
        arguments: [
            ([], "QUEUE is missing"),
            (["--quiet"], "QUEUE is missing"),
            (["a", "b", "c"], "unexpected operand \"c\""),
            (["a", "b", "--", "--quiet"], "unexpected operand \"--quiet\""),
            (["a", "b", "c\u{202E}\n"], "unexpected operand \"c\\xe2\\x80\\xae\\x0a\""),
            ([""], "QUEUE must be a name, not empty, not \"\""),
        ] as [([String], String)])
    func operandRefusals(texts: [String], message: String) {
        let given = texts.map { Array($0.utf8) }
        let refusal = usageMessage {
            _ = try Sample.publish.parse(given, environment: [:], defaults: PublishValues())
        }
        #expect(refusal == message)
    }

    @Test("where a command line comes behind --, a stray operand gets a hint")
    func restHint() {
        let message = usageMessage {
            _ = try Sample.work.parse(words("q", "ls"), environment: [:], defaults: WorkValues())
        }
        #expect(message == "unexpected operand \"ls\"; COMMAND goes after --")
    }

    @Test("the words of a command line behind -- are kept byte for byte")
    func rest() throws {
        let command: [Word] = words("printf", "", "-j", "--", "é") + [[0xFF, 0x00, 0x80]]
        let given = try values(of: Sample.work, words("-j2", "q", "--") + command, [:], WorkValues())
        #expect(given.command == command && given.jobs == 2)
    }

    @Test("a repeated operand takes all operands, also none")
    func repeatedOperand() throws {
        #expect(
            try values(of: Sample.purge, words("a", "b", "--", "-c"), [:], PurgeValues()).queues == ["a", "b", "-c"])
        #expect(try values(of: Sample.purge, [], [:], PurgeValues()).queues.isEmpty)
        let message = usageMessage {
            _ = try Sample.purge.parse(words("a", ""), environment: [:], defaults: PurgeValues())
        }
        #expect(message == "QUEUE must be a name, not empty, not \"\"")
    }

    @Test("bytes that aren't UTF-8 are refused as an operand, behind -- too, and as a value")
    func invalidUTF8() {
        for line in [[[0xFF]], words("--") + [[0xFF]], words("q", "-x") + [[0xFF]]] as [[Word]] {
            let message = usageMessage {
                _ = try Sample.publish.parse(line, environment: [:], defaults: PublishValues())
            }
            #expect(message == "\"\u{FFFD}\" is not valid UTF-8")
        }
    }

    @Test("a lone - is an operand")
    func loneDash() throws {
        #expect(try publish("q", "-").task == "-")
    }

    // MARK: - Rows

    @Test(
        "what excludes each other, and what needs another, is refused in any order and spelling",
        arguments: [
            (["q", "-l"], nil), (["q", "task", "-t"], nil), (["q", "-l", "--window", "1", "--spool", "d"], nil),
            (["-l", "q", "task"], "--lines and TASK exclude each other"),
            (["q", "-tl"], "--lines and --transient exclude each other"),
            (["q", "--window", "1"], "--window needs --lines: one task needs none"),
            (["--spool=d", "q", "task"], "--spool needs --lines: one task needs none"),
        ] as [([String], String?)])
    func rows(texts: [String], fault: String?) {
        let given = texts.map { Array($0.utf8) }
        #expect(
            usageMessage { _ = try Sample.publish.parse(given, environment: [:], defaults: PublishValues()) } == fault)
    }

    @Test("the words behind -- count as given where there are any")
    func restInRows() {
        var work = Sample.work
        work.rules = [.row("--jobs", needs: "COMMAND"), .row("COMMAND", excludes: "--vhost")]
        func fault(_ texts: String...) -> String? {
            usageMessage {
                _ = try work.parse(texts.map { Array($0.utf8) }, environment: [:], defaults: WorkValues())
            }
        }
        #expect(fault("q", "-j", "2") == "--jobs needs COMMAND")
        #expect(fault("q", "-j", "2", "--", "cat") == nil)
        #expect(fault("q", "-p", "v", "--", "cat") == "COMMAND and --vhost exclude each other")
    }

    @Test("help shows the default that the option's place has, unless the table has other words")
    func shownDefaults() {
        var values = PublishValues()
        values.window = 7
        values.timeout = .seconds(90)
        let shown = Sample.publish.description(defaults: values).options.map {
            ($0.spellings.last ?? "", $0.defaultText)
        }
        #expect(shown.first { $0.0 == "--window" }?.1 == "7")
        #expect(shown.first { $0.0 == "--timeout" }?.1 == "90s")
        #expect(shown.first { $0.0 == "--vhost" }?.1 == "from the URL")
        #expect(shown.first { $0.0 == "--exchange" }?.1 == nil)
    }

    // MARK: - Messages

    @Test("a value that doesn't fit is shown, escaped, with what would fit and the spelling that was used")
    func mismatch() {
        #expect(refusal("q", "--window", "0") == "--window must be a whole number, from 1 to 65535, not \"0\"")
        #expect(
            refusal("q", "--window=\u{1B}[2J")
                == "--window must be a whole number, from 1 to 65535, not \"\\x1b[2J\"")
        #expect(refusal("q", "-p", "") == "-p must be a name, not empty, not \"\"")
        #expect(refusal("q", "--format=xml") == "--format must be table or tsv or json, not \"xml\"")
    }

    @Test("a usage error names the command, so that its help can be pointed at")
    func errorNamesCommand() {
        #expect(throws: UsageError("QUEUE is missing", command: "publish")) {
            _ = try Sample.publish.parse([], environment: [:], defaults: PublishValues())
        }
    }

    @Test("the description shows the whole table")
    func description() {
        let description = Sample.publish.description
        #expect(description.options.map { $0.spellings.last }.prefix(3) == ["--lines", "--window", "--timeout"])
        #expect(description.options.first { $0.spellings.contains("--url") }?.isRepeatable == true)
        #expect(description.operands.map(\.placeholder) == ["QUEUE", "TASK"])
        #expect(description.operands.map(\.isOptional) == [false, true])
        #expect(Sample.work.description.rest?.completion == .command)
        #expect(Sample.purge.description.operands.map(\.isRepeatable) == [true])
    }
}

/// What `words` make of `defaults`; throws when they ask for help instead.
private func values<Values>(
    of definition: CommandDefinition<Values>, _ words: [Word], _ environment: [String: String], _ defaults: Values
) throws -> Values {
    guard case .run(let values) = try definition.parse(words, environment: environment, defaults: defaults) else {
        throw UsageError("asked for help")
    }
    return values
}

extension CommandDefinition {
    fileprivate func parse(
        _ words: [Word], environment: [String: String], defaults: Values
    ) throws(UsageError) -> Request {
        try parse(words, environment: { environment[$0] }, defaults: defaults)
    }
}
