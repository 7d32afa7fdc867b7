// What RabbitMQ 4 does otherwise than 3.10, where a test sees it. `make matrix` runs the tests on both.

import Broker
import Foundation
import TestSupport
import Testing

extension ThrowawayBroker {
    /// A message's properties as they come out of a queue. RabbitMQ 4 sorts a message's headers by their names, and
    /// sends an unsigned number that needs all its 64 bits as a signed one.
    func delivers(_ properties: MessageProperties) -> MessageProperties {
        guard majorVersion >= 4, let headers = properties.headers else { return properties }
        var delivered = properties
        let fields = headers.fields.map { field in
            guard case .uint64(let number) = field.value else { return field }
            return FieldTable.Field(name: field.name, value: .int64(Int64(bitPattern: number)))
        }
        delivered.headers = FieldTable(fields.sorted { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) })
        return delivered
    }
}

extension ThrowawayBroker {
    /// The type of a queue that is created without one.
    static let usualQueueType =
        ProcessInfo.processInfo.environment["WORKQ_BROKER_SETTINGS"]?.contains("default_queue_type = quorum") == true
        ? QueueType.quorum : .classic
}

extension Trait where Self == ConditionTrait {
    /// For tests that look at a list of queues at once: what it says of a quorum queue is up to 5 seconds old.
    static var needsLiveCounts: Self {
        .enabled(if: ThrowawayBroker.usualQueueType == .classic, "a quorum queue's counts are up to 5 seconds old")
    }
}
