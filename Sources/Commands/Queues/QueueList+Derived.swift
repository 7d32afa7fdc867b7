// Columns that no source tells, put together from those that it does.

import Management

extension QueueList {
    /// The columns to ask for so that `columns` can be told.
    static func sources(of columns: [QueueColumn]) -> [QueueColumn] {
        (columns + (columns.contains(.readyWithRetries) ? [.ready] : [])).withoutRepeats
    }

    /// Fills in what follows from other columns and queues. `now` is in seconds since 1970, and the list must hold all
    /// queues of a vhost.
    mutating func derive(now: Int) {
        // A clock that goes after the publisher's makes no task younger than new.
        if let place = columns.firstIndex(of: .age) {
            fill(place, with: records.map { $0.values[place].integer.map { .integer(max(0, now - $0)) } ?? .unknown })
        }
        guard let place = columns.firstIndex(of: .readyWithRetries) else { return }
        let readyOfOwners = readyOfOwners
        let sums = records.map { record -> QueueValue in
            guard let own = value(.ready, of: record).integer else { return .unknown }
            guard let others = readyOfOwners[QueueKey(record)] else { return .integer(own) }
            return others.map { .integer(own + $0) } ?? .unknown
        }
        fill(place, with: sums)
    }

    /// Gives a column these values, one a record.
    private mutating func fill(_ place: Int, with values: [QueueValue]) {
        for index in records.indices { records[index].values[place] = values[index] }
    }

    /// Ready tasks on retry and delay queues, by the queue they come back to; nil where one of the counts isn't known.
    private var readyOfOwners: [QueueKey: Int?] {
        var sums: [QueueKey: Int?] = [:]
        for record in records {
            guard let owner = CompanionQueues.owner(of: record.name) else { continue }
            let key = QueueKey(vhost: record.vhost, name: owner)
            let sum = sums[key] ?? .some(0)
            let ready = value(.ready, of: record).integer
            sums[key] = .some(sum.flatMap { sum in ready.map { sum + $0 } })
        }
        return sums
    }
}
