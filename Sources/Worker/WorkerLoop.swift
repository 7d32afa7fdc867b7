// Drives a worker: turns what happens on descriptors into events, and the state machine's actions into calls.

import Broker
import DequeModule
import Posix

/// One worker: a connection, the commands it runs, and the loop around poll(2) that serves both.
///
/// Everything happens on one thread and nothing in the loop waits for a child, so heartbeats go on throughout.
package final class WorkerLoop {
    package struct Settings {
        /// At least one, as many as `state` names.
        package var queues: [WorkQueue]
        /// The queue that tasks are moved to or dead-lettered on, where it must be created; nil to create none.
        package var createsOther: NewQueue?
        package var state = WorkerState.Settings()
        /// How long the broker may take to confirm a copy before that is told.
        package var confirmTimeout = Duration.seconds(30)
        /// This machine, as dead-lettered tasks name it.
        package var host = ""
        package var output = Output.passed
        /// To be told how the worker is doing; nil where nobody wants to know.
        package var service: ServiceLink?
        /// The same for what is to be told now and then.
        package var statusReader: StatusReader?
        /// Another broker, or vhost, that copies go to.
        package var copyParameters: ConnectionParameters?
        package var consumerPriority: Int32 = 0

        package init(queues: [WorkQueue]) {
            self.queues = queues
        }
    }

    /// What becomes of the commands' output.
    package enum Output: Equatable {
        /// Both streams are this process's own; the end of standard error isn't known then.
        case inherited
        /// Standard output is this process's own, standard error is passed on as it comes.
        case passed
        /// Whole lines of both, with the job's number before each when tagged. A long one waits in a file in
        /// `directory`.
        case lines(isTagged: Bool, directory: String)
        /// All output of a command together, once it has ended; otherwise the same.
        case grouped(isTagged: Bool, directory: String)
        /// To files of its own, with how the command ended.
        case stored(ResultStore)
    }

    /// What is done with a task.
    package enum Work {
        case run(CommandLauncher)
        /// Print it, with this byte behind it, or what `format` makes of it.
        case print(separator: UInt8, format: (@Sendable (Delivery) -> [UInt8])? = nil)
        /// Send it to another queue: see `WorkerState.Mode`.
        case move
    }

    /// Events taken from the broker in one turn, so that a flood of deliveries doesn't starve signals and children.
    static let eventsPerTurn = 64
    /// What tasks that are printed or moved may weigh together, in bytes, before the next one has to wait.
    static let greatestWeight = 16 << 20
    /// The longest answer to a task: what RabbitMQ 4 takes in one message.
    package static let longestAnswer = 16 << 20

    let settings: Settings
    /// Asked for each connection: a password may have changed.
    let parameters: () -> ConnectionParameters
    let launcher: CommandLauncher?
    /// The line that a report makes in the log, if it makes one.
    let logLine: (WorkerState.Report, BrokerError?) -> String?
    let signals: SignalPipe
    var printer: TaskPrinter
    let copies: CopyPublisher
    /// Why a copy couldn't be sent, the last time that one couldn't.
    var lastCopyError: BrokerError?
    var relay: OutputRelay
    /// Commands that have ended while their output is still on its way, in order, and how much standard output must
    /// have taken by then: a task isn't done while what its command printed may get lost.
    var delayedEnds: Deque<(job: WorkerState.JobID, end: JobEnd, output: CommandOutput, outputEnd: Int)> = []
    /// What broke standard output.
    var outputFailure: Int32?
    var state: WorkerState
    var session: ConsumerSession?
    var opening: Opening<ConsumerSession>?
    var children: [WorkerState.JobID: ChildProcess] = [:]
    var jobsByProcess: [pid_t: WorkerState.JobID] = [:]
    var events: Deque<WorkerState.Event> = []
    /// What the broker is told once the next commands run: they needn't wait for that.
    var settlements = Settlements()
    /// Whether frames may have come: the socket is ready, or a request has read more than its own reply, and then they
    /// wait in the library while the socket is quiet.
    var mayHaveFrames = false
    /// When to read from the broker although nothing came: heartbeats are served by reading.
    var nextReceive = Instant.never
    var pollSet = PollSet()
    var ending: WorkerState.Ending?

    package init(
        _ settings: Settings, work: Work, parameters: @escaping () -> ConnectionParameters, signals: SignalPipe,
        logLine: @escaping (WorkerState.Report, BrokerError?) -> String?
    ) throws(SystemError) {
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
        case .print(let separator, let format):
            launcher = nil
            printer = TaskPrinter(separator: separator, format: format)
        case .move:
            launcher = nil
            printer = TaskPrinter(separator: 0)
        }
        copies = try CopyPublisher(
            CopyPublisher.Settings(
                queues: settings.queues, newDeadLetterQueue: settings.createsOther, host: settings.host,
                confirmTimeout: settings.confirmTimeout),
            parameters: settings.copyParameters ?? parameters())
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
                copies.close()
                session?.connection.close()
                settings.statusReader?.report(state, now: nil)
                return failure.map(WorkerState.Ending.outputFailed) ?? ending
            }
            waitForSomething()
        }
    }

    private func handleEvents() {
        if mayHaveFrames && !isFull || nextReceive <= .now { receive() }
        if state.nextDeadline <= .now { events.append(.tick) }
        while let event = events.popFirst(), ending == nil {
            for action in state.handle(stored(event), now: .now) { perform(action) }
        }
        if ending != nil || nextSettling <= .now { settle() }
        settings.service?.report(state)
        settings.statusReader?.report(state, now: .now)
    }
}
