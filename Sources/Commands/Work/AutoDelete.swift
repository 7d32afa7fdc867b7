// Queues that go with their last consumer. What a worker can say of that before it goes.

import Broker
import Management
import Posix

extension WorkCommand {
    /// How long the management API is waited for, finding its host included.
    private static let patience = Duration.seconds(1)

    /// Says that the worker's end will cost tasks, where it ends by itself: the broker deletes an auto-delete queue
    /// with its last consumer, with all that is still on it. AMQP doesn't tell which queues are; without an answer from
    /// the management API nothing is said.
    static func warnOfAutoDelete(_ values: Values, _ parameters: ConnectionParameters, in context: CommandContext) {
        guard values.leavesByItself, !values.common.isQuiet, let column = QueueColumn.named("auto_delete"),
            let management = try? values.connection.managementParameters(login: parameters.login, in: context)
        else { return }
        for queue in values.queues where QueueQuery.canName(queue) {
            let query = QueueQuery(vhost: parameters.vhost, columns: [column], queue: queue, isCheap: false)
            // A process of its own: this one, which may live for long, has no other use for libcurl's 7 MB.
            let isAutoDelete = ShortLivedProcess.answer(within: patience) {
                (try? ManagementAPI(management).queues(query))?.first?.values.first == .flag(true)
            }
            guard let isAutoDelete else { return }
            guard isAutoDelete else { continue }
            context.say(
                "warning: \"\(queue)\" is an auto-delete queue: when this worker leaves as its last consumer, the "
                    + "broker deletes it with all tasks that are still on it")
        }
    }
}

extension WorkCommand.Values {
    fileprivate var leavesByItself: Bool {
        destination != nil || leavesWhenEmpty || count != nil || idleTimeout != nil || maximumTime != nil
    }
}
