// How much work a queue has already, for `--max-depth` and `--unless-queued`.

import Broker
import Management
import Options
import Publisher

/// Counts the tasks of a queue wherever they are: ready on it, at a worker, waiting to be tried again, or waiting for
/// their time.
///
/// AMQP tells live how many are ready on a queue whose name is known. The management API knows all queues and what
/// workers have; of quorum queues its counts are up to 5 seconds old, so that what is ready is asked over AMQP even
/// then.
struct QueueGuard {
    let destination: Destination
    let session: PublishSession
    let vhost: String
    /// Throws what is wrong with the options for the API.
    let api: () throws(CommandError) -> ManagementAPI
    /// Says what isn't counted.
    let note: (String) -> Void

    /// The delays that `work` uses unless it is told others.
    private static let usualRetryDelays = ["1s", "10s", "1m", "10m"]

    /// How many tasks there are, or at least `limit`.
    func depth(upTo limit: Int) throws(CommandError) -> Int {
        do throws(BrokerError) {
            var depth = try ready(destination.routingKey)
            if let delayQueue = destination.delayQueue { depth += try ready(delayQueue) }
            guard depth < limit else { return depth }
            let queue = "\(destination.routingKey)"
            switch queues() {
            case .success(let records):
                depth += records.first { $0.name == queue }?.values.first?.integer ?? 0
                for record in records where isForWaiting(record.name, of: queue) {
                    depth += try ready(ShortString(record.name))
                }
            case .failure(let error):
                note(
                    "tasks that workers have aren't counted, and those that wait only as far as their queues are "
                        + "known: "
                        + error.message)
                for delay in Self.usualRetryDelays { depth += try ready(ShortString("\(queue).retry.\(delay)")) }
            }
            return depth
        } catch {
            throw CommandError(error)
        }
    }

    private func ready(_ queue: ShortString) throws(BrokerError) -> Int {
        try session.status(ofQueue: queue)?.ready ?? 0
    }

    /// All queues of the vhost, with the count of unacknowledged tasks as their only value.
    private func queues() -> Result<[QueueRecord], CommandError> {
        Result { () throws(CommandError) in
            let api = try api()
            do throws(ManagementError) {
                return try api.queues(QueueQuery(vhost: vhost, columns: [.unacknowledged]))
            } catch {
                throw CommandError(error, of: PublishCommand.name)
            }
        }
    }

    /// Whether a queue is one where tasks wait to get to `queue`, other than that of the delay at hand.
    private func isForWaiting(_ name: String, of queue: String) -> Bool {
        guard name != destination.delayQueue.map({ "\($0)" }) else { return false }
        return ["retry", "delay"].contains { kind in
            let prefix = "\(queue).\(kind)."
            return name.hasPrefix(prefix) && Duration(shortText: String(name.dropFirst(prefix.count))) != nil
        }
    }
}
