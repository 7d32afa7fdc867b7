// Sends copies of tasks to other queues, over a connection of its own on a thread of its own.

import Broker
import DequeModule
import Posix
import Synchronization

/// The worker's publishing side, as its loop sees it: what is to be sent goes into one mailbox, what came of it comes
/// out of the other. Nothing here waits.
///
/// Publishing and consuming use separate connections: an alarmed broker stops reading from a connection that has
/// published, acknowledgements included. And a thread, since librabbitmq can't go on later with half a message: sending
/// one that doesn't fit the socket's buffer waits until the broker reads.
final class CopyPublisher: Sendable {
    struct Settings: Sendable {
        /// The queues that tasks come from and go back to, with their dead-letter and retry queues.
        var queues: [WorkQueue]
        /// A dead-letter queue where it must be created; nil to create none.
        var newDeadLetterQueue: NewQueue?
        /// What a dead-lettered task names as the host.
        var host: String
        /// How long a confirm may take before that is told.
        var confirmTimeout: Duration
    }

    struct Letter: Sendable {
        var task: WorkerState.TaskID
        var copy: TaskCopy
    }

    /// What became of a copy.
    enum Outcome: Sendable {
        case confirmed
        /// It couldn't be sent, or nobody knows whether the broker has it. Refused is one that the broker won't take as
        /// it is, though it takes others.
        case failed(BrokerError, isRefused: Bool)
        /// It has no room for the count of attempts.
        case unfit
        /// An answer that nobody waits for any more.
        case unwanted
    }

    enum News: Sendable {
        case outcome(WorkerState.TaskID, Outcome)
        /// An alarm: the broker takes no copies until it is over.
        case blocked(reason: String)
        case unblocked
        /// So many copies wait for the broker's word.
        case unconfirmed(Int, Duration)
    }

    private struct Mailboxes {
        var letters: Deque<Letter> = []
        var news: [News] = []
        var isRunning = false
        var isClosed = false
        /// Fresh for each connection: a password may have changed.
        var parameters: ConnectionParameters
    }

    private let settings: Settings
    private let mailboxes: Mutex<Mailboxes>
    private let toThread: WakePipe
    private let toLoop: WakePipe

    init(_ settings: Settings, parameters: ConnectionParameters) throws(SystemError) {
        self.settings = settings
        mailboxes = Mutex(Mailboxes(parameters: parameters))
        toThread = try WakePipe()
        toLoop = try WakePipe()
    }

    /// To poll for reading: readable while there is news.
    var descriptor: Int32 { toLoop.descriptor }

    /// Sends a copy. What becomes of it is in a later `takeNews()`.
    func send(_ letter: Letter) {
        let mustStart = mailboxes.withLock { boxes in
            boxes.letters.append(letter)
            defer { boxes.isRunning = true }
            return !boxes.isRunning
        }
        toThread.wake()
        guard mustStart, !DetachedThread.start({ self.run() }) else { return }
        mailboxes.withLock { boxes in
            boxes.isRunning = false
            let error = BrokerError(
                "send a task to another queue", .outOfResources, scope: .connection, "the system refuses a thread")
            boxes.news += boxes.letters.map { .outcome($0.task, .failed(error, isRefused: false)) }
            boxes.letters = []
        }
        toLoop.wake()
    }

    /// Says with what to connect from now on.
    func use(_ parameters: ConnectionParameters) {
        mailboxes.withLock { $0.parameters = parameters }
    }

    /// What there is to know since the last call.
    func takeNews() -> [News] {
        toLoop.clear()
        return mailboxes.withLock { boxes in
            defer { boxes.news = [] }
            return boxes.news
        }
    }

    /// Lets the thread close its connection and end, and waits for that a moment: it may wait for the broker.
    func close() {
        mailboxes.withLock { $0.isClosed = true }
        toThread.wake()
        let limit = Instant.now + .milliseconds(300)
        var pollSet = PollSet()
        pollSet.add(toLoop.descriptor, events: POLLIN)
        while mailboxes.withLock({ $0.isRunning }), .now < limit {
            toLoop.clear()
            if mailboxes.withLock({ $0.isRunning }) { pollSet.wait(until: limit) }
        }
    }

    private func run() {
        var sender = CopySender(settings)
        var pollSet = PollSet()
        while true {
            toThread.clear()
            let (letters, parameters, isClosed) = mailboxes.withLock { boxes in
                defer { boxes.letters = [] }
                return (boxes.letters, boxes.parameters, boxes.isClosed)
            }
            if isClosed {
                sender.close()
                mailboxes.withLock { $0.isRunning = false }
                return toLoop.wake()
            }
            sender.work(letters, parameters)
            let news = sender.takeNews()
            if !news.isEmpty {
                mailboxes.withLock { $0.news += news }
                toLoop.wake()
            }
            guard !sender.mayHaveFrames else { continue }
            pollSet.removeAll()
            pollSet.add(toThread.descriptor, events: POLLIN)
            if let descriptor = sender.descriptor { pollSet.add(descriptor, events: POLLIN) }
            pollSet.wait(until: sender.nextDeadline)
        }
    }
}
