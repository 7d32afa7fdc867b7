// What AMQP can't tell of queues: which there are, of what type, and how many tasks workers hold.

import Broker
import Management

/// The queues of the vhost as the management API lists them, asked anew each time.
struct QueueListing {
    /// Where the listing only adds to what AMQP tells, it isn't waited for any longer.
    private static let patience = Duration.seconds(2)

    private let options: ConnectionOptions
    private let parameters: ConnectionParameters
    private let context: CommandContext

    /// `parameters` are those that `options` make for AMQP.
    init(_ options: ConnectionOptions, _ parameters: ConnectionParameters, in context: CommandContext) {
        self.options = options
        self.parameters = parameters
        self.context = context
    }

    /// The queues, without which nothing can be done.
    func queues() throws(CommandError) -> [QueueSummary] {
        try ask(try options.managementParameters(login: parameters.login, in: context))
    }

    /// The queues by name, where they only add to what AMQP tells.
    func facts() throws(CommandError) -> [ShortString: QueueSummary] {
        var management = try options.managementParameters(login: parameters.login, in: context)
        management.connectTimeout = min(management.connectTimeout, Self.patience)
        management.timeout = Self.patience * 5
        return Dictionary(try ask(management).map { (ShortString($0.name), $0) }) { first, _ in first }
    }

    private func ask(_ management: ManagementParameters) throws(CommandError) -> [QueueSummary] {
        do throws(ManagementError) {
            return try ManagementAPI(management).summaries(ofVhost: parameters.vhost)
        } catch {
            throw CommandError(error)
        }
    }
}
