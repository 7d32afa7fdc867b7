// What each command needs of a broker, for `--check`.

import Broker
import Options
import Publisher

/// Something on the broker that a command would ask for.
enum CheckedNeed: Equatable {
    /// A queue; one that is missing is created, or an error.
    case queue(String, isCreated: Bool)
    /// An exchange that tasks are published to.
    case exchange(String)
    /// The right to read from a queue.
    case read(String)
    /// The right to create or delete a queue.
    case configure(String)
    /// The right to write to the default exchange.
    case write
    /// The management API, without which the command has nothing to say.
    case managementAPI
}

extension CheckedNeed {
    /// Why it can't be asked for; nil when it can.
    var invalidity: String? {
        switch self {
        case .queue(let name, _), .read(let name), .configure(let name):
            let format = ValueFormat.targetQueue
            return format.parse(name) == nil ? "QUEUE must be \(format.expectation()), not \"\(name)\"" : nil
        case .exchange(let name):
            return name.utf8.count > ShortString.maximumCount ? "the exchange's name is longer than 255 bytes" : nil
        case .write, .managementAPI:
            return nil
        }
    }
}

/// Values of a command that connects.
protocol ConnectingValues: SubcommandValues {
    var connection: ConnectionOptions { get }
    /// What the command would ask for, what changes least first.
    var needs: [CheckedNeed] { get }
}

extension ConnectingValues {
    var connecting: (any ConnectingValues)? { self }
}

extension PublishCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] {
        if exchange != nil || routingKey != nil {
            return exchange?.isEmpty == false ? [.exchange(exchange ?? "")] : [.write]
        }
        guard let queue = first else { return [.write] }
        let waiting = delay.flatMap { Destination.queue(queue, creates: nil, delay: $0).delayQueue }
        return [.queue(queue, isCreated: createsQueue)] + (waiting.map { [.configure("\($0)")] } ?? []) + [.write]
    }
}

extension WorkCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] {
        let own: [CheckedNeed] = queues.flatMap { [.queue($0, isCreated: createsQueue), .read($0)] }
        if let destination { return own + [.queue(destination, isCreated: true), .write] }
        // Failed tasks wait there, and end there.
        let others = queues.flatMap { queue in
            let waiting = retryDelays.first.map { [CheckedNeed.configure("\(queue).retry.\($0.shortText)")] } ?? []
            return waiting + [.configure(deadLetterQueue ?? "\(queue).dead")]
        }
        return own + others + [.write]
    }
}

extension PurgeCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] { removal.queues.flatMap { [.queue($0, isCreated: false), .read($0)] } }
}

extension DeleteCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] { removal.queues.flatMap { [.queue($0, isCreated: false), .configure($0)] } }
}

extension BenchCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] {
        let queue = queue ?? "workq-bench"
        if isConsumersOnly { return [.queue(queue, isCreated: false), .read(queue)] }
        return [.configure(queue), .read(queue), .write]
    }
}

extension ListQueuesCommand.Values: ConnectingValues {
    var needs: [CheckedNeed] { [.managementAPI] }
}
