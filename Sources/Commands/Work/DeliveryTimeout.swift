// RabbitMQ takes a task away that isn't acknowledged in time. What a client can know about that.

import Broker
import Options
import Posix

/// The broker's `consumer_timeout`. No client can ask for it; the broker names it when it is exceeded.
enum DeliveryTimeout {
    /// What applies unless the broker's configuration or the queue's says otherwise.
    static let usual = Duration.seconds(30 * 60)

    /// What to say after an error, empty when it is about something else.
    static func hint(_ error: BrokerError) -> String {
        guard error.isDeliveryTimeout else { return "" }
        let value = error.deliveryTimeout.map { ", \($0.milliseconds) ms (\($0.shortText))" } ?? ""
        return ". A task was not acknowledged within the broker's consumer_timeout\(value); --timeout ends commands "
            + "before that"
    }

    /// What to say at the start about commands that may run for `timeout`; nil when there is nothing to fear.
    static func warning(commandTimeout timeout: Duration?) -> String? {
        guard let timeout, timeout > usual else { return nil }
        return "warning: --timeout \(timeout.shortText) is longer than RabbitMQ's usual delivery timeout of "
            + "\(usual.shortText): unless the broker's consumer_timeout is longer too, it takes tasks away from "
            + "commands that run for so long"
    }
}
