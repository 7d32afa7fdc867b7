// What a worker's state machine is told, and what it answers.

import Broker
import Posix

extension WorkerState {
    /// What is done with tasks.
    package enum Mode: Equatable {
        /// A command gets each, or several together.
        case run
        case print
        case move(to: ShortString)
    }

    package struct Settings {
        package var mode = Mode.run
        /// The queues that tasks come from, to be named; those of earlier ones start first. At least one.
        package var queues = [""]
        /// When one after the other may start; nil for no limit.
        package var pace: Pace?
        /// Unacknowledged tasks that the broker may give this worker of each queue; 0 for no limit.
        package var prefetch = 0
        /// Commands at once.
        package var jobs = 1
        /// How tasks are put together for one command; nil for a command a task.
        package var batching: Batching?
        /// What a command writes answers its task.
        package var isAnswering = false
        /// Leave after starting so many tasks.
        package var count: Int?
        /// Leave once the queue is empty and nothing is running.
        package var leavesWhenEmpty = false
        /// How long to go on trying to reconnect; nil for ever.
        package var retryFor: Duration?
        /// Between TERM and KILL for commands that are ended.
        package var killAfter = Duration.seconds(10)
        /// How long a command may take; nil for ever.
        package var timeout: Duration?
        /// Leave when there was nothing to do for so long.
        package var idleTimeout: Duration?
        /// Leave after so long.
        package var maximumTime: Duration?
        /// How long running commands may take once the worker is told to leave; then they are ended.
        package var grace: Duration?
        /// Tell when no task has come for a while.
        package var tellsIdleness = false
        package var retries = RetryPolicy()
        package var verdicts = VerdictTable()

        package init() {}

        /// Whether a task that failed may be tried again later, on a queue of its own.
        var triesAgain: Bool { mode == .run && retries.maximumAttempts > 1 }

        /// The queues, as part of a sentence.
        var queuePhrase: String {
            (queues.count > 1 ? "queues " : "queue ") + queues.map { "\"\($0)\"" }.joined(separator: ", ")
        }
    }

    package enum Event {
        case connected
        case connectionLost(BrokerError)
        /// The broker has started the consumer that was asked for.
        case consuming
        /// It has ended the consumer as asked; what it had sent before has arrived.
        case consumerStopped
        /// A queue was missing, and was created.
        case queueCreated(Int)
        case delivered(Delivery)
        case ended(JobID, JobEnd, CommandOutput = CommandOutput())
        /// The command of a job has ended, but what it has printed is still on its way.
        case outputDelayed(JobID)
        /// The answer to `countReady`, of all queues together.
        case readyCount(Int)
        /// The broker has the copy of this task, safely.
        case copyConfirmed(TaskID)
        /// The copy couldn't be sent, or nobody knows whether the broker has it. Refused is one that the broker won't
        /// take as it is, though it takes others.
        case copyFailed(TaskID, isRefused: Bool = false)
        /// The task's own headers leave no room in its copy for the count of attempts.
        case copyUnfit(TaskID)
        /// Nobody is there any more to take the answer to this task.
        case answerReturned(TaskID)
        /// The broker refuses what the worker needs; trying again won't help.
        case refused(BrokerError)
        /// The output that tasks are printed on failed, for the system's reason.
        case outputFailed(Int32)
        /// TERM or INT.
        case stopRequested
        /// TSTP: take no more tasks until `resumeRequested`.
        case pauseRequested
        case resumeRequested
        /// USR1.
        case statusRequested
        /// Time has passed.
        case tick
    }

    package enum Action: Equatable {
        case connect
        case start(JobID, Delivery)
        case startBatch(JobID, [Delivery])
        case acknowledge(deliveryTag: UInt64)
        /// Send a copy of the task to where its fate wants it.
        case copy(TaskID, TaskCopy)
        /// To the queue's own dead-letter exchange, if it has one.
        case reject(deliveryTag: UInt64)
        case giveBack(deliveryTag: UInt64)
        case cancelConsumer
        case startConsumer(prefetch: Int)
        /// Ask how many messages are ready on the queues.
        case countReady
        /// To the job's process group.
        case terminate(JobID)
        case kill(JobID)
        case report(Report)
        case finish(Ending)
    }

