// What the broker says in words only: every decision that is taken from its prose.

import Text

/// Facts that RabbitMQ has no reply code for. Its texts are no promise: where one changes, only the finer answer is
/// lost.
extension BrokerError {
    /// Another consumer has the queue for itself, or the queue has: `… in exclusive use`. RabbitMQ says it with the
    /// code of a missing right.
    package var isExclusiveUse: Bool { code == .accessRefused && text.contains("exclusive use") }

    /// Nobody may publish to an exchange that only others publish to: `cannot publish to internal exchange '…' in vhost
    /// '…'`. This too has the code of a missing right.
    package var isInternalExchange: Bool { code == .accessRefused && text.contains("internal exchange") }

    /// A vhost, user or node has as many connections as it may have.
    var isConnectionLimit: Bool { code == .notAllowed && text.contains("limit") }

    /// The queue exists, its node doesn't answer: `home node '…' of durable queue '…' is down or inaccessible`.
    var isHomeNodeDown: Bool { code == .notFound && text.contains("is down or inaccessible") }

    /// A task wasn't acknowledged within the broker's delivery time-out, which closes the channel: `… timed out.
    /// Timeout value used: 1800000 ms. …`
    package var isDeliveryTimeout: Bool { code == .preconditionFailed && text.contains("timed out") }

    /// That time-out, where the broker names it.
    package var deliveryTimeout: Duration? {
        guard isDeliveryTimeout, let start = text.range(of: "Timeout value used: ")?.upperBound else { return nil }
        return Int64(text[start...].prefix { ("0"..."9").contains($0) }).map { .milliseconds($0) }
    }

    /// The type of the queue that refused a consumer for an argument that only other types have: `invalid arg
    /// 'x-priority' for queue '…' in vhost '…' of queue type rabbit_stream_queue`.
    var typeOfQueue: String? {
        guard code == .preconditionFailed, text.hasSuffix("_queue") else { return nil }
        return text.ranges(of: " of queue type rabbit_").last.map { String(text[$0.upperBound...].dropLast(6)) }
    }

    /// A consumer with a priority was refused by a stream.
    package var isStream: Bool { typeOfQueue == "stream" }

    /// A queue exists, and was declared otherwise: `inequivalent arg 'x-dead-letter-exchange' for queue '…' in vhost
    /// '…': received none but current is the value '' of type 'longstr'`.
    package var isDeclaredOtherwise: Bool { code == .preconditionFailed && text.contains("inequivalent arg") }
}
