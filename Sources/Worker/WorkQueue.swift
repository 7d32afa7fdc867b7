// A queue that a worker takes tasks from, and the queues that are its own.

import Broker

/// Where tasks come from, and where those go that fail. Of several queues each has all of this for itself.
package struct WorkQueue: Sendable {
    package var name: String
    /// What it is created with where it is missing; nil to leave a missing queue alone.
    package var creates: NewQueue?
    package var deadLetterQueue: String
    /// The name of the retry queue for a delay.
    package var retryQueue: @Sendable (Duration) -> String
    /// What operators see of the consumer.
    package var consumerTag: String

    package init(
        _ name: String, creates: NewQueue? = nil, deadLetterQueue: String = "", consumerTag: String = "workq",
        retryQueue: @escaping @Sendable (Duration) -> String = { _ in "" }
    ) {
        self.name = name
        self.creates = creates
        self.deadLetterQueue = deadLetterQueue
        self.consumerTag = consumerTag
        self.retryQueue = retryQueue
    }
}
