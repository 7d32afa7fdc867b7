// The real table keeps all rules that help, manual and completions depend on.

import Options
import Testing

@testable import Benchmark
@testable import Commands

@Suite("Command table") struct CommandTableTests {
    @Test("the table has no faults")
    func faults() {
        #expect(CommandTable.tool.faults == [])
    }

    @Test("5 help fits its width, and the short one has a line an option", arguments: [50, 60, 80, 120])
    func helpWidth(width: Int) {
        let help = HelpText(of: CommandTable.tool, width: width)
        let commands = CommandTable.tool.commands.filter { !$0.isHidden }
        let texts =
            commands.flatMap { [help.text(for: $0, .short), help.text(for: $0, .long)] }
            + CommandTable.topics.map(help.text) + [help.toolText, help.overview]
        for line in texts.flatMap({ $0.split(separator: "\n") }) { #expect(line.count <= width, "\(line)") }
        for command in commands {
            let options = command.options.count { !help.text(for: command, .short).contains($0.spellings[0]) }
            #expect(options <= ConnectionOptions.options.count)
            #expect(help.text(for: command, .short).split(separator: "\n").count < 80)
        }
    }

    @Test("every command answers to its name and aliases, and is what the table describes")
    func names() throws {
        for command in CommandTable.commands {
            for name in [command.name] + command.aliases {
                #expect(try CommandTable.command(named: name).name == command.name)
            }
            #expect(command.description.name == command.name)
        }
        #expect(CommandTable.tool.commands.map(\.name) == CommandTable.commands.map { $0.name })
    }

    @Test("commands that people aren't told about are hidden, and only those")
    func hidden() {
        let visible = CommandTable.tool.commands.filter { !$0.isHidden }.map(\.name)
        #expect(visible == CommandTable.visibleNames)
        #expect(visible.contains("publish") && visible.contains("work"))
    }

    @Test("an option's default in the help is the default that it has")
    func defaults() throws {
        let work = WorkCommand.Values()
        let shown = Dictionary(
            uniqueKeysWithValues: WorkCommand.description.options.compactMap { option in
                option.defaultText.map { (option.spellings.last ?? "", $0) }
            })
        #expect(shown["--jobs"] == "\(work.jobs)")
        #expect(shown["--kill-after"] == work.killAfter.shortText)
        #expect(work.queueType == nil && shown["--queue-type"] == "the vhost's")
        #expect(shown["--confirm-timeout"] == work.confirmTimeout.shortText)
        let publish = PublishCommand.Values()
        let options = PublishCommand.description.options
        #expect(publish.window == nil)
        #expect(
            options.first { $0.spellings.contains("--window") }?.defaultText
                == "1000, or what --rate sends in a second")
        #expect(
            options.first { $0.spellings.contains("--confirm-timeout") }?.defaultText
                == publish.confirmTimeout.shortText)
        let bench = BenchCommand.Values()
        let shownByBench = Dictionary(
            uniqueKeysWithValues: BenchCommand.description.options.compactMap { option in
                option.defaultText.map { (option.spellings.last ?? "", $0) }
            })
        #expect(
            shownByBench["--producers"] == "\(bench.producers)" && shownByBench["--consumers"] == "\(bench.consumers)")
        #expect(shownByBench["--size"] == "\(bench.size)" && shownByBench["--prefetch"] == "\(bench.prefetch)")
        #expect(shownByBench["--window"] == "\(bench.window)" && shownByBench["--format"] == bench.format.rawValue)
        #expect(
            shownByBench["--warm-up"] == bench.warmUp.shortText && shownByBench["--expires"] == bench.expires.shortText)
    }
}
