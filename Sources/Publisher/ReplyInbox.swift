// The answer to a task, for `--wait-reply`.

import Broker

/// Takes the answer whenever it comes: that of a quick worker is there before the task's confirm.
package final class ReplyInbox {
    private let correlationID: ShortString
    /// The answer's body; nil while there is none.
    package private(set) var answer: [UInt8]?

    /// `correlationID` is the task's.
    package init(correlationID: ShortString) {
        self.correlationID = correlationID
    }

    /// Takes the first delivery that answers the task. Only who got the task knows the address, so one without a
    /// correlation id answers it too.
    func take(_ delivery: Delivery) {
        guard answer == nil, delivery.properties.correlationID ?? correlationID == correlationID else { return }
        answer = delivery.body
    }
}
