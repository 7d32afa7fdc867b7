// What AMQP can't tell of queues: which there are, of what type, and how many tasks workers hold.

import Broker
import Management
import Posix

/// The queues of the vhost as the management API lists them.
final class QueueListing {
    /// How long the listing is waited for where it only adds to what AMQP tells.
    static let shortPatience = Duration.seconds(2)
    /// How long it is waited for where something depends on it.
    static let patience = Duration.seconds(20)
    /// Of many queues that are asked for in turn, one answer serves all, while it is not older than this.
    private static let lifetime = Duration.seconds(1)

    private let parameters: ManagementParameters
    private let vhost: String
    /// Made for the first question.
    private var source: (any QueueSource)?
    private var latest: (queues: [QueueSummary], at: Instant)?
    /// Why the API doesn't answer. It isn't asked again: that may take long, and for each of many queues.
    private var failure: CommandError?

    /// `parameters` are those that `options` make for AMQP.
    init(
        _ options: ConnectionOptions, _ parameters: ConnectionParameters, in context: CommandContext
    ) throws(CommandError) {
        self.parameters = try options.managementParameters(login: parameters.login, in: context)
        vhost = parameters.vhost
    }

    /// All queues, by an answer that is at most a second old.
    func queues(within patience: Duration) throws(CommandError) -> [QueueSummary] {
        if let failure { throw failure }
        if let latest, latest.at + Self.lifetime > .now { return latest.queues }
        do throws(QueueSourceError) {
            let list = try askable().list(QueueSummary.columns, names: [], by: .now + patience)
            let queues = list.records.map { QueueSummary($0, in: list) }
            latest = (queues, .now)
            return queues
        } catch {
            let failure = CommandError(error)
            self.failure = failure
            throw failure
        }
    }

    private func askable() throws(QueueSourceError) -> any QueueSource {
        if let source { return source }
        do throws(ManagementError) {
            let made = ManagementQueues(api: try ManagementAPI(parameters), vhost: vhost)
            source = made
            return made
        } catch {
            throw .management(error)
        }
    }

    /// The queues by name.
    func facts(within patience: Duration) throws(CommandError) -> [ShortString: QueueSummary] {
        Dictionary(try queues(within: patience).map { (ShortString($0.name), $0) }) { first, _ in first }
    }

    /// Who consumes from these queues, a line each; nobody where the API doesn't say.
    func consumers(of queues: [ShortString]) -> [String] {
        typealias Columns = QueueColumn.OfConsumers
        guard failure == nil, let api = try? ManagementAPI(parameters) else { return [] }
        let columns = [Columns.queue, Columns.host, Columns.user]
        var query = QueueQuery(vhost: vhost, columns: columns)
        query.resource = .consumers
        guard let records = try? api.queues(query, by: .now + Self.shortPatience) else { return [] }
        let names = Set(queues)
        return records.compactMap { record in
            guard case .text(let queue) = record.values[0], names.contains(ShortString(queue)) else { return nil }
            return "\"\(queue)\" is consumed by \(record.name), \(record.values[2].text)@\(record.values[1].text)"
        }.sorted()
    }

    /// Forgets the latest answer, so that the next one is of now.
    func forget() {
        latest = nil
    }
}
