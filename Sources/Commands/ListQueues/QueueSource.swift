// Where lists of queues come from: the management API, and AMQP for named queues where there is none.

import Broker
import Management
import Options

/// Queues with the columns that were asked for.
struct QueueList {
    var columns: [QueueColumn]
    var records: [QueueRecord]
    /// Queues that were named and don't exist.
    var missing: [String] = []
    /// Whether AMQP was asked, which knows little.
    var isFromAMQP = false

    func value(_ column: QueueColumn, of record: QueueRecord) -> QueueValue {
        columns.firstIndex(of: column).map { record.values[$0] } ?? .unknown
    }

    /// The values of all records in these columns.
    func rows(_ shown: [QueueColumn]) -> [[QueueValue]] {
        guard shown != columns else { return records.map(\.values) }
        let indices = shown.map { columns.firstIndex(of: $0) }
        return records.map { record in indices.map { index in index.map { record.values[$0] } ?? .unknown } }
    }
}

/// Lists the queues that the options choose.
final class QueueSource {
    private let values: ListQueuesCommand.Values
    private let context: CommandContext
    private let vhost: String?
    private let api: ManagementAPI
    private var hasToldFallback = false
    /// How many answers have come: while there is none, a failure means that something is set up wrongly.
    private(set) var answers = 0
    /// Where the API is, for people.
    let address: String

    init(_ values: ListQueuesCommand.Values, in context: CommandContext) throws(CommandError) {
        self.values = values
        self.context = context
        vhost = values.selection.allVhosts ? nil : try values.connection.vhostName(in: context)
        var parameters = try values.connection.managementParameters(in: context)
        parameters.timeout = min(values.timeout, values.deadline ?? values.timeout)
        address = parameters.endpoints.first?.description ?? ""
        do {
            api = try ManagementAPI(parameters)
        } catch {
            throw Self.failure(error)
        }
    }

    /// The vhost, for people.
    var vhostText: String { vhost.map { "vhost \($0)" } ?? "any vhost" }

    /// Lists once. `columns` may repeat.
    func list(columns: [QueueColumn]) throws(CommandError) -> QueueList {
        let query = query(columns)
        do throws(ManagementError) {
            let records = try api.queues(query)
            answers += 1
            return list(query.columns, records)
        } catch {
            guard error.isWithoutAPI, !values.selection.queues.isEmpty, let vhost else { throw Self.failure(error) }
            return try listOverAMQP(query.columns, vhost, error)
        }
    }

    /// Asks and doesn't wait.
    func ask(columns: [QueueColumn]) throws(CommandError) -> PendingQueues {
        do {
            return try api.ask(query(columns))
        } catch {
            throw Self.failure(error)
        }
    }

    static func failure(_ error: ManagementError) -> CommandError {
        CommandError(error, of: ListQueuesCommand.name)
    }

    /// What an answer to `ask` comes to.
    func list(columns: [QueueColumn], _ records: [QueueRecord]) -> QueueList {
        list(query(columns).columns, records)
    }

    private func query(_ columns: [QueueColumn]) -> QueueQuery {
        QueueQuery(
            vhost: vhost, columns: (columns + values.selection.columns).withoutRepeats,
            limit: values.selection.pageSize)
    }

    private func list(_ columns: [QueueColumn], _ records: [QueueRecord]) -> QueueList {
        var list = QueueList(columns: columns, records: [])
        list.records = values.selection.choose(from: records) { list.value($0, of: $1) }
        list.missing = values.selection.missing(from: records)
        return list
    }

    // MARK: - Without the management plugin

    private func listOverAMQP(
        _ columns: [QueueColumn], _ vhost: String, _ reason: ManagementError
    ) throws(CommandError) -> QueueList {
        guard values.selection.type == nil else {
            throw CommandError(
                .refused, "\(reason.message.withFullStop) Over AMQP the type of a queue isn't known, so --type can't be"
            )
        }
        let parameters = try values.connection.parameters(for: ListQueuesCommand.name, in: context)
        var records: [QueueRecord] = []
        do throws(BrokerError) {
            let connection = try Connection.open(parameters)
            let channel = try Channel(on: connection)
            for name in values.selection.queues.withoutRepeats {
                guard let status = try Self.status(of: name, on: channel) else { continue }
                records.append(
                    QueueRecord(vhost: vhost, name: name, values: columns.map { $0.value(of: status, name, vhost) }))
            }
            connection.close()
        } catch {
            throw CommandError(error)
        }
        if !hasToldFallback, !values.common.isQuiet {
            context.say("\(reason.message). Over AMQP only messages_ready and consumers are known")
        }
        hasToldFallback = true
        answers += 1
        var list = list(columns, records.sorted { $0.precedes($1) })
        list.isFromAMQP = true
        return list
    }

    /// nil when there is no such queue.
    private static func status(of queue: String, on channel: Channel) throws(BrokerError) -> QueueStatus? {
        do throws(BrokerError) {
            return try channel.status(ofQueue: ShortString(queue))
        } catch {
            guard error.code == .notFound else { throw error }
            try channel.open()
            return nil
        }
    }
}

extension QueueColumn {
    /// What AMQP tells of a queue.
    fileprivate func value(of status: QueueStatus, _ name: String, _ vhost: String) -> QueueValue {
        switch self {
        case .name: .text(name)
        case .vhost: .text(vhost)
        case .ready: .integer(status.ready)
        case .consumers: .integer(status.consumers)
        default: .unknown
        }
    }
}

extension [String] {
    /// Each text once, where it stands first; bytes are compared.
    fileprivate var withoutRepeats: [String] {
        var seen: Set<[UInt8]> = []
        return filter { seen.insert([UInt8]($0.utf8)).inserted }
    }
}
