// A channel: what is sent and asked on a connection.

import CRabbitMQ

/// The channel of a connection, opened with it. workq uses one a connection, always the same number: librabbitmq keeps
/// a memory pool for each number it has seen.
public final class Channel {
    package static let number: UInt16 = 1

    package let connection: Connection
    /// Holds names and properties while a frame is encoded.
    let pool = MemoryPool()

    /// Opens the channel.
    package init(on connection: Connection) throws(BrokerError) {
        self.connection = connection
        try open()
    }

    /// Opens the channel without waiting for the broker's word on it, which saves the way there and back. Should the
    /// broker refuse, the next event or request says so.
    package init(openingOn connection: Connection) throws(BrokerError) {
        self.connection = connection
        try connection.send("open a channel") { state in
            var request = amqp_channel_open_t()
            return amqp_send_method(state, Self.number, AMQP_CHANNEL_OPEN_METHOD, &request)
        }
    }

    /// Opens the channel again after the broker closed it. Delivery tags and confirms of the time before are void.
    package func open() throws(BrokerError) {
        _ = try connection.request("open a channel") { amqp_channel_open($0, Self.number) }
    }

    /// Closes the channel and opens it again: what is unacknowledged goes back to where it was.
    package func renew() throws(BrokerError) {
        let reply = try connection.request("close the channel") {
            amqp_channel_close($0, Self.number, AMQP_REPLY_SUCCESS)
        }
        try connection.check(reply, "close the channel")
        try open()
    }

    /// Waits until the broker has worked off everything sent on this channel; what it says about that is in the events
    /// by then. Setting a prefetch count serves, it needs no permission and has no effect on publishing.
    package func synchronize() throws(BrokerError) {
        try setPrefetchCount(0)
    }

    /// How many calls of `withPool` are under way.
    private var borrowers = 0

    /// Runs `body` with the pool, whose memory is good until the outermost `body` returns.
    func withPool<Result>(_ body: (borrowing MemoryPool) throws(BrokerError) -> Result) throws(BrokerError) -> Result {
        borrowers += 1
        defer {
            borrowers -= 1
            if borrowers == 0 { pool.recycle() }
        }
        return try body(pool)
    }
}
