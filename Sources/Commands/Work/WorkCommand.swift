// workq work: runs a command for each task.

import Broker
import Options
import Posix
import Worker

/// `workq work`.
enum WorkCommand: Subcommand {
    static let name = "work"

    /// `--output`.
    enum OutputChoice: String, CaseIterable {
        case inherit, line, group
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        /// Those of earlier ones start first.
        var queues: [String] = []
        var command: [Word] = []
        var jobs = 1
        var prefetch: Int?
        var leavesWhenEmpty = false
        var count: Int?
        var createsQueue = true
        var queueType: QueueType?
        var queueArguments: [FieldTable.Field] = []
        var timeout: Duration?
        var killAfter = Duration.seconds(10)
        var grace: Duration?
        var idleTimeout: Duration?
        var maximumTime: Duration?
        var verdicts = VerdictTable()
        var maximumAttempts = 5
        var retryDelays = RetryPolicy().delays
        var deadLetterQueue: String?
        var output: OutputChoice?
        var isTagged = false
        /// The folder for what commands write.
        var results: String?
        var retryFor: Duration?
        var confirmTimeout = Duration.seconds(30)
        var separator = UInt8(ascii: "\n")
        var batchSize: Int?
        var batchWait = Duration.seconds(1)
        var isAnswering = false
        var destination: String?
        var targetURL: String?
        var isMovingBack = false
        /// How many tasks to look at without taking them.
        var peek: Int?
        var condition: TaskCondition?
        var isNDJSON = false
        /// The time between two starts.
        var interval: Duration?
        var consumerPriority: Int32 = 0
        var metricsFile: String?
        var logFormat = WorkLog.Format.text
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "run a command for each task",
            synopses: [
                "work [OPTION...] QUEUE... [-- COMMAND [ARG...]]", "work [OPTION...] --move-to OTHER QUEUE",
                "work [OPTION...] --move-back QUEUE", "work [OPTION...] --peek [N] QUEUE",
            ],
            introduction: [
                "Takes tasks from QUEUE and runs COMMAND for each, with the task on its standard input. A task is "
                    + "acknowledged only after its command ended with status 0; when the worker dies before that, the "
                    + "broker gives the task to another one. Delivery is at least once: a command may see a task "
                    + "again. "
                    + "Tasks that end within 5 milliseconds of each other may be acknowledged together, at most that "
                    + "much later.",
                "The command is executed directly, never through a shell, in a process group of its own. A command "
                    + "that doesn't read its standard input harms nobody. When it fails, its task is tried again "
                    + "later, and after the last attempt it is kept on a dead-letter queue with the reason.",
                "Without COMMAND tasks are printed on standard output, a line each, and acknowledged once written.",
            ],
            operands: [.required(.queue, appendingTo: \.queues, "a queue to take tasks from; see SEVERAL QUEUES")],
            rest: RestOperand("COMMAND", into: \.command, "the command and its arguments, byte for byte"),
            optionGroups: [
                ("Options", options),
                ("Batches, answers and moving", modeOptions),
                ("Looking and choosing", scanOptions),
                ("Failed tasks", failureOptions),
                ("Output", outputOptions),
                ("Leaving", leavingOptions),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            rules: rules,
            sections: [
                severalSection, environmentSection, signalsSection, conditionSection, logSection, serviceSection,
            ],
            examples: [
                Example("Make thumbnails, four at a time", "workq work thumbnails --jobs 4 -- ./make-thumbnail"),
                Example("Urgent tasks first", "workq work urgent thumbnails -- ./make-thumbnail"),
                Example("Print what is waiting, then leave", "workq work --drain thumbnails"),
                Example(
                    "Give failed tasks another chance", "workq work thumbnails.dead --move-to thumbnails --drain"),
                Example("Look at what has failed, and why", "workq work thumbnails.dead --peek 3"),
                Example(
                    "Give what failed by its time limit another chance",
                    "workq work thumbnails.dead --move-back --where 'x-workq-reason == \"timeout\"'"),
                Example("Load up to 500 tasks at once", "workq work events --batch 500 -- ./load-into-database"),
                Example(
                    "The task as an argument instead of standard input",
                    "workq work thumbnails -- sh -c 'photo=$(cat) && convert \"$photo\" \"small-$photo\"'"),
            ])
    }

