// workq work: runs a command for each task.

import Broker
import Options
import Worker

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// `workq work`.
enum WorkCommand: Subcommand {
    static let name = "work"

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        var queue = ""
        var command: [Word] = []
        var jobs = 1
        var prefetch: Int?
        var leavesWhenEmpty = false
        var count: Int?
        var createsQueue = true
        var queueType = QueueType.classic
        var killAfter = Duration.seconds(10)
        var retryFor: Duration?
        var separator = UInt8(ascii: "\n")
    }

    static var definition: CommandDefinition<Values> {
        CommandDefinition(
            name: name,
            summary: "run a command for each task",
            synopses: ["work [OPTION...] QUEUE [-- COMMAND [ARG...]]"],
            introduction: [
                "Takes tasks from QUEUE and runs COMMAND for each, with the task on its standard input. A task is "
                    + "acknowledged only after its command ended with status 0; when the worker dies before that, the "
                    + "broker gives the task to another one. Delivery is at least once: a command may see a task again.",
                "The command is executed directly, never through a shell, in a process group of its own. A command "
                    + "that doesn't read its standard input harms nobody. When a command fails, its task goes back to "
                    + "the queue after a pause, which grows while tasks keep failing.",
                "Without COMMAND tasks are printed on standard output, a line each, and acknowledged once written.",
            ],
            operands: [.required(.queue, into: \.queue, "the queue to take tasks from")],
            rest: RestOperand("COMMAND", into: \.command, "the command and its arguments, byte for byte"),
            optionGroups: [
                ("Options", options),
                (ConnectionOptions.group, ConnectionOptions.options.map { $0.within(\.connection) }),
                ("General options", CommonOptions.options.map { $0.within(\.common) }),
            ],
            sections: [environmentSection, signalsSection],
            examples: [
                Example("Make thumbnails, four at a time", "workq work thumbnails --jobs 4 -- ./make-thumbnail"),
                Example("Print what is waiting, then leave", "workq work --drain thumbnails"),
                Example(
                    "The task as an argument instead of standard input",
                    "workq work thumbnails -- sh -c 'read -r photo && convert \"$photo\" \"small-$photo\"'"),
            ])
    }

    private static var options: [Option<Values>] {
        [
            .value(
                "-j", "--jobs", of: .count("N", 1...10_000), into: \.jobs, default: "1", "how many commands run at once"
            ),
            .value(
                "--prefetch", of: .count("N", 0...65_535), into: \.prefetch,
                default: "as many as jobs; 100 without a command",
                "how many unacknowledged tasks the broker may give this worker",
                details: "Tasks beyond the running ones wait in this worker while others may be idle, so the default "
                    + "dispatches fairly: whoever is free gets the next task. More hides the way to the broker when "
                    + "tasks are short. 0 sets no limit: plain round robin."),
            .flag("--drain", sets: \.leavesWhenEmpty, to: true, "leave once the queue is empty and nothing is running"),
            .value(
                "--count", of: .count("N", 1...Int.max), into: \.count, "leave after N tasks"),
            .flag("--no-create", sets: \.createsQueue, to: false, "fail when the queue doesn't exist"),
            .value(
                "--queue-type", of: .choice("TYPE"), into: \.queueType, default: "classic",
                "the type of a queue that is created"),
            .value(
                "--kill-after", of: .duration(.zero ... .seconds(86_400)), into: \.killAfter, default: "10s",
                "how long a command that was told to end may take before it is killed"),
            .value(
                "--retry-for", of: .duration(.zero ... .seconds(31_557_600)), into: \.retryFor,
                default: "for ever once connected",
                "how long to try to reach a broker that is away; 0 leaves at once"),
            .flag("-0", "--null", sets: \.separator, to: 0, "print tasks separated by NUL instead of newlines"),
        ]
    }

    private static var environmentSection: ManualSection {
        ManualSection(
            title: "Environment of the command",
            paragraphs: [
                "The command inherits the worker's environment without the variables that may hold the broker's "
                    + "password, and learns about its task from these. Those that don't apply are absent."
            ],
            terms: [
                ("WORKQ_QUEUE", "the queue"),
                ("WORKQ_MESSAGE_ID", "the message id; the same when a task is delivered again"),
                ("WORKQ_REDELIVERED", "1 when the broker has delivered the task before, else 0"),
                ("WORKQ_EXCHANGE", "the exchange that the task was published to; empty for the default one"),
                ("WORKQ_ROUTING_KEY", "the routing key"),
                ("WORKQ_PRIORITY", "the priority"),
                ("WORKQ_TIMESTAMP", "when the task was published, in seconds since 1970"),
                ("WORKQ_TYPE", "the message's type"),
                ("WORKQ_CONTENT_TYPE", "the content type"),
                ("WORKQ_CORRELATION_ID", "the correlation id"),
                ("WORKQ_REPLY_TO", "where a reply should go"),
                (
                    "WORKQ_HEADER_NAME",
                    "the header NAME, in upper case and with everything but letters and digits as underscores"
                ),
            ])
    }

    private static var signalsSection: ManualSection {
        ManualSection(
            title: "Signals",
            terms: [
                (
                    "TERM, INT, HUP",
                    "Take no more tasks, give back those that haven't started, let running commands finish, and leave "
                        + "with status 0. Sent again: end running commands with TERM, later with KILL, and give their "
                        + "tasks back."
                )
            ])
    }

    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        let work = try work(values, in: context)
        var parameters = try values.connection.parameters(for: name, in: context)
        if parameters.heartbeatSeconds > 0 { parameters.sendTimeout = .seconds(2 * parameters.heartbeatSeconds) }
        guard let signals = SignalPipe(catching: [SIGTERM, SIGINT, SIGHUP, SIGCHLD]) else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        var state = WorkerState.Settings()
        state.count = values.count
        state.leavesWhenEmpty = values.leavesWhenEmpty
        state.killAfter = values.killAfter
        state.retryFor = values.retryFor
        var prefetch = values.prefetch
        if values.command.isEmpty {
            // Printing takes no time, so a task that waits here keeps nobody from it.
            state.jobs = .max
            prefetch = prefetch ?? 100
        } else {
            state.jobs = values.jobs
        }
        let log = WorkLog(values.common, isPrinting: values.command.isEmpty, context)
        let loop = WorkerLoop(
            WorkerLoop.Settings(
                queue: values.queue, prefetchCount: UInt16(clamping: prefetch ?? values.jobs),
                creates: values.createsQueue ? values.queueType : nil, state: state),
            work: work, parameters: parameters, signals: signals, report: log.note)
        switch loop.run() {
        case .done: return .done
        case .brokerFailed(let error): throw CommandError(error)
        case .commandUnusable(let reason): throw CommandError(.configuration, "cannot run the command: \(reason)")
        case .outputFailed(EPIPE): return .signal(SIGPIPE)
        case .outputFailed(let number):
            throw CommandError(.inputOutputError, "cannot write to standard output: \(SystemError.text(number))")
        }
    }

    private static func work(
        _ values: Values, in context: CommandContext
    ) throws(CommandError) -> WorkerLoop.Work {
        guard let name = values.command.first else { return .print(separator: values.separator) }
        do throws(Executable.Unusable) {
            let executable = try Executable(
                named: String(decoding: name, as: UTF8.self), searchPath: context.environment["PATH"])
            return .run(
                CommandLauncher(executable, arguments: values.command, environment: childEnvironment(context)))
        } catch {
            throw CommandError(.configuration, "cannot run the command: \(error.reason)")
        }
    }

    /// The environment without secrets, and without what a worker around this one said of its own task.
    private static func childEnvironment(_ context: CommandContext) -> [[UInt8]] {
        context.rawEnvironment.filter { entry in
            let name = String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
            return !ConnectionOptions.secretVariables.contains(name) && !TaskEnvironment.describes(name)
        }
    }
}
