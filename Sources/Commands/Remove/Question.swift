// Asks before something is done that can't be undone.

import CPosix
import Options

/// A question on the terminal, which only a yes answers.
enum Question {
    /// Asks on standard error and reads a line from standard input. No answer is no.
    static func isAnsweredYes(_ text: String, in context: CommandContext) -> Bool {
        let prompt = Array("\(text.escapedForDisplay) [y/N] ".utf8)
        _ = prompt.withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(context.standardError, $0, bytes.count) }
        }
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        // Byte by byte, so that nothing is taken from whoever reads afterwards.
        while answer.count < 80, workq_read(context.standardInput, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            answer.append(byte)
        }
        return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
    }
}
