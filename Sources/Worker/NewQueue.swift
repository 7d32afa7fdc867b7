// A queue that a worker creates where it is missing.

import Broker

/// What a queue is created with.
package struct NewQueue: Equatable, Sendable {
    /// nil for the vhost's default: a type that is sent needlessly makes other clients' declarations fail.
    package var type: QueueType?
    /// What else was asked for.
    private let given: FieldTable
    /// Where a quorum queue puts tasks that it would drop: from RabbitMQ 4.0 on every one has a delivery limit. nil
    /// where that is nowhere, as for a dead-letter queue itself.
    private let deadLetterQueue: String?

    package init(type: QueueType? = nil, arguments: FieldTable = FieldTable(), deadLetterQueue: String? = nil) {
        self.type = type
        given = arguments
        self.deadLetterQueue = deadLetterQueue
    }

    /// Besides the type. At-least-once dead-lettering needs a queue that refuses what is too much rather than dropping
    /// it. Whoever says where tasks go that the broker would drop is asked for nothing else.
    var arguments: FieldTable {
        guard type == .quorum, let deadLetterQueue, given["x-dead-letter-exchange"] == nil else { return given }
        var arguments: FieldTable = [
            "x-dead-letter-exchange": .text(""),
            "x-dead-letter-routing-key": .text(deadLetterQueue),
            "x-dead-letter-strategy": .text("at-least-once"),
            "x-overflow": .text("reject-publish"),
        ]
        for field in given.fields { arguments[field.name] = field.value }
        return arguments
    }
}
