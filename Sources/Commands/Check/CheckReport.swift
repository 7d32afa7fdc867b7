// What `--check` says: a line a stage, as soon as it is known.

import Options
import Posix

/// Lines on standard output, in columns whose widths are known before the first.
final class CheckReport {
    /// What a stage came to.
    enum Mark: String {
        case fine = "ok"
        /// Nothing is wrong, and somebody may want to know.
        case note
        case failed = "FAILED"
        /// It can't be known without doing it.
        case unknown = "?"
    }

    private let context: CommandContext
    private var lastInstant = Instant.now
    /// The status of the first stage that failed.
    private(set) var failure: ExitStatus?
    /// Why nothing more can be written.
    private(set) var writeFailure: CommandError?

    init(_ context: CommandContext) {
        self.context = context
    }

    /// A stage begins.
    func begin() {
        lastInstant = .now
    }

    /// Says what a stage came to that ended at `end`; nil for one that took no time of its own.
    func add(_ mark: Mark, _ stage: String, _ text: String, at end: Instant? = nil) {
        let time = end.map { Self.text($0 - lastInstant) } ?? ""
        if let end { lastInstant = end }
        let words = Tool.hidingPasswords(in: text).escapedForDisplay
        write("\(mark.rawValue.padded(to: 6))  \(stage.padded(to: 8))  \(time.indented(to: 9))  \(words)\n")
    }

    /// Says why a stage failed, after the time up to now.
    func fail(_ stage: String, _ error: CommandError) {
        failure = failure ?? error.status
        add(.failed, stage, error.message, at: .now)
    }

    private func write(_ line: String) {
        guard writeFailure == nil else { return }
        do throws(CommandError) {
            try context.write(line)
        } catch {
            writeFailure = error
        }
    }

    /// Milliseconds with one digit behind the point.
    private static func text(_ time: Duration) -> String {
        let tenths = max(0, time.nanoseconds) / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    fileprivate func indented(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
