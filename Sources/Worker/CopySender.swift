// What the thread of a copy publisher does.

import Broker
import DequeModule
import Posix

/// A connection that copies are published on, used by one thread. It connects when the first copy is to be sent, and
/// may wait for the broker as long as that takes.
struct CopySender {
    private static let directReplyPrefix = Array("amq.rabbitmq.reply-to.".utf8)
    /// How long the broker's word on one copy speaks for the next ones.
    private static let knockTime = Duration.seconds(1)
    /// A copy may wait for the end of an alarm: a connection that is cut then leaves half of it, or another one of it.
    private static let sendTimeout = Duration.seconds(600)
    /// Copies under way at once, in bytes.
    private static let greatestWindow = 8 << 20

    private let settings: CopyPublisher.Settings
    private var publisher: ConfirmingPublisher<CopyParcel>?
    private var unsent: Deque<CopyPublisher.Letter> = []
    /// Queues that were declared on this connection.
    private var declared: Set<ShortString> = []
    /// Copies that came back because their queue is missing.
    private var returned: [(parcel: CopyParcel, message: ReturnedMessage)] = []
    private var news: [CopyPublisher.News] = []
    private var isBlocked = false
    private var isKnocking = false
    /// Until when the broker is known to take copies.
    private var provenUntil = Instant(nanoseconds: 0)
    /// When the broker last confirmed something, or the first of those sent that it hasn't.
    private var lastProgress = Instant.never
    private var hasToldDelay = false
    private var bytesUnderWay = 0
    /// After the broker has closed the channel over one of several copies, one at a time is sent, to find out over
    /// which.
    private var isOneByOne = false
    /// Whether frames may wait in the library while the socket is quiet.
    private(set) var mayHaveFrames = false

    init(_ settings: CopyPublisher.Settings) {
        self.settings = settings
    }

    private var connection: Connection? { publisher?.channel.connection }
    /// To poll for reading; nil while there is nothing to come.
    var descriptor: Int32? { connection?.descriptor }

    /// When there is something to do although nothing comes. Heartbeats are served by reading.
    var nextDeadline: Instant {
        let heartbeat = connection?.heartbeat.map { .now + $0 / 2 } ?? Instant.never
        return min(heartbeat, hasToldDelay ? .never : lastProgress + settings.confirmTimeout)
    }

    mutating func takeNews() -> [CopyPublisher.News] {
        defer { news = [] }
        return news
    }

    mutating func close() {
        connection?.close(timeout: .milliseconds(500))
        publisher = nil
    }

    /// Does what there is to do, and takes what the broker has said.
    mutating func work(_ letters: Deque<CopyPublisher.Letter>, _ parameters: ConnectionParameters) {
        unsent += letters
        mayHaveFrames = false
        do throws(BrokerError) {
            if publisher == nil, !unsent.isEmpty { try connect(parameters) }
            try receive()
            try sendReturned()
            try sendWaiting()
        } catch {
            disconnect(error)
        }
        if !hasToldDelay, lastProgress + settings.confirmTimeout <= .now, !isBlocked {
            hasToldDelay = true
            news.append(.unconfirmed(publisher?.unconfirmedCount ?? 0, settings.confirmTimeout))
        }
    }

    private mutating func connect(_ parameters: ConnectionParameters) throws(BrokerError) {
        var parameters = parameters
        parameters.sendTimeout = Self.sendTimeout
        publisher = try ConfirmingPublisher(on: Connection.open(parameters))
        provenUntil = Instant(nanoseconds: 0)
    }

    private mutating func receive() throws(BrokerError) {
        while let event = try connection?.nextEvent() {
            switch event {
            case .channelClosed(let error), .connectionClosed(let error): throw error
            case .blocked(let reason):
                isBlocked = true
                news.append(.blocked(reason: reason))
            case .unblocked:
                isBlocked = false
                lastProgress = publisher?.unconfirmedCount == 0 ? .never : .now
                news.append(.unblocked)
            default: try take(event)
            }
        }
    }

