// What a broker's error says of tasks and their destinations.

import Broker

extension BrokerError {
    /// Why a broker refuses a message for now.
    package static let nackText =
        "the broker refused to take it (nack), as a full queue does, or one without a majority of its nodes"

    /// Whether the broker refuses a task or its destination, rather than this client or everybody for now.
    var isRefusal: Bool { scope != .connection && !isRetriable && code != .protocolViolation }

    /// The size of the task over which the broker closed the channel, where its words tell: of one that is too large it
    /// names the size first.
    var refusedSize: Int? {
        guard code == .preconditionFailed else { return nil }
        return text.split(separator: " ").lazy.compactMap { Int($0) }.first
    }

    /// The same in the words of what the user asked for.
    func onPublishing(to destination: Destination) -> BrokerError {
        var error = self
        error.operation = "publish to \(destination.description)"
        if isInternalExchange {
            error.code = .notImplemented
        } else if code == .accessRefused, neededPermission == nil {
            let exchange = destination.exchange.isEmpty ? "amq.default" : "\(destination.exchange)"
            error.neededPermission = "write to exchange \"\(exchange)\""
        }
        return error
    }

    /// The same for one task.
    func onPublishing(_ task: OutgoingTask) -> BrokerError {
        var error = onPublishing(to: task.route.destination)
        error.operation = "publish task \(task.number) to \(task.route.destination.description)"
        return error
    }
}

extension Refusal {
    /// The broker closed the channel over a task.
    init(_ error: BrokerError) {
        let isOfTask = [.preconditionFailed, .contentTooLarge, .invalidInput].contains(error.code)
        self = isOfTask ? .task(error) : .destination(error)
    }
}
