// The columns that queues can be listed by: rabbitmqctl's names, and where the management API keeps what they name.

/// A column of `list-queues`.
package struct QueueColumn: Hashable, Sendable {
    /// What a column holds, which decides how it is aligned and compared.
    package enum Kind: Sendable {
        case text, count, number, bytes, seconds, flag, structure

        package var isNumeric: Bool { [.count, .number, .bytes, .seconds].contains(self) }
    }

    /// rabbitmqctl's name, or in its style where rabbitmqctl has none.
    package let name: String
    package let kind: Kind
    /// The keys that lead to the value in the API's object, with dots between them.
    private let keys: String
    /// Whether the cheap query has it. Counts are live then in classic queues; quorum queues report theirs, and all
    /// queues everything else, every 5 s.
    package let isCheap: Bool
    /// For the manual: lower case, without a full stop.
    package let meaning: String

    init(_ name: String, _ kind: Kind, isCheap: Bool = false, path: String? = nil, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.isCheap = isCheap
        keys = path ?? name
        self.meaning = meaning
    }

    /// The keys that lead to the value in the API's object.
    var path: [String] { keys.split(separator: ".").map(String.init) }

    package static func == (left: QueueColumn, right: QueueColumn) -> Bool { left.name == right.name }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
    }

    /// The column of that name.
    package static func named(_ name: String) -> QueueColumn? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    package static let name = QueueColumn("name", .text, isCheap: true, "the queue's name")
    package static let vhost = QueueColumn("vhost", .text, isCheap: true, "the virtual host it is in")
    package static let type = QueueColumn("type", .text, isCheap: true, "`classic`, `quorum` or `stream`")
    package static let ready = QueueColumn(
        "messages_ready", .count, isCheap: true, "tasks waiting for a worker")
    package static let unacknowledged = QueueColumn(
        "messages_unacknowledged", .count, isCheap: true, "tasks that workers have and haven't acknowledged")
    package static let messages = QueueColumn("messages", .count, isCheap: true, "the sum of both")
    package static let consumers = QueueColumn("consumers", .count, "workers subscribed to it")
    /// Put together from the queues' counts, and not asked for.
    package static let readyWithRetries = QueueColumn(
        "ready_with_retries", .count, isCheap: true, path: "",
        "ready tasks of it and of its retry and delay queues")
    /// The API tells when the oldest task was published; how long ago that is remains to be told.
    package static let age = QueueColumn(
        "age", .seconds, path: "head_message_timestamp",
        "seconds since the task at the head was published, as its timestamp says")
    package static let publishRate = QueueColumn(
        "publish_rate", .number, path: "message_stats.publish_details.rate", "tasks published, a second")
    package static let deliverRate = QueueColumn(
        "deliver_rate", .number, path: "message_stats.deliver_get_details.rate", "tasks delivered, a second")
    package static let ackRate = QueueColumn(
        "ack_rate", .number, path: "message_stats.ack_details.rate", "tasks acknowledged, a second")
    package static let deliverNoAckRate = QueueColumn(
        "deliver_no_ack_rate", .number, path: "message_stats.deliver_no_ack_details.rate",
        "tasks delivered to consumers that don't acknowledge, a second")
    package static let getNoAckRate = QueueColumn(
        "get_no_ack_rate", .number, path: "message_stats.get_no_ack_details.rate",
        "tasks fetched one by one without acknowledgement, a second")

    /// Every column, in the order that they are listed to people.
    package static let all: [QueueColumn] = [
        name, vhost, type, ready, unacknowledged, messages, readyWithRetries, age, consumers,
        QueueColumn("state", .text, isCheap: true, "`running`, `idle`, `down` and the like"),
        QueueColumn("node", .text, isCheap: true, "the node that a classic queue is on"),
        QueueColumn("durable", .flag, isCheap: true, "whether it survives a restart of the broker"),
        QueueColumn("auto_delete", .flag, isCheap: true, "whether it goes with its last consumer"),
        QueueColumn("exclusive", .flag, isCheap: true, "whether it goes with its connection"),
        QueueColumn("arguments", .structure, isCheap: true, "what it was declared with"),
        QueueColumn("leader", .text, isCheap: true, "the node that a quorum queue's leader is on"),
        QueueColumn("members", .structure, isCheap: true, "the nodes that a quorum queue is on"),
        QueueColumn("online", .structure, isCheap: true, "those of them that are up"),
        publishRate, deliverRate, ackRate, deliverNoAckRate, getNoAckRate,
        QueueColumn("policy", .text, "the policy in effect"),
        QueueColumn("operator_policy", .text, "the operator policy in effect"),
        QueueColumn("effective_policy_definition", .structure, "what both policies come to"),
        QueueColumn("consumer_utilisation", .number, "the share of time that tasks can be delivered at once, 0 to 1"),
        QueueColumn("consumer_capacity", .number, "the same under its newer name"),
        QueueColumn("exclusive_consumer_tag", .text, "the tag of an exclusive consumer"),
        QueueColumn("single_active_consumer_tag", .text, "the tag of the single active consumer"),
        QueueColumn("messages_ready_ram", .count, "ready tasks kept in memory"),
        QueueColumn("messages_unacknowledged_ram", .count, "unacknowledged tasks kept in memory"),
        QueueColumn("messages_ram", .count, "tasks kept in memory"),
        QueueColumn("messages_persistent", .count, "persistent tasks"),
        QueueColumn("messages_paged_out", .count, "tasks that were moved out of memory"),
        QueueColumn("messages_dlx", .count, "dead-lettered tasks that wait to be stored elsewhere"),
        QueueColumn("message_bytes", .bytes, "bytes of all bodies"),
        QueueColumn("message_bytes_ready", .bytes, "bytes of the ready tasks' bodies"),
        QueueColumn("message_bytes_unacknowledged", .bytes, "bytes of the unacknowledged tasks' bodies"),
        QueueColumn("message_bytes_ram", .bytes, "bytes of the bodies kept in memory"),
        QueueColumn("message_bytes_persistent", .bytes, "bytes of the persistent tasks' bodies"),
        QueueColumn("message_bytes_dlx", .bytes, "bytes of the bodies of dead-lettered tasks that wait"),
        QueueColumn(
            "head_message_timestamp", .count, "the timestamp of the task at the head, in seconds since 1970"),
        QueueColumn("idle_since", .text, "when it was last used"),
        QueueColumn("memory", .bytes, "bytes of memory that its process takes"),
    ]
}
