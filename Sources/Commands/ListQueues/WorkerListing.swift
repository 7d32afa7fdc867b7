// list-queues --workers: who consumes from which queue.

import Management
import Posix

/// Lists the consumers of the queues that the options choose.
struct WorkerListing {
    private typealias Consumers = QueueColumn.OfConsumers
    private typealias Connections = QueueColumn.OfConnections

    private let values: ListQueuesCommand.Values
    private let context: CommandContext
    private let inquiry: QueueInquiry

    init(_ values: ListQueuesCommand.Values, in context: CommandContext) throws(CommandError) {
        self.values = values
        self.context = context
        inquiry = try QueueInquiry(values, in: context)
    }

    func run() throws(CommandError) -> ExitStatus {
        let queues = try inquiry.list(columns: [.name])
        guard !queues.isFromAMQP else {
            throw CommandError(.unavailable, "only the management API knows who consumes, and it doesn't answer")
        }
        let columns = (values.selection.allVhosts ? [QueueColumn.vhost] : []) + Self.columns
        try ListQueuesCommand.write(
            OutputRows(columns: columns, rows: try rows(columns, of: queues)), values, in: context)
        inquiry.tellUndecided(queues)
        guard queues.missing.isEmpty else {
            throw CommandError(.refused, QueueSelection.missingText(queues.missing, vhost: inquiry.vhostText))
        }
        return .done
    }

    private static let columns = [
        Consumers.queue, Consumers.tag, Consumers.prefetch, Consumers.isActive, Consumers.host, Consumers.port,
        Connections.name, Consumers.user, Connections.openedAt,
    ]

    /// The consumers in the order of the queues, those of a queue by tag.
    private func rows(_ columns: [QueueColumn], of queues: QueueList) throws(CommandError) -> [[QueueValue]] {
        let consumers = try inquiry.records(.consumers, Consumers.all)
        // Who may not see all connections is told of the own ones.
        let connections = (try? inquiry.records(.connections, Connections.all)) ?? []
        let links = Dictionary(connections.map { ($0.name, $0.values) }) { first, _ in first }
        var rows: [QueueKey: [(tag: String, row: [QueueValue])]] = [:]
        for consumer in consumers {
            var known = Dictionary(zip(Consumers.all, consumer.values)) { first, _ in first }
            guard case .text(let queue)? = known[Consumers.queue], case .text(let vhost)? = known[Consumers.vhost]
            else { continue }
            known[.vhost] = .text(vhost)
            known[Consumers.tag] = .text(consumer.name)
            if case .text(let link)? = known[Consumers.link], let values = links[link] {
                known.merge(zip(Connections.all, values)) { first, _ in first }
            }
            if let opened = known[Connections.openedAt]?.integer {
                known[Connections.openedAt] = .text(WallTime(milliseconds: Int64(opened)).text)
            }
            rows[QueueKey(vhost: vhost, name: queue), default: []]
                .append((consumer.name, columns.map { known[$0] ?? .unknown }))
        }
        return queues.records.flatMap { queue in
            (rows[QueueKey(queue)] ?? []).sorted { $0.tag.utf8.lexicographicallyPrecedes($1.tag.utf8) }.map(\.row)
        }
    }
}