    /// What is worth telling.
    package enum Report: Equatable {
        case started(JobID, Delivery)
        /// With the end of what the command has written on standard error.
        case ended(JobID, Delivery, JobEnd, Verdict, elapsed: Duration, errors: [UInt8] = [])
        case batchStarted(JobID, tasks: Int, queue: Int = 0)
        /// With how many of its tasks ended how.
        case batchEnded(JobID, [Verdict: Int], JobEnd, elapsed: Duration, queue: Int = 0)
        /// The connection is gone; the next attempt comes after the pause.
        case reconnecting(BrokerError, pause: Duration)
        /// The next attempt has failed as the one before.
        case stillDown(BrokerError, pause: Duration)
        /// No task has come for so long.
        case idle(Duration)
        /// For the first time.
        case connected
        case reconnected
        case leaving(running: Int)
        case interrupting(running: Int)
        case timedOut(JobID, Delivery)
        case batchTimedOut(JobID, tasks: Int, queue: Int = 0)
        /// The task had waited for an answer, and nobody waits any more.
        case answerReturned(Delivery)
        /// The copy of the task couldn't be sent; that is tried again after a pause.
        case copyFailed(Delivery)
        /// An alarm: the broker takes no copies until it is over.
        case blocked(reason: String)
        case unblocked
        /// A task whose connection was lost has come back while its command runs, which settles it after all.
        case cameBack(JobID, Delivery)
        /// A task has come back that was dealt with when its connection was gone: now the broker is told.
        case settledLate(Delivery, Verdict)
        /// A signal has stopped the command of a job, as the terminal does with one that reads from it.
        case stopped(JobID, Int32)
        /// A command couldn't be started; it is tried again after the pause.
        case startFailed(reason: String, pause: Duration)
        /// A queue was missing, and now it isn't.
        case queueCreated(Int)
        /// Copies wait for so long for the broker's word.
        case unconfirmed(Int, Duration)
        /// A queue says nothing.
        case unanswered(BrokerError)
        /// The command of a task whose connection is gone has ended: the broker delivers the task once more.
        case endedUnheard(JobID, Delivery, JobEnd, elapsed: Duration)
        case paused
        case resumed
        /// The terminal stops the worker and its commands; how long the broker bears its silence, if it isn't for ever.
        case suspended(silence: Duration?)
        /// So many lines of the log were dropped, since nobody read them.
        case linesLost(Int)
        case status(Status)
    }

    /// Why the worker ended.
    package enum Ending: Equatable {
        /// As asked: by a signal, or because the count was reached or the queue empty.
        case done
        /// The connection is lost for good, or the broker refused.
        case brokerFailed(BrokerError)
        /// Tasks can't be printed any more; the error number says why.
        case outputFailed(Int32)
        /// The command can't be run at all.
        case commandUnusable(String)
    }

    /// Where the worker's tasks are, and what became of earlier ones.
    package struct Status: Equatable {
        package var isConnected: Bool
        package var isPaused: Bool
        package var waiting: Int
        package var running: Int
        /// Failed, and not yet gone.
        package var held: Int
        package var tally: Tally
    }

    /// How many tasks ended how.
    package struct Tally: Equatable {
        package var counts: [Verdict: Int] = [:]

        package init(counts: [Verdict: Int] = [:]) {
            self.counts = counts
        }

        static func + (one: Self, other: Self) -> Self {
            Self(counts: one.counts.merging(other.counts) { $0 + $1 })
        }

        package subscript(verdict: Verdict) -> Int { counts[verdict] ?? 0 }
    }
}

/// What a command has written, as far as its task's fate needs it.
package struct CommandOutput: Equatable {
    /// For whoever waits for an answer; nil where nobody does.
    package var answer: [UInt8]?
    /// The last of what it wrote on standard error.
    package var errors: [UInt8] = []

    package init(answer: [UInt8]? = nil, errors: [UInt8] = []) {
        self.answer = answer
        self.errors = errors
    }
}
