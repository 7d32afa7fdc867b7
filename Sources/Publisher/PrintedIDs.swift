// The message ids that `--print-id` prints, in the order of the tasks although confirms come in any order.

import Options
import Posix

/// Message ids on their way to standard output.
package final class PrintedIDs {
    /// How ids are written.
    package struct Form: Sendable {
        let text: @Sendable (_ id: MessageID, _ isFirst: Bool) -> String

        package init(_ text: @escaping @Sendable (_ id: MessageID, _ isFirst: Bool) -> String) {
            self.text = text
        }

        /// An id a line.
        package static let lines = Form { id, _ in id.text.description.escapedForDisplay + "\n" }
    }

    private static let bufferSize = 16_384

    private let descriptor: Int32
    private let form: Form
    /// Whether nothing was printed yet.
    package private(set) var isEmpty = true
    /// Ids of tasks that were confirmed before one that was read earlier; no more than the window holds.
    private var early: [Int: MessageID] = [:]
    private var nextNumber = 1
    private var buffer = ""
    /// Why nothing more can be printed. What is already on the broker stays there, so this is told apart.
    package private(set) var failure: SystemError?

    package init(_ descriptor: Int32, _ form: Form = .lines) {
        self.descriptor = descriptor
        self.form = form
    }

    /// Prints the id of a task once those before it are printed.
    package func add(_ task: OutgoingTask) {
        early[task.number] = task.id
        while let id = early.removeValue(forKey: nextNumber) {
            print(id)
            nextNumber += 1
        }
    }

    /// Prints those that waited for one that never came.
    package func finish() {
        for number in early.keys.sorted() { early.removeValue(forKey: number).map(print) }
        flush()
    }

    /// Prints what is known, as before a wait: a reader may be waiting too.
    package func flush() {
        guard !buffer.isEmpty else { return }
        let text = buffer
        buffer = ""
        guard failure == nil else { return }
        do throws(SystemError) {
            try Transfer.write(text, to: descriptor)
        } catch {
            failure = error
        }
    }

    private func print(_ id: MessageID) {
        buffer += form.text(id, isEmpty)
        isEmpty = false
        if buffer.utf8.count > Self.bufferSize { flush() }
    }
}
