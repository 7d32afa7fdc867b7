// The queues that stand beside a work queue: retries, delayed tasks, dead tasks.

import Options

/// The queues that workers and delayed publishing make for a queue, known by their names.
enum CompanionQueues {
    /// Those of `queue` among `queues`: `QUEUE.retry.10s`, `QUEUE.delay.5m`, `QUEUE.dead`. The ones whose tasks come
    /// back to the queue stand first.
    static func of(_ queue: String, among queues: [QueueSummary]) -> [QueueSummary] {
        let waiting = queues.filter { isWaiting($0.name, for: queue) }
        return waiting + queues.filter { $0.name.utf8.elementsEqual("\(queue).dead".utf8) }
    }

    /// The queue to which tasks come back from the queue `name`; nil when they come back to none.
    static func owner(of name: String) -> String? {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let start = name[..<dot]
        for ending in [".retry", ".delay"] where start.utf8.reversed().starts(with: ending.utf8.reversed()) {
            let owner = String(start.utf8.dropLast(ending.utf8.count)) ?? ""
            return isWaiting(name, for: owner) ? owner : nil
        }
        return nil
    }

    /// Whether tasks come back to `queue` from the queue `name`.
    static func isWaiting(_ name: String, for queue: String) -> Bool {
        ["\(queue).retry.", "\(queue).delay."].contains { start in
            // By bytes: to Swift's strings, names that differ may be equal.
            name.utf8.starts(with: start.utf8)
                && Duration(shortText: String(Substring(name.utf8.dropFirst(start.utf8.count)))) != nil
        }
    }
}
