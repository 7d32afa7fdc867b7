// The connection of a publish, one after the other while a broker is away now and then.

import Broker
import Posix

/// A connection with its channel, and what a signal has to do with both.
package final class PublishSession {
    private struct Link {
        let connection: Connection
        let channel: Channel
    }

    /// A node whose connection was given up is the last to be tried again: it may answer and yet confirm nothing, as
    /// one does that has lost the others of its cluster.
    private var parameters: ConnectionParameters
    private let interruption: Interruption?
    private let inbox: ReplyInbox?
    private var link: Link?
    /// The number that the broker gives to the next message on the channel.
    private(set) var nextTag: UInt64 = 1
    /// Bytes that were on their way in the kernel when it was last asked, and parts of messages that had come.
    private var (lastQueued, lastReceived) = (0, 0)

    /// With an inbox, what answers the tasks that are sent goes there.
    package init(_ parameters: ConnectionParameters, interruption: Interruption?, inbox: ReplyInbox? = nil) {
        self.parameters = parameters
        self.interruption = interruption
        self.inbox = inbox
    }

    package var isOpen: Bool { link != nil }
    var connection: Connection? { link?.connection }

    // MARK: - Opening and ending

    /// Connects unless there is a connection. Returns false when a signal came first; where signals are caught, the
    /// connection is made in the background, since nothing can interrupt looking up a name or logging in.
    package func open(by end: Instant) throws(BrokerError) -> Bool {
        guard link == nil else { return true }
        var parameters = parameters
        parameters.connectTimeout = min(parameters.connectTimeout, end - .now)
        guard let interruption else {
            become(try Self.link(parameters, takesReplies: inbox != nil))
            return true
        }
        let opening = try Opening { [parameters, takesReplies = inbox != nil] () throws(BrokerError) in
            try Self.link(parameters, takesReplies: takesReplies)
        }
        while true {
            if let result = opening.take() {
                become(try result.get())
                return true
            }
            guard !interruption.wait(orFor: opening.descriptor) else { return false }
        }
    }

    private static func link(
        _ parameters: ConnectionParameters, takesReplies: Bool
    ) throws(BrokerError) -> sending Link {
        let connection = try Connection.open(parameters)
        let channel = try Channel(openingOn: connection)
        try prepare(channel, takesReplies: takesReplies)
        return Link(connection: connection, channel: channel)
    }

    /// Makes an open channel ready for publishing.
    private static func prepare(_ channel: Channel, takesReplies: Bool) throws(BrokerError) {
        try channel.selectConfirms()
        if takesReplies { try channel.sendConsumeReplies() }
    }

    private func become(_ new: sending Link) {
        interruption?.watch(new.connection.descriptor)
        link = new
        nextTag = 1
        lastQueued = 0
    }

    /// Says goodbye to the broker.
    package func close() {
        link?.connection.close()
        drop()
    }

    /// Says goodbye to a broker that may not listen any more.
    package func leave() {
        link?.connection.close(timeout: .milliseconds(500))
        drop()
    }

    /// Lets go of a connection that can't be used any more.
    package func drop() {
        interruption?.unwatch()
        if let node = link?.connection.node, let index = parameters.nodes.firstIndex(of: node) {
            parameters.nodes.append(parameters.nodes.remove(at: index))
        }
        link = nil
    }

    // MARK: - Using

    /// The next thing that the broker said, but for answers; nil when there is nothing until `end`.
    func nextEvent(until end: Instant? = nil) throws(BrokerError) -> BrokerEvent? {
        while let event = try link?.connection.nextEvent(until: end) {
            guard let inbox, case .delivery(let delivery) = event else { return event }
            inbox.take(delivery)
            if end != nil, inbox.answer != nil { return nil }
        }
        return nil
    }

    /// Waits for the answer in the inbox, or until `end`. Throws what makes that useless.
    package func waitForReply(until end: Instant) throws(BrokerError) {
        while inbox?.answer == nil, let event = try nextEvent(until: end) {
            switch event {
            case .channelClosed(let error), .connectionClosed(let error): throw error
            default: continue
            }
        }
    }

    /// Sends a task.
    func publish(_ task: OutgoingTask) throws(BrokerError) {
        guard let channel = link?.channel else { return }
        nextTag += 1
        let route = task.route
        if let properties = task.particulars?.properties {
            try channel.publish(
                task.body, exchange: route.destination.exchange, routingKey: route.destination.firstRoutingKey,
                mandatory: true, properties: properties)
        } else {
            try task.id.withBytes { id throws(BrokerError) in
                try channel.publish(task.body, route.template, messageID: id, timestamp: task.timestamp)
            }
        }
    }

    /// The task over which `publish` threw `invalidInput` was never sent.
    func withdraw() {
        nextTag -= 1
    }

    /// Gathers all that `body` sends into as few segments as can be.
    func sendTogether<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        guard let connection = link?.connection else { return try body() }
        return try connection.sendTogether(body)
    }

    /// Whether something is on its way to the broker's machine.
    var isSending: Bool { connection.map { $0.unacknowledgedBytes > 0 } ?? false }

    /// Whether something got there since the last call.
    func hasSentMore() -> Bool {
        let queued = connection?.unacknowledgedBytes ?? 0
        defer { lastQueued = queued }
        return queued < lastQueued
    }

    /// Whether a part of a message came since the last call: a task that no queue takes comes back whole.
    func hasReceivedMore() -> Bool {
        let received = connection?.bodyFrameCount ?? 0
        defer { lastReceived = received }
        return received > lastReceived
    }

    /// Waits until the broker has worked off everything that was sent.
    func synchronize() throws(BrokerError) {
        try link?.channel.synchronize()
    }

    /// Makes what a route needs. Returns whether the channel was opened again for that.
    func prepare(_ route: Route, _ preparation: Route.Preparation) throws(BrokerError) -> Bool {
        guard let channel = link?.channel else { return false }
        let destination = route.destination
        switch preparation {
        case .createQueue: return try create(destination, on: channel)
        case .declareDelayQueue:
            try destination.declareDelayQueue(on: channel)
            return false
        case .createAllForDelay:
            let isMissing = try status(ofQueue: destination.routingKey) == nil
            if isMissing {
                guard destination.creates != nil else {
                    throw BrokerError(
                        "publish to \(destination.description)", .notFound, scope: .channel, "there is no such queue")
                }
                _ = try create(destination, on: channel)
            }
            try destination.declareDelayQueue(on: channel)
            return isMissing
        }
    }

    /// Creates a queue. Somebody else may have been quicker, and have made it otherwise: tasks go to a queue that is
    /// there, whatever it is. Returns whether the channel was opened again over that.
    private func create(_ destination: Destination, on channel: Channel) throws(BrokerError) -> Bool {
        do {
            try destination.create(on: channel)
            return false
        } catch {
            guard error.isDeclaredOtherwise else { throw error }
            try reopen(channel)
            return true
        }
    }

    /// The counts of a queue, nil when there is none. Nothing may be in flight: over a missing queue the broker closes
    /// the channel, which is then opened again.
    package func status(ofQueue name: ShortString) throws(BrokerError) -> QueueStatus? {
        guard let channel = link?.channel else { return nil }
        do {
            return try channel.status(ofQueue: name)
        } catch {
            guard error.code == .notFound, error.scope == .channel, !error.isRetriable else { throw error }
            try reopen(channel)
            return nil
        }
    }

    /// Opens a channel that the broker has closed over a request.
    private func reopen(_ channel: Channel) throws(BrokerError) {
        try channel.open()
        try Self.prepare(channel, takesReplies: inbox != nil)
        nextTag = 1
    }
}
