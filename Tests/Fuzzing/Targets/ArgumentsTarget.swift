// Command lines: every one is understood, or refused with a reason. Nothing is run.

import Options

@testable import Commands

/// Words with a NUL behind each. Before the command stand variables of the environment, `NAME=value`.
@Sendable func readArguments(_ bytes: [UInt8]) {
    var words = bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    var environment: [String: String] = [:]
    while let word = words.first, let equals = word.firstIndex(of: UInt8(ascii: "=")), word.first != UInt8(ascii: "-") {
        environment[Array(word[..<equals]).text] = Array(word[(equals + 1)...]).text
        words.removeFirst()
    }
    guard !words.isEmpty else { return }
    do throws(CommandError) {
        try understand(try CommandTable.command(named: words.removeFirst().text), words, environment)
    } catch {
        require(error.status == .usage || error.status == .refused, "status \(error.status) for \(words)")
        require(!error.message.isEmpty, "nobody says what is wrong with \(words)")
        let context = CommandContext(processName: "fuzzing")
        let line = context.messageLine(Tool.hidingPasswords(in: error.message)).unicodeScalars.dropLast()
        require(!line.contains(where: \.isUnsafeToDisplay), "a message moves the cursor: \(error.message)")
    }
}

private func understand<Command: Subcommand>(
    _ command: Command.Type, _ words: [Word], _ environment: [String: String]
) throws(CommandError) {
    let request: CommandDefinition<Command.Values>.Request
    do throws(UsageError) {
        request = try command.definition.parse(words, environment: { environment[$0] }, defaults: Command.Values())
    } catch {
        throw CommandError(.usage, error.message)
    }
    guard case .run(let values) = request else { return }
    switch values {
    case let values as PublishCommand.Values: try PublishPlan.check(values)
    case let values as ListQueuesCommand.Values: _ = try ListQueuesPlan(values)
    default: break
    }
}
