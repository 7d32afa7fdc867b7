// What several samples of the same queues tell: rates, and when a queue will be empty.

import Broker
import Management
import Posix

/// What is shown of a queue.
struct WatchRow: Equatable {
    /// When a queue will be empty if it goes on like this.
    enum Outlook: Equatable {
        case unknown, empty, steady, growing
        case emptyIn(seconds: Double)
    }

    var vhost: String
    var name: String
    var ready: Int?
    var unacknowledged: Int?
    var messages: Int?
    /// Tasks a second that come in and go out for good, from the broker's statistics.
    var incoming: Double?
    var outgoing: Double?
    /// Tasks a second by which the queue grows, from the live counts.
    var growth: Double?

    var outlook: Outlook {
        if messages == 0 { return .empty }
        guard let messages, let growth else { return .unknown }
        if growth > 0 { return .growing }
        return growth == 0 ? .steady : .emptyIn(seconds: Double(messages) / -growth)
    }
}

/// Collects samples. Pure: time comes with each sample.
struct WatchHistory {
    /// What live counts are asked for by, and rates.
    static let countColumns: [QueueColumn] = [.ready, .unacknowledged, .messages]
    static let rateColumns: [QueueColumn] = [.publishRate, .ackRate, .deliverNoAckRate, .getNoAckRate]

    /// Growth is measured over this time: long enough not to jump, short enough to follow.
    private static let window = Duration.seconds(10)

    private struct Count {
        var time: Instant
        var messages: Int
    }

    private var counts: [QueueKey: [Count]] = [:]
    private var rates: [QueueKey: (incoming: Double?, outgoing: Double?)] = [:]
    private(set) var rows: [WatchRow] = []

    /// Takes live counts. Queues that aren't in the list any more are forgotten.
    mutating func add(counts list: QueueList, at time: Instant) {
        var kept: [QueueKey: [Count]] = [:]
        rows = list.records.map { record in
            let key = QueueKey(record)
            var row = WatchRow(vhost: record.vhost, name: record.name)
            row.ready = list.value(.ready, of: record).integer
            row.unacknowledged = list.value(.unacknowledged, of: record).integer
            row.messages = list.value(.messages, of: record).integer
            if let messages = row.messages {
                let earlier = (counts[key] ?? []).filter { time - $0.time <= Self.window }
                row.growth = earlier.first.flatMap { first in
                    let seconds = Double((time - first.time).nanoseconds) / 1e9
                    return seconds > 0 ? Double(messages - first.messages) / seconds : nil
                }
                kept[key] = earlier + [Count(time: time, messages: messages)]
            }
            row.incoming = rates[key]?.incoming
            row.outgoing = rates[key]?.outgoing
            return row
        }
        counts = kept
    }

    /// Forgets the rates: what was true some time ago must not look like now.
    mutating func forgetRates() {
        rates = [:]
        for index in rows.indices { (rows[index].incoming, rows[index].outgoing) = (nil, nil) }
    }

    /// Takes rates, for the rows from now on.
    mutating func add(rates list: QueueList) {
        rates = [:]
        for record in list.records {
            let outgoing = [QueueColumn.ackRate, .deliverNoAckRate, .getNoAckRate].compactMap {
                list.value($0, of: record).number
            }
            rates[QueueKey(record)] = (
                list.value(.publishRate, of: record).number, outgoing.isEmpty ? nil : outgoing.reduce(0, +)
            )
        }
        for index in rows.indices {
            let rate = rates[QueueKey(vhost: rows[index].vhost, name: rows[index].name)]
            rows[index].incoming = rate?.incoming
            rows[index].outgoing = rate?.outgoing
        }
    }
}
