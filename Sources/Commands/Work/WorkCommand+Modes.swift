// What else work can do with tasks than one to each command: batches, answers, and moving.

import Broker
import Options
import Worker

extension WorkCommand {
    static var modeOptions: [Option<Values>] {
        [
            .value(
                "--batch", of: .count("N", 1...65_535), into: \.batchSize,
                "give a command up to N tasks at once, a line each",
                details: "All tasks of a batch share the verdict: they are acknowledged together, or each is tried "
                    + "again or dead-lettered by its own count of attempts. A task that ends in a newline isn't given "
                    + "another. One with a newline in it would look like two and is dead-lettered; `-0` separates "
                    + "tasks by NUL instead. `--count` counts tasks."),
            .value(
                "--batch-wait", of: .duration(.zero ... .seconds(86_400)), into: \.batchWait, default: "1s",
                "how long a batch that isn't full waits for more tasks"),
            .flag(
                "--reply", sets: \.isAnswering, to: true,
                "send what the command prints to whoever asked for an answer",
                details: "The command's standard output goes to the queue that the task's reply-to names, with its "
                    + "correlation id (or else its message id), and is confirmed before the task is acknowledged; up "
                    + "to 16 MiB, a task whose answer is longer is dead-lettered. Only a command that succeeds "
                    + "answers. Tasks without reply-to just run. When nobody waits any more, that is told and the "
                    + "task is done. Whoever may publish tasks chooses where answers go, within what the login may "
                    + "write to."),
            .value(
                "--move-to", of: .targetQueue, into: \.destination,
                "move tasks to another queue instead of running a command",
                details: "Each task is acknowledged once the broker has confirmed its copy, so none is lost; after a "
                    + "broken connection some may be there twice. Properties, headers and body stay, but copies are "
                    + "always persistent, and a user id, CC, BCC and x-death are dropped. OTHER is created where "
                    + "it is missing, QUEUE must exist. A dead-lettered task that is moved back to the queue it failed "
                    + "on leaves the "
                    + "`x-workq-` headers that say why behind, and starts again at attempt 1; moved anywhere else it "
                    + "keeps them. With `--drain` or `--count` the worker leaves when that is done. An auto-delete "
                    + "queue "
                    + "goes with its last consumer, which is told where the management API answers."),
            .flag(
                "--move-back", sets: \.isMovingBack, to: true,
                "move dead-lettered tasks to the queues that they failed on, in a single pass",
                details: "The header `x-workq-queue` says which that is; tasks without it stay. Otherwise it is as "
                    + "with "
                    + "`--move-to`. What comes during the pass isn't looked at."),
            .value(
                "--to-url", of: .text("URL"), into: \.targetURL,
                "move tasks to another vhost or broker",
                details: "A URL as for `--url`, with user, password and vhost of its own. Each task is acknowledged "
                    + "here "
                    + "once it is confirmed there. A password is safer in the file of `--to-url @FILE`, which only its "
                    + "owner may be able to read."),
        ]
    }

    static var rules: [OptionRule] {
        [
            .row("--move-to", "--move-back", "--peek", "--where", "--ndjson", excludes: "COMMAND"),
            .row(
                "--move-to", "--move-back",
                excludes: "--batch", "--reply", "--timeout", "--on-exit", "--max-attempts", "--retry-delay",
                "--dead-letter", "--output", "--tag", because: "nothing is run"),
            .row(
                "--batch", "--reply", "--timeout", "--on-exit", "--max-attempts", "--retry-delay", "--dead-letter",
                "--output", "--tag", "--results", needs: "COMMAND",
                because: "it says how commands run, and there is none after --"),
            .row("--batch", excludes: "--reply"),
            .row("--results", excludes: "--output", "--tag", "--reply", because: "the output goes to files"),
            .row("--to-url", needs: "--move-to", "--move-back"),
            .row("--move-to", excludes: "--move-back"),
            .row("--move-to", "--move-back", excludes: "--ndjson", "--null"),
            .row("--ndjson", excludes: "--null"),
            .row(
                "--peek", "--move-back", "--where",
                excludes: "--drain", "--idle-timeout", "--max-time", "--grace", "--rate", "--prefetch",
                "--consumer-priority", "--metrics-file", because: "a single pass is made over what is there"),
            .row("--peek", excludes: "--move-to", "--move-back", "--count"),
        ]
    }

    /// How many unacknowledged tasks the broker may give this worker, as far as no count limits it.
    static func prefetchCount(_ values: Values) throws(CommandError) -> UInt16 {
        if values.destination != nil, values.prefetch == 0 {
            throw CommandError(.usage, "work: --move-to needs a limit: --prefetch must be at least 1")
        }
        guard !values.command.isEmpty else {
            return UInt16(clamping: values.prefetch ?? (values.destination == nil ? 100 : 1_000))
        }
        let places = values.jobs * (values.batchSize ?? 1)
        let excuse = "else some jobs never get \(values.batchSize == nil ? "a task" : "a full batch")"
        if let prefetch = values.prefetch, prefetch > 0, prefetch < places {
            let least = values.batchSize == nil ? "--jobs" : "--jobs times --batch"
            throw CommandError(.usage, "work: --prefetch must be at least \(least), or 0: \(excuse)")
        }
        guard values.prefetch != nil || places <= UInt16.max else {
            throw CommandError(.usage, "work: --jobs times --batch is more than 65535; use --prefetch 0 for no limit")
        }
        return UInt16(clamping: values.prefetch ?? places)
    }

    /// What goes together is in `rules`; this is what values say.
    static func checkModes(_ values: Values) throws(CommandError) {
        if let destination = values.destination, values.queues.contains(destination), values.targetURL == nil {
            throw CommandError(.usage, "work: --move-to must name another queue than QUEUE")
        }
        guard Set(values.queues).count == values.queues.count else {
            throw CommandError(.usage, "work: each QUEUE can be named once")
        }
        // Without this a COMMAND that lacks its -- would be a queue, and tasks printed and gone.
        guard
            values.queues.count == 1 || !values.command.isEmpty || values.isNDJSON || values.destination != nil
                || values.isScan
        else {
            throw CommandError(
                .usage,
                "work: several QUEUEs need a COMMAND; COMMAND goes after --. To print their tasks, use --ndjson")
        }
        guard values.queues.count == 1 || !values.isScan else {
            throw CommandError(
                .usage, "work: --peek, --move-back and --where make a pass over one QUEUE; run workq for each")
        }
        if values.isAnswering, values.output == .inherit {
            throw CommandError(.usage, "work: --reply and --output inherit exclude each other")
        }
    }

    /// What to type instead of a whole command line in quotes, as for a shell.
    static func oneWordHint(_ command: [Word]) -> String {
        guard command.count == 1, let word = command.first, word.contains(UInt8(ascii: " ")) else { return "" }
        return ". Its words stand apart: -- \(String(decoding: word, as: UTF8.self))"
    }
}
