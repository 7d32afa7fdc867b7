// What workq work does once its options are understood.

import Broker
import Options
import Posix
import Worker

extension WorkCommand {
    static func run(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        var context = context
        if values.logFormat == .json {
            context.messageLine = { WorkLogRecord(message: $0).line(queues: values.queues) }
        }
        let log = WorkLog(values, context)
        do {
            return try run(values, log, in: context)
        } catch {
            guard values.logFormat == .json, error.status != .usage else { throw error }
            log.note(error)
            return error.status
        }
    }

    private static func run(
        _ values: Values, _ log: WorkLog, in context: CommandContext
    ) throws(CommandError) -> ExitStatus {
        try checkModes(values)
        if values.isScan { return try scan(values, in: context) }
        if let warning = DeliveryTimeout.warning(commandTimeout: values.timeout) { context.say(warning) }
        let work = try work(values, in: context)
        if !values.command.isEmpty { checkDescriptors(values, in: context) }
        var parameters = try values.connection.parameters(for: name, in: context)
        if parameters.heartbeatSeconds > 0 { parameters.sendTimeout = .seconds(2 * parameters.heartbeatSeconds) }
        warnOfAutoDelete(values, parameters, in: context)
        let target = try values.targetParameters(in: context)
        if let target { try reach(target, for: values.retryFor ?? .zero) }
        guard let signals = SignalPipe(catching: caughtSignals) else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        let loop = try loop(values, work, parameters, target, signals, log, in: context)
        let ending = loop.run()
        // What is left to say may find nobody who reads it.
        signals.release()
        log.summarize(loop.tally, hasFailed: ending != .done)
        switch ending {
        case .done:
            let hasFailures = loop.tally[.deadLetter] + loop.tally[.reject] > 0
            return hasFailures && !loop.wasStopped ? .someFailed : .done
        case .brokerFailed(let error): throw CommandError(error)
        case .commandUnusable(let reason):
            throw CommandError(.configuration, "cannot run the command: \(reason)\(oneWordHint(values.command))")
        case .outputFailed(EPIPE): return .signal(SIGPIPE)
        case .outputFailed(let number):
            let place =
                values.results.map { "the results in \($0)" }
                ?? (values.output == .group ? "standard output or a file in TMPDIR" : "standard output")
            throw CommandError(.inputOutputError, "cannot write to \(place): \(SystemError.text(number))")
        }
    }

    /// Sees that the broker is there that tasks go to. Later the worker waits for it, but one that it never saw is
    /// wrong, or its vhost or login is.
    private static func reach(_ target: ConnectionParameters, for time: Duration) throws(CommandError) {
        let deadline = Instant.now + time
        var backoff = ReconnectBackoff()
        var generator = SystemRandomNumberGenerator()
        while true {
            do throws(BrokerError) {
                return try Connection.open(target).close()
            } catch {
                let pause = backoff.next(using: &generator)
                guard error.isRetriable, Instant.now + pause < deadline else { throw CommandError(error) }
                usleep(UInt32(clamping: pause.milliseconds) * 1_000)
            }
        }
    }

    private static func scan(_ values: Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        var scan = WorkScan(values, try values.connection.parameters(for: name, in: context), in: context)
        return try scan.run()
    }

    /// What operators see of the consumer: who it is, and of which queue, as far as there is room.
    private static func consumerTag(_ queue: String, in context: CommandContext) -> String {
        var tag = "workq-\(context.processName)-\(queue)"
        while tag.utf8.count > ShortString.maximumCount - 8 { tag.removeLast() }
        return tag
    }

    private static func loop(
        _ values: Values, _ work: WorkerLoop.Work, _ parameters: ConnectionParameters,
        _ target: ConnectionParameters?, _ signals: SignalPipe, _ log: WorkLog, in context: CommandContext
    ) throws(CommandError) -> WorkerLoop {
        var settings = try loopSettings(values, in: context)
        settings.copyParameters = target
        do throws(SystemError) {
            return try WorkerLoop(
                settings, work: work, parameters: freshParameters(parameters, values, in: context), signals: signals,
                logLine: log.line)
        } catch {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(error.text)")
        }
    }

    /// What to connect with, this time: the file with the password is read again, since passwords are changed while
    /// workers run. What can't be read now, as while it is being replaced, stays as it was.
    private static func freshParameters(
        _ parameters: ConnectionParameters, _ values: Values, in context: CommandContext
    ) -> () -> ConnectionParameters {
        guard case .plain(let username, _) = parameters.login, let file = values.connection.passwordFile, file != "-"
        else { return { parameters } }
        var latest = parameters
        return {
            // A pipe has given its only password already.
            var status = stat()
            if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                let password = try? PasswordFile.read(file, in: context)
            {
                latest.login = .plain(username: username, password: password)
            }
            return latest
        }
    }

    /// A command needs up to three pipes, two files for what is kept of it; the worker some descriptors of its own.
    private static func checkDescriptors(_ values: Values, in context: CommandContext) {
        let needed = (values.results == nil ? 3 : 5) * values.jobs + 32
        let allowed = Int(workq_raise_descriptor_limit())
        guard needed > allowed, !values.common.isQuiet else { return }
        context.say(
            "warning: \(values.jobs) jobs need up to \(needed) open files, and the system allows \(allowed) (ulimit "
                + "-Hn)"
        )
    }

    private static let caughtSignals = [SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGTSTP, SIGCONT, SIGUSR1]

