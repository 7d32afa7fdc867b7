// What a task carries to another queue when it is moved, and what an answer carries.

import Broker

extension TaskCopy {
    /// The properties of a task that is moved: its own. On its way back to the queue where it failed it leaves behind why
    /// it failed, as it is to be tried like a new one; anywhere else it keeps that.
    func movedProperties(to destination: ShortString) -> MessageProperties {
        var properties = carriedProperties
        guard properties.headers?[Self.queueHeader] == .string(destination.bytes) else { return properties }
        for name in Self.failureHeaders { properties.headers?[name] = nil }
        return properties
    }

    /// An answer is known by the correlation id of its task, or by the message id where the asker chose none.
    func answerProperties(time: UInt64) -> MessageProperties {
        var properties = MessageProperties()
        properties.correlationID = delivery.properties.correlationID ?? delivery.properties.messageID
        properties.timestamp = time
        properties.deliveryMode = 2
        return properties
    }
}
