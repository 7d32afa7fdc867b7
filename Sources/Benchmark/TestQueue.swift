// The queue that a bench works on: its own, and gone with it.

import Broker
import Posix

/// A queue created for one run, on a connection that does nothing else: an alarm stops connections that publish, and
/// the queue must be removable then too.
package final class TestQueue {
    /// Why there is no queue to work on.
    package enum Refusal: Error, Equatable {
        case exists
        /// There is none that an earlier run has kept, or nothing on it.
        case empty
        /// Others consume from it.
        case inUse(consumers: Int)
        case broker(BrokerError)
    }

    /// A broker that has gone silent shouldn't keep bench from ending for long.
    private static let requestTimeout = Duration.seconds(10)

    private let plan: BenchPlan
    /// How many messages are on a queue that an earlier run has kept; nil of one that is new.
    package private(set) var backlog: Int?
    private let connection: Connection
    private let channel: Channel

    private var name: ShortString { ShortString(plan.queue) }

    /// Creates the queue. One that exists may be in use by others.
    package init(_ plan: BenchPlan) throws(Refusal) {
        self.plan = plan
        var parameters = plan.connection
        parameters.requestTimeout = Self.requestTimeout
        do throws(BrokerError) {
            connection = try Connection.open(parameters)
            channel = try Channel(on: connection)
            if try Self.exists(ShortString(plan.queue), on: channel) {
                connection.close()
            } else {
                try declare()
                return
            }
        } catch {
            throw .broker(error)
        }
        throw .exists
    }

    /// Finds the queue that an earlier run has kept.
    package init(keptFor plan: BenchPlan) throws(Refusal) {
        self.plan = plan
        let status: QueueStatus
        do throws(BrokerError) {
            connection = try Connection.open(plan.connection)
            channel = try Channel(on: connection)
            status = try channel.status(ofQueue: ShortString(plan.queue))
        } catch {
            throw error.code == .notFound ? .empty : .broker(error)
        }
        backlog = status.ready
        if status.consumers > 0 { throw .inUse(consumers: status.consumers) }
        if status.ready == 0 { throw .empty }
    }

    private static func exists(_ name: ShortString, on channel: Channel) throws(BrokerError) -> Bool {
        do throws(BrokerError) {
            _ = try channel.status(ofQueue: name)
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            try channel.open()
            return false
        }
    }

    /// Product and version of the broker, as it says itself: `RabbitMQ 3.10.8`.
    package var brokerVersion: String { connection.brokerVersion }
    package var node: String { connection.node.description }

    private func declare() throws(BrokerError) {
        var arguments = plan.queueArguments
        if !plan.keepsQueue { arguments["x-expires"] = .int64(plan.queueExpiry.milliseconds) }
        try channel.declareQueue(name, type: plan.queueType, arguments: arguments)
    }

    /// Keeps the connection alive; call at least twice a heartbeat.
    func keep() throws(BrokerError) {
        while let event = try connection.nextEvent() {
            switch event {
            case .channelClosed(let error), .connectionClosed(let error): throw error
            default: break
            }
        }
    }

    /// Messages that wait on the queue.
    func ready() throws(BrokerError) -> Int { try channel.status(ofQueue: name).ready }

    /// Leaves the queue to a later run.
    package func keepForLater() { connection.close() }

    /// Deletes the queue, over a new connection where the old one is gone. Says why it couldn't; nil when it is gone.
    package func remove() -> String? {
        do throws(BrokerError) {
            try channel.deleteQueue(name)
            connection.close()
            return nil
        } catch {
            do throws(BrokerError) {
                let connection = try Connection.open(plan.connection)
                try Channel(on: connection).deleteQueue(name)
                connection.close()
                return nil
            } catch {
                return error.message
            }
        }
    }
}