    private static var options: [Option<Values>] {
        [
            .value(
                "-j", "--jobs", of: .count("N", 1...10_000), into: \.jobs, default: "1", "how many commands run at once"
            ),
            .value(
                "--prefetch", of: .count("N", 0...65_535), into: \.prefetch,
                default: "jobs times batch; 100 to print and 1000 to move tasks",
                "how many unacknowledged tasks the broker may give this worker",
                details: "Tasks beyond the running ones wait in this worker while others may be idle, so the default "
                    + "dispatches fairly: whoever is free gets the next task. More hides the way to the broker when "
                    + "tasks are short. 0 sets no limit: plain round robin."),
            .value(
                "--rate", of: .rate, into: \.interval, default: "no limit",
                "how many tasks or batches start in a time, as 5/s, 100/m or 1000/h",
                details: "Evenly spread, and for this worker alone: others have rates of their own."),
            .value(
                "--consumer-priority", of: .priority, into: \.consumerPriority,
                "who gets tasks first",
                details: "While a worker with a higher priority can take tasks, those with a lower one get none. "
                    + "Usual is 0."),
            .flag("--no-create", sets: \.createsQueue, to: false, "fail when the queue doesn't exist"),
            .value(
                "--queue-type", of: .choice("TYPE"), into: \.queueType, default: "the vhost's",
                "the type of a queue that is created",
                details:
                    "A quorum queue that workq creates puts tasks that the broker would drop at its delivery limit "
                    + "on the dead-letter queue."),
            .values(
                "--queue-arg", of: .argument, appendingTo: \.queueArguments, "an argument of a queue that is created",
                details: "As with `workq publish`: `x-max-length=1000` is a number, `x-single-active-consumer=true` a "
                    + "truth value, `KEY:=JSON` anything, and everything else text. An existing queue keeps the "
                    + "arguments that it has; dead-letter and retry queues get none of these."),
            .value(
                "--timeout", of: .duration(.milliseconds(1) ... .seconds(31_557_600)), into: \.timeout,
                default: "no limit", "how long a command may take; then its process group is ended",
                details: "Keep it below the broker's delivery timeout (30 minutes unless configured): a task that is "
                    + "not acknowledged by then is taken away from the worker."),
            .value(
                "--kill-after", of: .duration(.zero ... .seconds(86_400)), into: \.killAfter, default: "10s",
                "how long a command that was told to end may take before it is killed"),
            .value(
                "--retry-for", of: .duration(.zero ... .seconds(31_557_600)), into: \.retryFor,
                default: "for ever once connected",
                "how long to try to reach a broker that is away; 0 leaves at once"),
            .value(
                "--confirm-timeout", of: .duration(.milliseconds(1) ... .seconds(86_400)), into: \.confirmTimeout,
                default: "30s", "how long the broker may take to confirm a task's copy before that is told"),
            .flag(
                "-0", "--null", sets: \.separator, to: 0, "separate printed or batched tasks by NUL instead of newlines"
            ),
        ]
    }

    private static var failureOptions: [Option<Values>] {
        [
            .value(
                "--on-exit", of: .verdicts, into: \.verdicts, default: "0=ack,65=dead-letter,75=requeue,*=retry",
                "what a command's end means for its task",
                details: "A list `CODE=VERDICT,...`, in which CODE is an exit status, `signal`, `timeout` or `*`. The "
                    + "verdicts are `ack` (done), `retry` (a failed attempt), `requeue` (later, without counting an "
                    + "attempt), `dead-letter` (not to be tried again) and `reject` (left to the queue's own "
                    + "dead-letter exchange; the broker drops the task when there is none). What isn't mentioned "
                    + "stays as it is."),
            .value(
                "--max-attempts", of: .count("N", 1...1_000_000), into: \.maximumAttempts, default: "5",
                "how often a task is tried before it is dead-lettered"),
            .value(
                "--retry-delay", of: .delays, into: \.retryDelays, default: "1s,10s,1m,10m",
                "how long a task waits after its first, second, ... failed attempt",
                details: "The last delay counts for all later attempts. Tasks wait on queues `QUEUE.retry.DELAY`, "
                    + "which workq creates: quorum queues, from which no task is lost."),
            .value(
                "--dead-letter", of: .targetQueue, into: \.deadLetterQueue, default: "QUEUE.dead",
                "the queue for tasks that failed for good",
                details: "It is created when it is first needed. Headers say why a task is there: `x-workq-reason`, "
                    + "`x-workq-attempts`, `x-workq-queue`, `x-workq-host`, `x-workq-time` and `x-workq-stderr`, the "
                    + "last 1,024 bytes of the command's standard error."),
        ]
    }