    private mutating func take(_ event: BrokerEvent) throws(BrokerError) {
        var settled: [(CopyParcel, PublisherConfirms<CopyParcel>.Outcome)] = []
        try publisher?.take(
            event,
            matches: { parcel, returned in
                parcel.destination == returned.routingKey && parcel.messageID == returned.properties.messageID
                    && parcel.body == returned.body
            },
            settled: { settled.append(($0, $1)) })
        guard !settled.isEmpty else { return }
        provenUntil = .now + Self.knockTime
        hasToldDelay = false
        lastProgress = publisher?.unconfirmedCount == 0 ? .never : .now
        for (parcel, outcome) in settled { settle(parcel, outcome) }
    }

    private mutating func settle(_ parcel: CopyParcel, _ outcome: PublisherConfirms<CopyParcel>.Outcome) {
        bytesUnderWay -= parcel.body.count
        if parcel.isKnock {
            isKnocking = false
            return
        }
        switch outcome {
        case .confirmed: news.append(.outcome(parcel.task, .confirmed))
        case .returned where parcel.isAnswer: news.append(.outcome(parcel.task, .unwanted))
        case .returned(let message):
            declared.remove(parcel.destination)
            // Somebody deleted the queue, or it never was: created and tried once more.
            guard parcel.isSecond || parcel.delay == nil && !isCreated(parcel.destination) else {
                return returned.append((parcel, message))
            }
            fail(
                parcel,
                BrokerError(
                    "send a task to queue \"\(parcel.destination)\"", message.code, scope: .client, message.text))
        case .nacked:
            fail(
                parcel,
                BrokerError(
                    "send a task to queue \"\(parcel.destination)\"", .nacked, scope: .client,
                    "the broker refused to take it; is the queue full?"))
        }
    }

    private mutating func fail(_ parcel: CopyParcel, _ error: BrokerError) {
        news.append(.outcome(parcel.task, .failed(error, isRefused: true)))
    }

    /// Whether a queue is created where it is missing, besides retry queues.
    private func isCreated(_ queue: ShortString) -> Bool {
        settings.newDeadLetterQueue != nil && settings.queues.contains { ShortString($0.deadLetterQueue) == queue }
    }

    private mutating func sendReturned() throws(BrokerError) {
        while let (parcel, message) = returned.first {
            if let delay = parcel.delay {
                try declareRetryQueue(parcel.destination, delay, of: parcel.queue)
            } else if let new = settings.newDeadLetterQueue {
                try publisher?.channel.sendDeclareQueue(parcel.destination, type: new.type, arguments: new.arguments)
            }
            returned.removeFirst()
            var parcel = parcel
            parcel.isSecond = true
            try publish(parcel, message.properties)
        }
    }

    // MARK: - Sending

    /// Sends what waits, as far as the broker is known to take it. What an alarmed broker doesn't read would stay in
    /// the socket's buffer, and be there once more after it was sent again.
    private mutating func sendWaiting() throws(BrokerError) {
        while let letter = unsent.first, !isBlocked, !isKnocking {
            if let publisher, publisher.unconfirmedCount > 0 {
                if isOneByOne || bytesUnderWay + letter.copy.delivery.body.count > Self.greatestWindow { return }
            }
            guard provenUntil > .now || publisher?.unconfirmedCount ?? 0 > 0 && bytesUnderWay < 32_768 else {
                return try knock()
            }
            try send(letter)
        }
    }

    /// No queue has an empty name, so the broker sends an empty message to it back at once, unless there is an alarm.
    private mutating func knock() throws(BrokerError) {
        isKnocking = true
        try publish(CopyParcel(task: 0, destination: "", body: [], isKnock: true), MessageProperties())
    }

