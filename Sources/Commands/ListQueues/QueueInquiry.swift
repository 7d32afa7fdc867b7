// The questions of list-queues: asked of the management API, and of AMQP for what that doesn't know or tells late.

import Broker
import Management
import Options
import Posix

/// Lists the queues that the options choose.
final class QueueInquiry {
    private let values: ListQueuesCommand.Values
    private let context: CommandContext
    private let vhost: String?
    private let management: ManagementQueues
    /// Made when it is first needed: a login may have to be typed.
    private var broker: AMQPQueues?
    private var hasToldFallback = false
    /// Whether the broker has so many queues that listing them all costs it much.
    private var isCrowded = false
    private static let crowd = 500
    /// Whether there was an answer: what fails later is an outage then.
    private(set) var hasAnswered = false
    private var isAPIThere = false
    /// Where the API is, for people.
    let address: String

    init(_ values: ListQueuesCommand.Values, in context: CommandContext) throws(CommandError) {
        self.values = values
        self.context = context
        vhost = values.selection.allVhosts ? nil : try values.connection.vhostName(in: context)
        var parameters = try values.connection.managementParameters(in: context)
        parameters.timeout = values.timeout
        address = parameters.endpoints.first?.description ?? ""
        do {
            management = ManagementQueues(
                api: try ManagementAPI(parameters), vhost: vhost, pageSize: values.selection.pageSize)
        } catch {
            throw Self.failure(error)
        }
    }

    /// The vhost, for people.
    var vhostText: String { vhost.map { "vhost \($0)" } ?? "any vhost" }

    static func failure(_ error: ManagementError) -> CommandError { CommandError(error, of: ListQueuesCommand.name) }

    /// Lists once. `columns` may repeat.
    func list(columns: [QueueColumn], by deadline: Instant = .never) throws(CommandError) -> QueueList {
        let columns = QueueList.sources(of: columns + values.selection.columns)
        let names = values.selection.queues
        let found: QueueList
        do throws(QueueSourceError) {
            found = try management.list(columns, names: values.selection.namesWithoutCompanions, by: deadline)
        } catch {
            switch error {
            case .broker(let error): throw CommandError(error)
            case .management(let error):
                guard error.isWithoutAPI, !names.isEmpty, vhost != nil, !isAPIThere else { throw Self.failure(error) }
                return try listOverAMQP(columns, names, error, by: deadline)
            }
        }
        (hasAnswered, isAPIThere) = (true, true)
        var all = found
        all.derive(now: Int(clamping: context.wallClock()))
        addConsumers(to: &all, by: deadline)
        return try chosen(from: all)
    }

    /// Consumers of named queues are live over AMQP, and 5 seconds old otherwise. A broker that doesn't tell is no
    /// reason to leave out what the API has told.
    private func addConsumers(to list: inout QueueList, by deadline: Instant) {
        let names = values.selection.queues
        guard list.columns.contains(.consumers), (1...ManagementQueues.singleLimit).contains(names.count), vhost != nil,
            let broker = try? amqp(),
            let live = try? broker.list(
                [.consumers], names: values.selection.named(in: list.records).map(\.name), by: deadline)
        else { return }
        list.fill(from: live, replacing: [.consumers])
        list.liveColumns.append(.consumers)
    }

    private func amqp() throws(CommandError) -> AMQPQueues {
        if let broker { return broker }
        let made = AMQPQueues(parameters: try values.connection.parameters(for: ListQueuesCommand.name, in: context))
        broker = made
        return made
    }

    /// Says how many queues of a list are left out because `--where` can't be told of them.
    func tellUndecided(_ list: QueueList) {
        guard let text = Self.undecidedText(list.undecided), !values.common.isQuiet else { return }
        context.say(text)
    }

    private func chosen(from list: QueueList) throws(CommandError) -> QueueList {
        var result = list
        (result.records, result.undecided) = try values.selection.choose(from: list.records) { list.value($0, of: $1) }
        result.missing = values.selection.missing(from: list.records)
        return result
    }

    /// What the management API tells of consumers or connections, all those of the vhost or more.
    func records(
        _ resource: QueueQuery.Resource, _ columns: [QueueColumn]
    ) throws(CommandError) -> [QueueRecord] {
        var query = QueueQuery(vhost: vhost, columns: columns)
        query.resource = resource
        do {
            return try management.api.queues(query)
        } catch {
            throw Self.failure(error)
        }
    }

    // MARK: - Without waiting

    /// The message counts, asked for without waiting. Where there are many queues and few are named, only those are
    /// asked for, by statistics that are up to 5 seconds old: the broker would work for a second on the cheap query.
    func askCounts() throws(CommandError) -> [PendingQueues] {
        let names = values.selection.namesWithoutCompanions
        // Retry queues belong to what is asked of a queue with them, whatever names they have.
        if isCrowded, !names.isEmpty, !countColumns.contains(.readyWithRetries) {
            return try askStatistics(countColumns)
        }
        do {
            return [
                try management.api.ask(
                    QueueQuery(vhost: vhost, columns: countColumns, limit: values.selection.pageSize), by: .never)
            ]
        } catch {
            throw Self.failure(error)
        }
    }

    /// Statistics of the named queues, or of all, asked for without waiting.
    func askStatistics(_ columns: [QueueColumn]) throws(CommandError) -> [PendingQueues] {
        do {
            return try management.askStatistics(columns, values.selection.namesWithoutCompanions, by: .never)
        } catch {
            throw Self.failure(error)
        }
    }

    /// What the answers to `askCounts()` come to, chosen by `statistics` where that takes some.
    func counts(_ records: [QueueRecord], _ statistics: QueueList?) throws(CommandError) -> QueueList {
        isCrowded = isCrowded || records.count > Self.crowd
        var list = QueueList(columns: countColumns + choosingStatistics, records: records)
        for index in list.records.indices {
            list.records[index].values += choosingStatistics.map { _ in .unknown }
        }
        if let statistics { list.fill(from: statistics) }
        list.derive(now: Int(clamping: context.wallClock()))
        return try chosen(from: list)
    }

    /// What choosing queues takes that isn't in the counts.
    var choosingStatistics: [QueueColumn] { values.selection.columns.filter { !$0.isCheap }.withoutRepeats }

    /// What is said of queues that are left out because `--where` can't be told of them; nil of none.
    static func undecidedText(_ undecided: Int) -> String? {
        undecided > 0 ? "\(count(undecided, "queue")) left out: whether --where holds isn't known" : nil
    }

    private var countColumns: [QueueColumn] {
        (WatchHistory.countColumns + values.selection.columns.filter(\.isCheap)).withoutRepeats
    }

    // MARK: - Without the management plugin

    private func listOverAMQP(
        _ columns: [QueueColumn], _ names: [String], _ reason: ManagementError, by deadline: Instant
    ) throws(CommandError) -> QueueList {
        for (option, isGiven) in [
            ("--type", values.selection.type != nil), ("--with-retries", values.selection.includesRetries),
        ] where isGiven {
            throw CommandError(
                .refused, "\(reason.message.withFullStop) AMQP doesn't tell what \(option) asks for")
        }
        let source = try amqp()
        let list: QueueList
        do throws(QueueSourceError) {
            list = try source.list(columns, names: names, by: deadline)
        } catch {
            switch error {
            case .broker(let error): throw CommandError(error)
            case .management(let error): throw Self.failure(error)
            }
        }
        if !hasToldFallback, !values.common.isQuiet {
            context.say("\(reason.message.withFullStop) Over AMQP only messages_ready and consumers are known")
        }
        hasToldFallback = true
        hasAnswered = true
        return try chosen(from: list)
    }
}
