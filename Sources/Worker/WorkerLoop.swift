// Drives a worker: turns what happens on descriptors into events, and the state machine's actions into calls.

import Broker
import CPosix
import DequeModule

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One worker: a connection, the commands it runs, and the loop around poll(2) that serves both.
///
/// Everything happens on one thread and nothing in the loop waits for a child, so heartbeats go on throughout.
package final class WorkerLoop {
    package struct Settings {
        package var queue: String
        /// Unacknowledged deliveries that the broker may have on the way; 0 for no limit.
        package var prefetchCount: UInt16
        /// The type of the queue where it must be created; nil to leave a missing queue alone.
        package var creates: QueueType?
        package var state = WorkerState.Settings()
        package var deadLetterQueue: String
        /// The name of the retry queue for a delay.
        package var retryQueue: (Duration) -> String
        /// This machine, as dead-lettered tasks name it.
        package var host = ""
        package var output = Output.lines
        /// To be told how the worker is doing; nil where nobody wants to know.
        package var service: ServiceLink?

        package init(
            queue: String, prefetchCount: UInt16, creates: QueueType?, deadLetterQueue: String,
            retryQueue: @escaping (Duration) -> String
        ) {
            self.queue = queue
            self.prefetchCount = prefetchCount
            self.creates = creates
            self.deadLetterQueue = deadLetterQueue
            self.retryQueue = retryQueue
        }
    }

    /// What becomes of the commands' output.
    package enum Output: Equatable {
        /// Both streams are this process's own; the end of standard error isn't known then.
        case inherited
        /// Standard output is this process's own, standard error is passed on as it comes.
        case passed
        /// Whole lines of both.
        case lines
        /// Whole lines of both, with the job's number before them.
        case taggedLines
        /// All output of a command together, once it has ended; with the job's number before each line when tagged. A long
        /// output waits in a file in `directory`.
        case grouped(isTagged: Bool, directory: String)
    }

    /// What is done with a task.
    package enum Work {
        case run(CommandLauncher)
        /// Print it, with this byte behind it.
        case print(separator: UInt8)
        /// Send it to another queue: see `WorkerState.Settings.destination`.
        case move
    }

    /// Events taken from the broker in one turn, so that a flood of deliveries doesn't starve signals and children.
    private static let eventsPerTurn = 64
    /// The longest answer to a task: what RabbitMQ 4 takes in one message.
    package static let longestAnswer = 16 << 20

    private let settings: Settings
    private let parameters: ConnectionParameters
    private let launcher: CommandLauncher?
    /// The line that a report makes in the log, if it makes one.
    private let logLine: (WorkerState.Report, BrokerError?) -> String?
    private let signals: SignalPipe
    private var printer: TaskPrinter
    private let courier: TaskCourier
    private var relay = OutputRelay()
    /// The last that commands wrote on standard error, until their task's fate is decided.
    private var lastWords: [WorkerState.JobID: [UInt8]] = [:]
    /// Commands that have ended while their output is still on its way, in order, and how much standard output must have
    /// taken by then: a task isn't done while what its command printed may get lost.
    private var delayedEnds: Deque<(job: WorkerState.JobID, end: JobEnd, outputEnd: Int)> = []
    /// What broke standard output.
    private var outputFailure: Int32?
    private var state: WorkerState
    private var link: ConsumerLink?
    private var opening: Opening<ConsumerLink>?
    private var children: [WorkerState.JobID: ChildProcess] = [:]
    private var events: Deque<WorkerState.Event> = []
    /// What the broker is told once the next commands run: they needn't wait for that.
    private var settlements: [WorkerState.Action] = []
    /// Whether frames may have come: the socket is ready, or a request has read more than its own reply, and then they wait
    /// in the library while the socket is quiet.
    private var mayHaveFrames = false
    /// When to read from the broker although nothing came: heartbeats are served by reading.
    private var nextReceive = Instant.never
    private var pollSet = PollSet()
    private var ending: WorkerState.Ending?

    package init(
        _ settings: Settings, work: Work, parameters: ConnectionParameters, signals: SignalPipe,
        logLine: @escaping (WorkerState.Report, BrokerError?) -> String?
    ) {
        self.settings = settings
        self.parameters = parameters
        self.signals = signals
        self.logLine = logLine
        switch work {
        case .run(let launcher):
            self.launcher = launcher
            workq_adopt_orphans()
            printer = TaskPrinter(separator: 0)
        case .print(let separator):
            launcher = nil
            printer = TaskPrinter(separator: separator)
        case .move:
            launcher = nil
            printer = TaskPrinter(separator: 0)
        }
        courier = TaskCourier(
            TaskCourier.Settings(
                queue: settings.queue, deadLetterQueue: settings.deadLetterQueue,
                deadLetterType: settings.state.destination == nil ? settings.creates ?? .classic : settings.creates,
                retryQueue: settings.retryQueue, host: settings.host),
            parameters: parameters)
        state = WorkerState(settings: settings.state, now: .now)
    }

    /// How many tasks ended how.
    package var tally: WorkerState.Tally { state.tally }
    /// Whether a signal ended the worker.
    package var wasStopped: Bool { state.wasStopped }

    /// Works until there is a reason to leave, and closes the connection in good order.
    package func run() -> WorkerState.Ending {
        perform(.connect)
        while true {
            handleEvents()
            if let ending {
                let failure = relay.flush()
                courier.close()
                link?.connection.close()
                return failure.map(WorkerState.Ending.outputFailed) ?? ending
            }
            waitForSomething()
        }
    }

    private func handleEvents() {
        if mayHaveFrames || nextReceive <= .now { receive() }
        for result in courier.receive() {
            switch result.outcome {
            case .confirmed:
                lastWords[result.job] = nil
                events.append(.copyConfirmed(result.job))
            case .unwanted: events.append(.answerReturned(result.job))
            case .failed:
                // A destination that will never take a task is told, not tried again and again.
                if settings.state.destination != nil, let error = courier.lastError, !error.isRetriable {
                    events.append(.refused(error))
                }
                events.append(.copyFailed(result.job))
            }
        }
        for notice in courier.takeNotices() { perform(.report(notice)) }
        if state.nextDeadline <= .now { events.append(.tick) }
        while let event = events.popFirst(), ending == nil {
            for action in state.handle(event, now: .now) { perform(action) }
        }
        settle()
        settings.service?.report(state)
    }

    // MARK: - From the world to events

    private func waitForSomething() {
        pollSet.removeAll()
        pollSet.add(signals.descriptor, events: POLLIN)
        if let link { pollSet.add(link.connection.descriptor, events: POLLIN) }
        if let opening { pollSet.add(opening.descriptor, events: POLLIN) }
        if let descriptor = courier.descriptor { pollSet.add(descriptor, events: POLLIN) }
        relay.add(to: &pollSet, children: children.values)
        for child in children.values where child.input.isPending {
            pollSet.add(child.input.descriptor, events: POLLOUT)
        }
        // A reader that goes away is noticed also while there is nothing to print.
        if settings.state.isPrinting {
            pollSet.add(printer.buffer.descriptor, events: printer.buffer.isPending ? POLLOUT : 0)
        }
        pollSet.wait(timeout: timeout)

        if let link, pollSet.isReady(link.connection.descriptor) { mayHaveFrames = true }
        if pollSet.isReady(signals.descriptor) {
            // A service manager may tell worker and commands to end at once; then a command that ended hasn't failed.
            let arrived = signals.read()
            let (stops, others) = (arrived.filter(Self.stopsWorker), arrived.filter { !Self.stopsWorker($0) })
            (stops + others).forEach(take)
        }
        for (job, child) in children where child.input.isPending && pollSet.isReady(child.input.descriptor) {
            children[job]?.input.write()
        }
        if let opening, pollSet.isReady(opening.descriptor) { takeConnection() }
        // Before the ends of commands, which may be what the worker leaves for.
        if let number = relay.pass(pollSet, children: &children) {
            outputFailure = number
            events.prepend(.outputFailed(number))
        }
        releaseEnds()
        if settings.state.isPrinting, pollSet.isReady(printer.buffer.descriptor) { print() }
    }

    /// Milliseconds until something is due by itself. Heartbeats are served by reading, twice an interval at least.
    private var timeout: Int32 {
        guard events.isEmpty, !mayHaveFrames, !courier.mayHoldFrames else { return 0 }
        let now = Instant.now
        let deadline = min(
            state.nextDeadline, nextReceive, courier.heartbeat.map { now + $0 / 2 } ?? .never,
            settings.service?.next ?? .never)
        return deadline == .never ? -1 : deadline.pollTimeout(from: now)
    }

    /// Takes what the broker has sent, without waiting.
    private func receive() {
        guard let link else { return }
        mayHaveFrames = true
        nextReceive = link.connection.heartbeat.map { .now + $0 / 2 } ?? .never
        do throws(BrokerError) {
            while events.count < Self.eventsPerTurn {
                guard let event = try link.connection.nextEvent() else {
                    mayHaveFrames = false
                    return
                }
                take(event)
                if self.link == nil { return }
            }
        } catch {
            lose(error)
        }
    }

    private func take(_ event: BrokerEvent) {
        switch event {
        case .delivery(let delivery):
            events.append(.delivered(delivery))
        case .consumerCancelled:
            lose(
                BrokerError(
                    "consume from queue \"\(settings.queue)\"", .connectionLost, scope: .channel,
                    "the queue was deleted or lost its leader, or a task took longer than the queue allows"))
        case .channelClosed(let error), .connectionClosed(let error):
            lose(error)
        case .acknowledged, .negativelyAcknowledged, .returned, .blocked, .unblocked:
            // Nothing is published on this connection, and an alarm doesn't stop deliveries or acknowledgements.
            break
        }
    }

    /// Drops the connection. Deliveries that are still to be handled belong to it and are void.
    private func lose(_ error: BrokerError) {
        link?.connection.close(timeout: .milliseconds(200))
        link = nil
        settlements = []
        lastWords = [:]
        mayHaveFrames = false
        nextReceive = .never
        events.removeAll { if case .delivered = $0 { true } else { false } }
        events.append(.connectionLost(error))
    }

    private static func stopsWorker(_ signal: Int32) -> Bool {
        [SIGTERM, SIGINT, SIGHUP].contains(signal)
    }

    private func take(_ signal: Int32) {
        switch signal {
        case SIGCHLD: reap()
        case SIGTSTP: events.append(.pauseRequested)
        case SIGCONT: events.append(.resumeRequested)
        case SIGUSR1: events.append(.statusRequested)
        default: events.append(.stopRequested)
        }
    }

    private func reap() {
        for (job, child) in children {
            guard let end = child.reap(), var child = children.removeValue(forKey: job) else { continue }
            child.input.close()
            relay.takeLeftovers(of: &child)
            lastWords[job] = child.errors?.tail
            if let answer = child.output?.kept { events.append(.answered(job, answer)) }
            let isOverfull = child.output?.isOverfull == true && end == .exited(0)
            let limit = Self.longestAnswer >> 20
            let verdict = isOverfull ? .unfit("the answer is longer than \(limit) MiB") : end
            if child.output != nil, relay.isBehind || outputFailure != nil {
                delayedEnds.append((job, verdict, relay.outputEnd))
                events.append(.outputDelayed(job))
            } else {
                events.append(.ended(job, verdict))
            }
        }
        reapOrphans()
    }

    /// Reaps what commands left behind: such processes are this one's when their parent ends (`workq_adopt_orphans`), as
    /// they are in a container where the worker is the first process.
    private func reapOrphans() {
        while true {
            let pid = workq_ended_child()
            guard pid > 0, !children.values.contains(where: { $0.pid == pid }) else { return }
            workq_reap(pid)
        }
    }

    /// Tells of commands whose output has arrived, or never will.
    private func releaseEnds() {
        while let first = delayedEnds.first, outputFailure != nil || first.outputEnd <= relay.output.totalWritten {
            delayedEnds.removeFirst()
            events.append(.ended(first.job, outputFailure == nil ? first.end : .outputLost))
        }
    }

    private func giveUpOutput(of job: WorkerState.JobID) {
        guard let index = delayedEnds.firstIndex(where: { $0.job == job }) else { return }
        delayedEnds.remove(at: index)
        events.append(.ended(job, .outputLost))
    }

    private func print() {
        guard printer.buffer.isPending else { return events.append(.outputFailed(EPIPE)) }
        switch printer.write() {
        case .done(let jobs): events.append(contentsOf: jobs.map { .ended($0, .exited(0)) })
        case .failed(let number): events.append(.outputFailed(number))
        }
    }

    // MARK: - From actions to the world

    private func perform(_ action: WorkerState.Action) {
        switch action {
        case .connect: connect()
        case .start(let job, let delivery): start(job, delivery)
        case .startBatch(let job, let tasks): start(job, batch: tasks)
        case .acknowledge, .acknowledgeAll, .reject, .giveBack: settlements.append(action)
        case .copy(let job, let copy): courier.send(job, copy, errors: lastWords[job] ?? [])
        case .cancelConsumer:
            guard let tag = link?.consumerTag else { return }
            onChannel { channel throws(BrokerError) in try channel.sendCancel(tag) }
        case .startConsumer: startConsumer()
        case .countReady: countReady()
        case .terminate(let job): children[job]?.terminate()
        case .kill(let job):
            children[job]?.end()
            giveUpOutput(of: job)
        case .report(let what):
            if case .ended(let job, _, _, let verdict, _) = what, !verdict.isSentOn {
                lastWords[job] = nil
            }
            if case .endedUnheard(let job, _, _, _) = what { lastWords[job] = nil }
            if case .batchEnded(let job, let outcomes, _, _) = what, let words = lastWords.removeValue(forKey: job) {
                shareLastWords(words, job, outcomes)
            }
            if let line = logLine(what, courier.lastError) { relay.log(line) }
        case .finish(let reason): ending = reason
        }
    }

    private func settle() {
        for action in settlements {
            onChannel { channel throws(BrokerError) in
                switch action {
                case .acknowledge(let tag): try channel.acknowledge(tag)
                case .acknowledgeAll(let tag): try channel.acknowledge(tag, multiple: true)
                case .reject(let tag): try channel.reject(tag)
                case .giveBack(let tag): try channel.giveBack(tag)
                default: break
                }
            }
        }
        settlements.removeAll(keepingCapacity: true)
    }

    private func onChannel(_ call: (Channel) throws(BrokerError) -> Void) {
        guard let link else { return }
        do {
            try call(link.channel)
        } catch {
            lose(error)
        }
    }

    private func connect() {
        let consumer = ConsumerLink.Settings(
            queue: settings.queue, prefetchCount: settings.prefetchCount, creates: settings.creates)
        do throws(BrokerError) {
            opening = try Opening { [parameters] () throws(BrokerError) in try ConsumerLink.open(consumer, parameters) }
        } catch {
            events.append(.connectionLost(error))
        }
    }

    private func takeConnection() {
        switch opening?.take() {
        case .success(let new):
            link = new
            mayHaveFrames = true
            events.append(.connected)
        case .failure(let error): events.append(.connectionLost(error))
        case nil: return
        }
        opening = nil
    }

    private func start(_ job: WorkerState.JobID, _ delivery: Delivery) {
        guard let launcher else { return printer.add(job, delivery.body) }
        let variables = TaskEnvironment.variables(
            for: delivery, queue: settings.queue, maximumAttempts: settings.state.retries.maximumAttempts)
        var modes = outputModes(job)
        let isAsked = settings.state.isAnswering && delivery.properties.replyTo?.isEmpty == false
        if isAsked { modes.output = .kept(limit: Self.longestAnswer) }
        start(job, launcher, delivery.body, variables, modes)
    }

    private func start(_ job: WorkerState.JobID, batch tasks: [Delivery]) {
        guard let launcher, let batching = settings.state.batching else { return }
        let variables = TaskEnvironment.variables(
            forBatchOf: tasks.count, queue: settings.queue,
            maximumAttempts: settings.state.retries.maximumAttempts)
        start(job, launcher, batching.input(tasks), variables, outputModes(job))
    }

    private func start(
        _ job: WorkerState.JobID, _ launcher: CommandLauncher, _ body: [UInt8], _ variables: EnvironmentBlock,
        _ modes: (output: ChildOutput.Mode?, errors: ChildOutput.Mode?)
    ) {
        do {
            children[job] = try launcher.start(
                body: body, variables: variables, output: modes.output, errors: modes.errors)
        } catch {
            events.append(.ended(job, error.end))
        }
    }

    /// Every task of a batch that failed carries what its command has said.
    private func shareLastWords(_ words: [UInt8], _ job: WorkerState.JobID, _ outcomes: [Verdict: Int]) {
        guard outcomes.keys.contains(where: \.isSentOn) else { return }
        for offset in 0..<outcomes.values.reduce(0, +) { lastWords[job + offset] = words }
    }

    private func outputModes(_ job: WorkerState.JobID) -> (output: ChildOutput.Mode?, errors: ChildOutput.Mode?) {
        switch settings.output {
        case .inherited: (nil, nil)
        case .passed: (nil, .bytes)
        case .lines: (.lines(tag: ""), .lines(tag: ""))
        case .taggedLines: (.lines(tag: "\(job): "), .lines(tag: "\(job): "))
        case .grouped(let isTagged, let directory):
            (
                .grouped(tag: isTagged ? "\(job): " : "", directory: directory),
                .grouped(tag: isTagged ? "\(job): " : "", directory: directory)
            )
        }
    }

    private func startConsumer() {
        guard let link else { return }
        mayHaveFrames = true
        do throws(BrokerError) {
            self.link?.consumerTag = try link.channel.consume(ShortString(settings.queue))
        } catch {
            lose(error)
        }
    }

    private func countReady() {
        guard let link else { return }
        settle()
        mayHaveFrames = true
        do throws(BrokerError) {
            let ready = try link.channel.status(ofQueue: ShortString(settings.queue)).ready
            // Deliveries that came before the answer must be known before it: they disprove that nothing is left.
            while let event = try link.connection.nextEvent() {
                take(event)
                if self.link == nil { return }
            }
            events.append(.readyCount(ready))
        } catch {
            if error.scope == .channel, error.code == .accessRefused {
                events.append(.refused(error))
            } else {
                lose(error)
            }
        }
    }
}
