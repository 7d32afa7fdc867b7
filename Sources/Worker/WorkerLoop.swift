// Drives a worker: turns what happens on descriptors into events, and the state machine's actions into calls.

import Broker
import DequeModule
import Posix

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
        /// The same for the queue that tasks are moved to or dead-lettered on.
        package var createsOther: QueueType?
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
    static let eventsPerTurn = 64
    /// The longest answer to a task: what RabbitMQ 4 takes in one message.
    package static let longestAnswer = 16 << 20

    let settings: Settings
    let parameters: ConnectionParameters
    let launcher: CommandLauncher?
    /// The line that a report makes in the log, if it makes one.
    let logLine: (WorkerState.Report, BrokerError?) -> String?
    let signals: SignalPipe
    var printer: TaskPrinter
    let courier: TaskCourier
    var relay: OutputRelay
    /// The last that commands wrote on standard error, until their task's fate is decided.
    var lastWords: [WorkerState.JobID: [UInt8]] = [:]
    /// Commands that have ended while their output is still on its way, in order, and how much standard output must have
    /// taken by then: a task isn't done while what its command printed may get lost.
    var delayedEnds: Deque<(job: WorkerState.JobID, end: JobEnd, outputEnd: Int)> = []
    /// What broke standard output.
    var outputFailure: Int32?
    var state: WorkerState
    var link: ConsumerLink?
    var opening: Opening<ConsumerLink>?
    var children: [WorkerState.JobID: ChildProcess] = [:]
    var jobsByProcess: [pid_t: WorkerState.JobID] = [:]
    var events: Deque<WorkerState.Event> = []
    /// What the broker is told once the next commands run: they needn't wait for that.
    var settlements = Settlements()
    /// Whether frames may have come: the socket is ready, or a request has read more than its own reply, and then they wait
    /// in the library while the socket is quiet.
    var mayHaveFrames = false
    /// When to read from the broker although nothing came: heartbeats are served by reading.
    var nextReceive = Instant.never
    var pollSet = PollSet()
    var ending: WorkerState.Ending?

    package init(
        _ settings: Settings, work: Work, parameters: ConnectionParameters, signals: SignalPipe,
        logLine: @escaping (WorkerState.Report, BrokerError?) -> String?
    ) {
        self.settings = settings
        self.parameters = parameters
        self.signals = signals
        self.logLine = logLine
        relay = OutputRelay { logLine(.linesLost($0), nil) }
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
                deadLetterType: settings.createsOther,
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
                // A missing right neither.
                if let error = courier.lastError, !error.isRetriable,
                    settings.state.destination != nil || error.code == .accessRefused
                {
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
        if ending != nil || nextSettling <= .now { settle() }
        settings.service?.report(state)
    }
}
