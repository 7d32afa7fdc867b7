// A connection for requests that may cost it: a broker closes the channel, or the connection, over one refused request.

import Broker

/// Asks one thing after the other of a broker, with whatever channel is needed for the next.
final class QueueSession {
    private let parameters: ConnectionParameters
    private var channel: Channel?
    /// Whether the broker has closed the channel.
    private var isChannelClosed = false
    /// Why no connection could be made. It isn't tried again: that may take long, and for each of many queues.
    private var unreachable: BrokerError?

    init(_ parameters: ConnectionParameters) {
        self.parameters = parameters
    }

    /// Runs `request` on an open channel, connecting first when there is no connection.
    func perform<Reply>(_ request: (Channel) throws(BrokerError) -> Reply) throws(BrokerError) -> Reply {
        let channel = try openChannel()
        do {
            return try request(channel)
        } catch {
            switch error.scope {
            case .connection: self.channel = nil
            case .channel: isChannelClosed = true
            case .client: break
            }
            throw error
        }
    }

    /// The channel for the next request.
    func openChannel() throws(BrokerError) -> Channel {
        if let channel {
            if isChannelClosed { try channel.open() }
            isChannelClosed = false
            return channel
        }
        if let unreachable { throw unreachable }
        do {
            let channel = try Channel(on: Connection.open(parameters))
            isChannelClosed = false
            self.channel = channel
            return channel
        } catch {
            unreachable = error
            throw error
        }
    }

    /// Says goodbye. The next request connects again.
    func close() {
        channel?.connection.close()
        channel = nil
    }

    /// The counts of a queue, nil when there is none of that name.
    func status(ofQueue name: ShortString) throws(BrokerError) -> QueueStatus? {
        do {
            return try perform { channel throws(BrokerError) in try channel.status(ofQueue: name) }
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }
}