    private static func loopSettings(
        _ values: Values, in context: CommandContext
    ) throws(CommandError) -> WorkerLoop.Settings {
        var state = WorkerState.Settings()
        state.mode =
            values.destination.map { .move(to: ShortString($0)) } ?? (values.command.isEmpty ? .print : .run)
        state.queues = values.queues
        state.prefetch = Int(try prefetchCount(values))
        // Printing and moving take no time, so a task that waits here keeps nobody from it.
        state.jobs = values.command.isEmpty ? .max : values.jobs
        state.isAnswering = values.isAnswering
        state.tellsIdleness = values.common.isVerbose || values.logFormat == .json
        state.batching = values.batchSize.map {
            Batching(size: $0, wait: values.batchWait, separator: values.separator)
        }
        state.count = values.count
        state.leavesWhenEmpty = values.leavesWhenEmpty
        state.idleTimeout = values.idleTimeout
        state.maximumTime = values.maximumTime
        state.timeout = values.timeout
        state.killAfter = values.killAfter
        state.grace = values.grace
        state.retryFor = values.retryFor
        state.verdicts = values.verdicts
        state.retries.maximumAttempts = values.maximumAttempts
        state.retries.delays = values.retryDelays
        state.pace = values.interval.map { Pace(interval: $0) }

        var settings = WorkerLoop.Settings(queues: try workQueues(values, in: context))
        if values.destination == nil {
            // A dead-letter queue is workq's own, and created whatever is said of QUEUE.
            settings.createsOther = NewQueue(type: values.queueType)
        } else if values.createsQueue {
            settings.createsOther = try values.newQueue()
        }
        settings.state = state
        settings.host = context.hostName
        settings.confirmTimeout = values.confirmTimeout
        settings.consumerPriority = values.consumerPriority
        if let file = values.metricsFile {
            settings.statusReader = try WorkMetrics(file, queues: values.queues, in: context).reader
        }
        settings.service = ServiceLink(environment: context.environment, processID: getpid())
        let (isTagged, directory) = (values.isTagged, context.temporaryDirectory)
        settings.output =
            switch values.output {
            case .inherit? where isTagged:
                throw CommandError(.usage, "work: --output inherit and --tag exclude each other")
            case .inherit?: .inherited
            case .group?: .grouped(isTagged: isTagged, directory: directory)
            case nil where values.results != nil: .stored(try WorkResults.store(values, in: context))
            case nil where values.jobs == 1 && !isTagged: .passed
            case .line?, nil: .lines(isTagged: isTagged, directory: directory)
            }
        return settings
    }

    /// The queues that tasks come from, each with its own ones.
    private static func workQueues(
        _ values: Values, in context: CommandContext
    ) throws(CommandError) -> [WorkQueue] {
        let creates = values.createsQueue && values.destination == nil
        var queues: [WorkQueue] = []
        for name in values.queues {
            let retryQueue = { @Sendable (delay: Duration) in "\(name).retry.\(delay.shortText)" }
            let deadLetterQueue = values.destination ?? values.deadLetterQueue ?? "\(name).dead"
            for other in values.retryDelays.map(retryQueue) + [deadLetterQueue]
            where !values.command.isEmpty && other.utf8.count > ShortString.maximumCount {
                throw CommandError(.usage, "work: QUEUE is too long, \"\(other)\" would have more than 255 bytes")
            }
            queues.append(
                WorkQueue(
                    name, creates: creates ? try values.newQueue(deadLetterQueue: deadLetterQueue) : nil,
                    deadLetterQueue: deadLetterQueue, consumerTag: consumerTag(name, in: context),
                    retryQueue: retryQueue))
        }
        if values.destination == nil, !values.command.isEmpty { try checkOwnQueues(queues, values) }
        return queues
    }

    /// A task that failed must not come back at once because its next queue is worked on too.
    private static func checkOwnQueues(_ queues: [WorkQueue], _ values: Values) throws(CommandError) {
        for queue in queues {
            let waiting = values.retryDelays.map(queue.retryQueue)
            if let other = queues.first(where: { waiting.contains($0.name) }) {
                throw CommandError(
                    .usage, "work: failed tasks of \"\(queue.name)\" wait on \"\(other.name)\", leave that out"
                )
            }
            let taken = queues.map(\.name) + queues.flatMap { values.retryDelays.map($0.retryQueue) }
            guard !taken.contains(queue.deadLetterQueue) else {
                throw CommandError(
                    .usage,
                    "work: --dead-letter must name another queue than tasks come from or wait on, not "
                        + "\"\(queue.deadLetterQueue)\"")
            }
        }
    }

    private static func work(
        _ values: Values, in context: CommandContext
    ) throws(CommandError) -> WorkerLoop.Work {
        guard let name = values.command.first else {
            guard values.destination == nil else { return .move }
            return .print(separator: values.separator, format: values.isNDJSON ? Values.line : nil)
        }
        do throws(Executable.Unusable) {
            let executable = try Executable(
                named: String(decoding: name, as: UTF8.self), searchPath: context.environment["PATH"])
            return .run(
                CommandLauncher(
                    executable, arguments: values.command, environment: childEnvironment(context),
                    hasOwnSession: values.output != .inherit))
        } catch {
            throw CommandError(.configuration, "cannot run the command: \(error.reason)\(oneWordHint(values.command))")
        }
    }

    /// The environment without secrets, and without what a worker around this one said of its own task.
    private static func childEnvironment(_ context: CommandContext) -> [[UInt8]] {
        context.environment.entries.filter { entry in
            let name = String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
            return !ConnectionOptions.secretVariables.contains(name) && !TaskEnvironment.describes(name)
                && !ServiceLink.variables.contains(name)
        }
    }
}
