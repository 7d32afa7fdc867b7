// A queue that a worker creates where it is missing.

import Broker

/// What a queue is created with.
package struct NewQueue: Equatable, Sendable {
    /// nil for the vhost's default: a type that is sent needlessly makes other clients' declarations fail.
    package var type: QueueType?
    /// Where a quorum queue puts tasks that it would drop: from RabbitMQ 4.0 on every one has a delivery limit. nil
    /// where that is nowhere, as for a dead-letter queue itself.
    package var deadLetterQueue: String?

    package init(type: QueueType? = nil, deadLetterQueue: String? = nil) {
        self.type = type
        self.deadLetterQueue = deadLetterQueue
    }

    /// Besides the type. At-least-once dead-lettering needs a queue that refuses what is too much rather than dropping
    /// it.
    var arguments: FieldTable {
        guard type == .quorum, let deadLetterQueue else { return FieldTable() }
        return [
            "x-dead-letter-exchange": .text(""),
            "x-dead-letter-routing-key": .text(deadLetterQueue),
            "x-dead-letter-strategy": .text("at-least-once"),
            "x-overflow": .text("reject-publish"),
        ]
    }
}
