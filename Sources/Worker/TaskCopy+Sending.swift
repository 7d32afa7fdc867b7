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

extension MessageProperties {
    /// The same where it can be sent in frames of that size. A task whose own headers nearly fill a frame has no room for
    /// those that say why it failed: the command's words are left out first, then the largest headers, until the rest fits.
    func fitting(frameMax: Int) -> MessageProperties {
        var properties = self
        if properties.invalidity(frameMax: frameMax, arePassedOn: true) != nil {
            properties.headers?["x-workq-stderr"] = nil
        }
        while properties.invalidity(frameMax: frameMax, arePassedOn: true) != nil,
            let fields = properties.headers?.fields,
            let largest = fields.indices.max(by: { fields[$0].encodedSize < fields[$1].encodedSize })
        {
            properties.headers?.fields.remove(at: largest)
        }
        return properties
    }
}
