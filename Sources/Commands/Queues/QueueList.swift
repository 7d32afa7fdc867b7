// Queues as somebody described them, and how far that can be trusted.

import Management
import Posix

/// Queues with the columns that were asked for.
struct QueueList {
    /// How old a figure may be.
    enum Age {
        /// It is as of the moment of the answer.
        case live
        /// Up to 5 seconds: a statistic, or a count of a queue that isn't classic.
        case settling
    }

    var columns: [QueueColumn]
    var records: [QueueRecord]
    /// Queues that were named and don't exist.
    var missing: [String] = []
    /// Columns that are live for every queue, whoever else told the others.
    var liveColumns: [QueueColumn] = []
    /// Queues of which it isn't known whether they are meant, and which are left out.
    var undecided = 0
    /// Whether the management API had no part in it.
    var isFromAMQP = false

    func value(_ column: QueueColumn, of record: QueueRecord) -> QueueValue {
        columns.firstIndex(of: column).map { record.values[$0] } ?? .unknown
    }

    /// The values of all records in these columns, with more behind them.
    func rows(_ shown: [QueueColumn]) -> [[QueueValue]] {
        guard !columns.starts(with: shown) else { return records.map { $0.values } }
        let indices = shown.map { columns.firstIndex(of: $0) }
        return records.map { record in indices.map { index in index.map { record.values[$0] } ?? .unknown } }
    }

    func age(of column: QueueColumn, of record: QueueRecord) -> Age {
        if liveColumns.contains(column) { return .live }
        // Its queues needn't be of one type, nor all counted at the same moment.
        if column == .readyWithRetries { return .settling }
        return column.isCheap && value(.type, of: record) == .text("classic") ? .live : .settling
    }

    /// Takes over what `other` knows of the same queues and this list doesn't, or is to take from there.
    mutating func fill(from other: QueueList, replacing replaced: [QueueColumn] = []) {
        var others: [QueueKey: QueueRecord] = [:]
        for record in other.records { others[QueueKey(record)] = record }
        let places = columns.enumerated().compactMap { index, column in
            other.columns.firstIndex(of: column).map { (index, $0, replaced.contains(column)) }
        }
        for number in records.indices {
            guard let record = others[QueueKey(records[number])] else { continue }
            for (index, place, isReplaced) in places
            where record.values[place] != .unknown && (isReplaced || records[number].values[index] == .unknown) {
                records[number].values[index] = record.values[place]
            }
        }
    }
}

/// What tells queues apart: bytes, since Swift's strings may be equal where the broker's differ.
struct QueueKey: Hashable {
    private let vhost: [UInt8]
    private let name: [UInt8]

    init(vhost: String, name: String) {
        self.vhost = Array(vhost.utf8)
        self.name = Array(name.utf8)
    }

    init(_ record: QueueRecord) {
        self.init(vhost: record.vhost, name: record.name)
    }
}

extension Array where Element: Equatable {
    /// Each element once, where it stands first. All are compared with all: for short lists, as those of columns.
    var withoutRepeats: [Element] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}

extension [String] {
    /// Each text once, where it stands first; bytes are compared.
    var withoutRepeats: [String] {
        var seen: Set<[UInt8]> = []
        return filter { seen.insert([UInt8]($0.utf8)).inserted }
    }
}
