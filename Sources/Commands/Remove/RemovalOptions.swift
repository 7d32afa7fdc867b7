// What purge and delete are told alike.

import Options
import Posix

/// Which queues, and with how much care.
struct RemovalOptions {
    var queues: [String] = []
    var pattern: RegularExpression?
    var backup: String?
    /// Whether the queues that hold a QUEUE's retries, delayed and dead tasks are meant too.
    var takesRetries = false
    var isDryRun = false
    var isSure = false
    var format = Format.text

    /// How it is told what was done.
    enum Format: String, CaseIterable {
        case text, json
    }

    static func operand<Values>(_ path: WritableKeyPath<Values, [String]>) -> Operand<Values> {
        .repeated(.queue, appendingTo: path, "the queue; its name is meant exactly, whatever characters it has")
    }

    static var rules: [OptionRule] {
        [.row("--backup", excludes: "--match", "--with-retries", because: "a file holds the tasks of one queue")]
    }

    static var options: [Option<RemovalOptions>] {
        [
            .value(
                "--match", of: .pattern, into: \.pattern, "do it to all queues whose name matches, too",
                details: "The POSIX extended regular expression may match anywhere in a name: `^` and `$` tie it to "
                    + "the ends. "
                    + "The names come from the management API. `--dry-run` shows which they are. Without a terminal "
                    + "to ask on, `--yes` must be given."),
            .value(
                "--backup", of: .backup, into: \.backup, "save every task to FILE first",
                details: "Each task is a line of JSON, which is safe on the disk before the broker is told that the "
                    + "task is done with; `workq publish --ndjson` puts them back. FILE must not exist. Needs exactly "
                    + "one QUEUE and no `--match`. Tasks that workers hold unacknowledged can't be saved: `workq "
                    + "purge` "
                    + "leaves them, and `workq delete` refuses a queue that has consumers, or where it can't know."),
            .flag(
                "--with-retries", sets: \.takesRetries, to: true,
                "do it to the QUEUE's retry, delay and dead-letter queues, too",
                details: "These are `QUEUE.retry.DURATION`, `QUEUE.delay.DURATION` and `QUEUE.dead`, which workers and "
                    + "`workq publish --delay` make. Their names come from the management API. Without this option "
                    + "they stay as they are and are mentioned."),
            .flag(
                "--dry-run", sets: \.isDryRun, to: true, "only show what would be done",
                details: "The lines on standard output are the same."),
            .value(
                "--format", of: .choice("FORMAT"), into: \.format, "how to write what was done to each queue",
                details: "With `json`, each queue has a line with an object: `queue`, `vhost`, `done` (`purged`, "
                    + "`deleted`, `partly` or `nothing`), `tasks` (how many are gone, or would be with `--dry-run`), "
                    + "and where there is one, `backup` (the file) and `error`. Queues to which nothing could be done "
                    + "have a line too."),
            .flag(
                "-y", "--yes", sets: \.isSure, to: true, "don't ask on a terminal",
                details: "Nothing is asked when standard input isn't a terminal."),
        ]
    }
}

extension ValueFormat where Value == String {
    /// What is written to standard output can't be made safe, so `-` isn't taken.
    fileprivate static var backup: Self {
        Self("FILE", expectation: "the path of a file to be created", completion: .file) { text in
            text.isEmpty || text == "-" ? nil : text
        }
    }
}