    private mutating func send(_ letter: CopyPublisher.Letter) throws(BrokerError) {
        let copy = letter.copy
        let queue = settings.queues[copy.delivery.queue]
        let time = UInt64(max(0, time(nil)))
        guard
            let properties = copy.properties(
                queue: queue.name, host: settings.host, time: time, frameMax: connection?.frameMax ?? 0)
        else {
            unsent.removeFirst()
            return news.append(.outcome(letter.task, .unfit))
        }
        let destination: ShortString
        switch copy.fate {
        case .later(let delay):
            destination = ShortString(queue.retryQueue(delay))
            if !declared.contains(destination) {
                try declareRetryQueue(destination, delay, of: copy.delivery.queue)
            }
        case .deadLetter: destination = ShortString(queue.deadLetterQueue)
        case .moved(let target): destination = target
        case .back, .watched: destination = ShortString(queue.name)
        case .answered: destination = copy.delivery.properties.replyTo ?? ""
        }
        var parcel = CopyParcel(
            task: letter.task, queue: copy.delivery.queue, destination: destination, messageID: properties.messageID,
            body: copy.delivery.body)
        if case .later(let delay) = copy.fate { parcel.delay = delay }
        if case .answered(let answer) = copy.fate {
            parcel.body = answer
            parcel.isAnswer = true
        }
        unsent.removeFirst()
        do throws(BrokerError) {
            try publish(parcel, properties)
        } catch {
            // Found before a byte went out: other copies have nothing to do with it.
            guard error.code == .invalidInput else { throw error }
            fail(parcel, error)
        }
    }

    private mutating func publish(_ parcel: CopyParcel, _ properties: MessageProperties) throws(BrokerError) {
        mayHaveFrames = true
        if publisher?.unconfirmedCount == 0 { lastProgress = .now }
        // RabbitMQ returns a mandatory message to a direct reply-to even where it delivers it.
        let isDirectReply = parcel.isAnswer && parcel.destination.bytes.starts(with: Self.directReplyPrefix)
        bytesUnderWay += parcel.body.count
        try publisher?.publish(
            parcel, body: parcel.body, exchange: "", routingKey: parcel.destination, properties: properties,
            mandatory: !isDirectReply)
    }

    /// A quorum queue, whatever the task's own queue is: dead-lettering from a classic queue is at most once. Without
    /// `x-expires`, which could take waiting tasks with it.
    private mutating func declareRetryQueue(
        _ name: ShortString, _ delay: Duration, of queue: Int
    ) throws(BrokerError) {
        try publisher?.channel.sendDeclareQueue(
            name, type: .quorum,
            arguments: [
                "x-message-ttl": .int64(delay.milliseconds),
                "x-dead-letter-exchange": .text(""),
                "x-dead-letter-routing-key": .text(settings.queues[queue].name),
                "x-dead-letter-strategy": .text("at-least-once"),
                "x-overflow": .text("reject-publish"),
            ])
        declared.insert(name)
    }

    // MARK: - Failure

    /// All copies without a confirm have failed: nobody knows whether the broker has them. Where the broker has closed
    /// the channel over one of them, it is refused if it was alone.
    private mutating func disconnect(_ error: BrokerError) {
        var error = error
        if error.code == .accessRefused, error.scope == .channel {
            error.operation = "send a task to another queue"
            let names = settings.queues.map { "\"\($0.deadLetterQueue)\" and \"\($0.name).retry.*\"" }
            error.neededPermission =
                "configure and write on \(names.joined(separator: ", ")), and write on exchange \"amq.default\""
        }
        let open = (publisher?.unconfirmed ?? []).filter { !$0.isKnock }.map(\.task) + returned.map(\.parcel.task)
        let isRefusal = error.scope == .channel && !error.isRetriable
        isOneByOne = isOneByOne || isRefusal && open.count > 1
        for task in open {
            news.append(.outcome(task, .failed(error, isRefused: isRefusal && open.count == 1)))
        }
        // Over none of them it was the knock that the broker won't have, and so it won't have any.
        if !isRefusal || open.isEmpty {
            for letter in unsent { news.append(.outcome(letter.task, .failed(error, isRefused: false))) }
            unsent = []
        }
        if isRefusal { connection?.close(timeout: .milliseconds(500)) }
        publisher = nil
        returned = []
        declared = []
        if isBlocked { news.append(.unblocked) }
        (isBlocked, isKnocking, bytesUnderWay, lastProgress, hasToldDelay) = (false, false, 0, .never, false)
        mayHaveFrames = !unsent.isEmpty
    }
}
