// What --help looks like, character for character where it matters.

import TestSupport
import Testing

@testable import Options

@Suite("Help text") struct HelpTextTests {
    @Test("workq --help lists the commands, the options and where to look next")
    func tool() {
        var tool = Sample.tool
        tool.commands.removeAll { $0.name == "tricky" }
        tool.topics = [Sample.topic]
        #expect(
            HelpText(of: tool).toolText == """
                workq - work queues on RabbitMQ

                Usage: workq [OPTION...] COMMAND [OPTION...] [OPERAND...]

                Examples:
                  One task:
                      workq publish emails hello

                Commands:
                  publish  put tasks on a queue
                  work     run a command for each task
                  purge    remove all tasks

                Options:
                  -h, --help     show help; -h is the short one
                      --version  show the version

                Other help:
                  connection  where the broker is

                "workq help COMMAND" explains a command, "man workq" everything.

                """)
    }

    @Test("workq alone shows the commands and an example")
    func overview() {
        var tool = Sample.tool
        tool.commands.removeAll { $0.name == "tricky" }
        #expect(
            HelpText(of: tool).overview == """
                Commands:
                  publish  put tasks on a queue
                  work     run a command for each task
                  purge    remove all tasks

                Example:
                  One task:
                      workq publish emails hello

                "workq help COMMAND" explains a command, "man workq" everything.

                """)
    }

    @Test("a command's long help shows what it does, usage, examples, operands and options in their groups")
    func command() {
        #expect(
            HelpText(of: Sample.tool).text(for: Sample.publish.description) == """
                workq publish - put tasks on a queue

                Puts a task on a queue. Use --lines for more than one, or (--window).

                Usage: workq publish [OPTION...] QUEUE [TASK]
                       workq publish --lines [--window N | --timeout DURATION] QUEUE

                Examples:
                  One task:
                      workq publish emails 'hello'

                  Many tasks:
                      seq 10 |
                          workq publish --lines emails

                      .dot

                Operands:
                  QUEUE  the queue's name
                  TASK   the task; without it, standard input is read

                Options:
                  -l, --lines             publish a task a line
                      --window N          how many tasks may be unconfirmed [1000]
                      --timeout DURATION  how long to wait for a confirm [30s]
                  -x, --exchange NAME     publish to an exchange
                  -H, --header K=V        add a header (repeatable)
                      --format FORMAT     how to print (table, tsv or json) [$WORKQ_FORMAT, else
                                          table]
                  -q, --quiet             say nothing
                  -t, --transient         don't store tasks
                      --spool DIR         keep tasks in DIR
                      --cert FILE         client certificate

                Connection options:
                  -u, --url URL           where the broker is (repeatable) [$WORKQ_URL,
                                          $AMQP_URL, else amqp://localhost]
                  -p, --vhost NAME        virtual host [from the URL]
                  -h, --help              show help; -h is the short one

                "man workq-publish" says more.

                """)
    }

    @Test("a command's short help has a line an option, and points to what several commands share")
    func short() {
        var tool = Sample.tool
        tool.topics = [Sample.topic]
        #expect(
            HelpText(of: tool, width: 60).text(for: Sample.work.description, .short) == """
                workq work - run a command for each task

                Usage: workq work [OPTION...] QUEUE
                           [-- COMMAND [ARG...]]

                Operands:
                  QUEUE    the queue's name
                  COMMAND  what to run, and its arguments

                Options:
                  -j, --jobs N  commands at once
                  -q, --quiet   say nothing
                      --other QUEUE  another queue

                Connection options: see "workq help connection".

                "workq work --help" says more, "man workq-work" everything.

                """)
        #expect(
            HelpText(of: tool).text(for: Sample.work.description).contains(
                """
                Connection options: see "workq help connection".
                  --url, --vhost, --help

                """))
    }

    @Test("what several commands share has help of its own")
    func topic() {
        #expect(
            HelpText(of: Sample.tool).text(for: Sample.topic) == """
                workq help connection - where the broker is

                Look here.

                Connection options:
                  -u, --url URL     where the broker is (repeatable) [$WORKQ_URL, $AMQP_URL,
                                    else amqp://localhost]
                  -p, --vhost NAME  virtual host [from the URL]
                  -h, --help        show help; -h is the short one

                "man workq" says more.

                """)
    }

    @Test(
        "a summary that doesn't fit on its line is cut between clauses, else between words",
        arguments: [
            ("all of it", "all of it"), ("the task; without it, standard input is read", "the task"),
            ("how long to wait for the broker's confirm", "how long to wait for the..."),
        ])
    func shortened(text: String, line: String) {
        #expect(text.shortened(to: 30) == line)
    }

    @Test(
        "a long line of shell is broken between words, never in quotes",
        arguments: [
            ("workq work", ["workq work"]),
            ("a 'b c d e f g h i j' \"k l\"", ["a \\", "    'b c d e f g h i j' \\", "    \"k l\""]),
            ("@daily workq publish reports daily", ["@daily workq publish reports daily"]),
            ("workq publish queue   # comment", ["workq publish queue   # comment"]),
            ("  one two three four five", ["  one two \\", "      three four \\", "      five"]),
        ] as [(String, [String])])
    func shell(line: String, lines: [String]) {
        #expect(line.shellLines(width: 18) == lines)
    }

    @Test("other names of a command and the words behind -- are shown")
    func aliasesAndRest() {
        let help = HelpText(of: Sample.tool)
        #expect(help.text(for: Sample.purge.description).contains("\nAlso answers to: purge_queue\n"))
        #expect(help.text(for: Sample.work.description).contains("\n  COMMAND  what to run, and its arguments\n"))
    }

    @Test("hidden commands are named nowhere")
    func hidden() {
        #expect(!HelpText(of: Sample.tool).toolText.contains("secret"))
        #expect(!HelpText(of: Sample.tool).text(for: Sample.hidden).contains("man "))
    }

    @Test("no line is wider than the width, and none ends in a blank", arguments: [50, 60, 72, 80, 120])
    func width(width: Int) {
        let help = HelpText(of: Sample.tool, width: width)
        let commands = [Sample.publish.description, Sample.work.description, Sample.purge.description]
        let texts = commands.flatMap { [help.text(for: $0), help.text(for: $0, .short)] }
        for text in texts + [help.toolText, help.overview, help.text(for: Sample.topic)] {
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                #expect(line.count <= width, "\(line)")
                #expect(line.last != " ", "\(line)")
            }
        }
    }

    @Test("a wider page breaks fewer lines")
    func wide() {
        let help = HelpText(of: Sample.tool, width: 120).text(for: Sample.publish.description)
        #expect(help.contains("how to print (table, tsv or json) [$WORKQ_FORMAT, else table]\n"))
    }

    @Test("a label too long for its column gets a line of its own")
    func longLabel() {
        var command = Sample.purge.description
        var option = command.optionGroups[0].options[0]
        option.spellings = ["--an-option-of-a-very-remarkable-length"]
        option.summary = "do it"
        command.optionGroups[0].options.append(option)
        #expect(
            HelpText(of: Sample.tool).text(for: command).contains(
                """
                  -h, --help  show help; -h is the short one
                      --an-option-of-a-very-remarkable-length
                              do it

                """))
    }

    @Test("backquotes are for the manual, help drops them")
    func backquotes() {
        var command = Sample.purge.description
        command.summary = "like `rm -r`"
        command.operands[0].summary = "a `name`"
        let help = HelpText(of: Sample.tool).text(for: command)
        #expect(help.contains("workq purge - like rm -r\n") && help.contains("  QUEUE  a name\n"))
        #expect(!help.contains("`"))
    }

    @Test("details are for the manual only")
    func details() {
        #expect(!HelpText(of: Sample.tool).text(for: Sample.publish.description).contains("IPv6"))
    }

    @Test("a synopsis breaks between its units, never inside brackets")
    func synopsis() {
        var command = Sample.purge.description
        command.synopses = ["purge [--expect N] [--match REGEX | --all] [--backup FILE] --format FORMAT QUEUE..."]
        #expect(
            HelpText(of: Sample.tool, width: 50).text(for: command).contains(
                """
                Usage: workq purge [--expect N]
                           [--match REGEX | --all] [--backup FILE]
                           --format FORMAT QUEUE...

                """))
    }
}
