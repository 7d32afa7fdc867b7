// The columns that describe who consumes from queues, and the connections they have.

extension QueueColumn {
    /// What the API tells of a consumer.
    package enum OfConsumers {
        package static let queue = QueueColumn("queue", .text, path: "queue.name", "the queue")
        package static let vhost = QueueColumn("queue_vhost", .text, path: "queue.vhost", "its virtual host")
        /// The record is called so.
        package static let tag = QueueColumn("consumer_tag", .text, "the consumer's tag")
        package static let prefetch = QueueColumn(
            "prefetch_count", .count, "how many tasks it may hold unacknowledged; 0 for no limit")
        package static let isActive = QueueColumn("active", .flag, "whether it gets tasks")
        package static let host = QueueColumn("host", .text, path: "channel_details.peer_host", "where it is")
        package static let port = QueueColumn("port", .count, path: "channel_details.peer_port", "its port there")
        package static let user = QueueColumn("user", .text, path: "channel_details.user", "who it is logged in as")
        /// The broker's name for it, by which the connection is found.
        package static let link = QueueColumn("link", .text, path: "channel_details.connection_name", "its connection")

        package static let all = [queue, vhost, prefetch, isActive, host, port, user, link]
    }

    /// What the API tells of a connection, whose record is called by the broker's name for it.
    package enum OfConnections {
        package static let name = QueueColumn(
            "connection", .text, path: "client_properties.connection_name", "what the client calls its connection")
        /// The API has it in milliseconds since 1970.
        package static let openedAt = QueueColumn(
            "connected_at", .text, path: "connected_at", "since when it is connected, in UTC")

        package static let all = [name, openedAt]
    }
}