    private static var outputOptions: [Option<Values>] {
        [
            .value(
                "--output", of: .choice("MODE"), into: \.output, default: "line with several jobs",
                "what becomes of the commands' output",
                details:
                    "`inherit` leaves standard output and standard error as they are; `line` passes on whole lines, "
                    + "so that those of several commands don't mix; `group` passes on all that a command has written "
                    + "once it has ended, and keeps long output in a file without a name until then, in TMPDIR. With "
                    + "one job and without this option, standard "
                    + "output is left as it is and standard error passes through workq, which keeps its end for the "
                    + "dead-letter queue."),
            .value(
                "--log-format", of: .choice("FORMAT"), into: \.logFormat, default: "text",
                "how the worker tells on standard error what happens",
                details: "`text` is for people: what needs attention, with `-v` every start and end and a summary too. "
                    + "`json` tells every event as an object on a line; see LOG. The commands' own standard error "
                    + "goes to the same place unless they redirect it."),
            .flag("--tag", sets: \.isTagged, to: true, "put the job's number before each line of output"),
            .value(
                "--results", of: .directory(), into: \.results,
                "keep each command's output and end in files of its own, instead of passing the output on",
                details: "Each has a folder in DIR, named by time, job, process and host, as in "
                    + "`20261126T191500.123Z-7-4711@host`, with `stdout`, `stderr` and, once it has ended, `end.json`: "
                    + "the object of the log's event `end` (see LOG) and `started`. DIR is created when it is missing. "
                    + "A task is done only when all of it is written; when that fails, as on a full disk, the worker "
                    + "ends its commands, gives their tasks back and leaves with status 74. Files are not forced to "
                    + "the disk, nobody but their owner may read them, and nothing removes them."),
            .value(
                "--metrics-file", of: .file(), into: \.metricsFile,
                "keep counts of tasks in a file, as Prometheus reads them",
                details: "In the text format, for the textfile collector of node_exporter: name it `NAME.prom`, and "
                    + "give "
                    + "each worker a file of its own. It is written anew when something has changed, at most every 5 "
                    + "seconds, and renamed into place; the last time when the worker leaves."),
        ]
    }

    private static var leavingOptions: [Option<Values>] {
        [
            .flag("--drain", sets: \.leavesWhenEmpty, to: true, "leave once the queue is empty and nothing is running"),
            .value("--count", of: .count("N", 1...Int.max), into: \.count, "leave after N tasks"),
            .value(
                "--idle-timeout", of: .duration(.milliseconds(1) ... .seconds(31_557_600)), into: \.idleTimeout,
                "leave when there was nothing to do for so long"),
            .value(
                "--max-time", of: .duration(.milliseconds(1) ... .seconds(31_557_600)), into: \.maximumTime,
                "leave after so long, when running commands have finished"),
            .value(
                "--grace", of: .duration(.zero ... .seconds(31_557_600)), into: \.grace, default: "no limit",
                "how long commands may still run once the worker is leaving; then they are ended"),
        ]
    }
}

extension ValueFormat where Value == VerdictTable {
    /// `--on-exit`.
    fileprivate static var verdicts: Self {
        Self(
            "CODE=VERDICT,...",
            expectation: "a list like 2=ack,signal=retry,*=dead-letter, with codes 0 to 255, signal, timeout or * "
                + "and verdicts ack, retry, requeue, dead-letter or reject",
            parse: VerdictTable.init(changes:))
    }
}

extension ValueFormat where Value == Int32 {
    /// `--consumer-priority`.
    fileprivate static var priority: Self {
        Self("N", expectation: "a whole number, from -1000000 to 1000000", show: \.description) { text in
            Int32(text).flatMap { (-1_000_000...1_000_000).contains($0) ? $0 : nil }
        }
    }
}

extension ValueFormat where Value == [Duration] {
    /// `--retry-delay`. RabbitMQ takes a time to live of up to 2^32 - 1 milliseconds.
    fileprivate static var delays: Self {
        Self("D1,D2,...", expectation: "a list of durations from 1ms to 1000h, such as 1s,10s,5m") { text in
            let delays = text.split(separator: ",", omittingEmptySubsequences: false).map {
                Duration(shortText: String($0))
            }
            let valid = delays.compactMap { $0 }.filter { $0 > .zero && $0 <= .seconds(3_600_000) }
            return valid.count == delays.count ? valid : nil
        }
    }
}
