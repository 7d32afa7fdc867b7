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
        var parameters = parameters
        parameters.connectTimeout = min(parameters.connectTimeout, patience)
        parameters.timeout = patience
        do throws(ManagementError) {
            let queues = try ManagementAPI(parameters).summaries(ofVhost: vhost)
            latest = (queues, .now)
            return queues
        } catch {
            let failure = CommandError(error)
            self.failure = failure
            throw failure
        }
    }

    /// The queues by name.
    func facts(within patience: Duration) throws(CommandError) -> [ShortString: QueueSummary] {
        Dictionary(try queues(within: patience).map { (ShortString($0.name), $0) }) { first, _ in first }
    }

    /// Forgets the latest answer, so that the next one is of now.
    func forget() {
        latest = nil
    }
}
