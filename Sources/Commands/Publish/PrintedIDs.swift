// The message ids that `--print-id` prints, in the order of the tasks although confirms come in any order.

import Options
import Publisher

/// Message ids on their way to standard output.
final class PrintedIDs {
    private static let bufferSize = 16_384

    private let context: CommandContext
    /// Ids of tasks that were confirmed before one that was read earlier; no more than the window holds.
    private var early: [Int: MessageID] = [:]
    private var nextNumber = 1
    private var buffer = ""

    init(_ context: CommandContext) {
        self.context = context
    }

    /// Prints the id of a task once those before it are printed.
    func add(_ task: OutgoingTask) throws(CommandError) {
        early[task.number] = task.id
        while let id = early.removeValue(forKey: nextNumber) {
            try print(id)
            nextNumber += 1
        }
    }

    /// Prints those that waited for one that never came.
    func finish() throws(CommandError) {
        for number in early.keys.sorted() {
            guard let id = early.removeValue(forKey: number) else { continue }
            try print(id)
        }
        try flush()
    }

    /// Prints what is known, as before a wait: a reader may be waiting too.
    func flush() throws(CommandError) {
        guard !buffer.isEmpty else { return }
        let text = buffer
        buffer = ""
        try context.write(text)
    }

    private func print(_ id: MessageID) throws(CommandError) {
        buffer += id.text.description.escapedForDisplay + "\n"
        if buffer.utf8.count > Self.bufferSize { try flush() }
    }
}
