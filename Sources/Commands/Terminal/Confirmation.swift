// Asks before something is done that can't be undone.

import Options
import Posix

/// A question on the terminal, which only a yes answers.
enum Confirmation {
    /// Asks on standard error and reads a line from standard input. No answer is no.
    static func isAnsweredYes(_ text: String, in context: CommandContext) -> Bool {
        context.tell("\(text.escapedForDisplay) [y/N] ")
        let answer = Transfer.readLine(from: context.standardInput, limit: 80)
        return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
    }
}
