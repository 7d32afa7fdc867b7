// Which queues are listed, and in which order.

import Management
import Options
import Posix

/// The options that choose and sort queues.
struct QueueSelection {
    var queues: [String] = []
    var pattern: RegularExpression?
    var type: String?
    var isNonempty = false
    var condition: QueueCondition?
    var allVhosts = false
    /// Whether the queues that hold a named queue's retries and delayed tasks are meant too.
    var includesRetries = false
    var sortColumn: QueueColumn?
    var isReversed = false
    var limit: Int?

    static var options: [Option<QueueSelection>] {
        [
            .values("--queue", of: .queue, appendingTo: \.queues, "only the queue of this name"),
            .flag(
                "--with-retries", sets: \.includesRetries, to: true,
                "with --queue: its retry and delay queues, too",
                details:
                    "These are `QUEUE.retry.DURATION` and `QUEUE.delay.DURATION`, from which tasks come back to it. "
                    + "Only when they are empty, too, all work is done."),
            .value(
                "--match", of: .pattern, into: \.pattern, "only queues whose name matches",
                details: "The POSIX extended regular expression may match anywhere in the name; `^` and `$` tie it "
                    + "to the ends."),
            .value("--type", of: .name("TYPE"), into: \.type, "only queues of this type, such as quorum"),
            .flag("--nonempty", sets: \.isNonempty, to: true, "only queues that hold tasks"),
            .value(
                "--where", of: .condition, into: \.condition, "only queues of which the expression holds",
                details: "A queue of which that isn't known is left out, and how many there are is told. With "
                    + "`--watch` queues come and go as it begins and ceases to hold."),
            .flag("--all-vhosts", sets: \.allVhosts, to: true, "the queues of all virtual hosts"),
            .value("--sort", of: .column, into: \.sortColumn, default: "name", "the column to sort by"),
            .flag("--reverse", sets: \.isReversed, to: true, "sort from the greatest to the least"),
            .value("--limit", of: .count(1...1_000_000), into: \.limit, "only so many queues from the front"),
        ]
    }

    /// The columns that choosing and sorting need.
    var columns: [QueueColumn] {
        (type == nil ? [] : [.type]) + (isNonempty ? [.messages] : []) + (sortColumn.map { [$0] } ?? [])
            + (condition?.expression.names ?? [])
    }

    /// How many queues the broker need send: a page of them, where it sorts and counts as asked.
    var pageSize: Int? {
        let isPlain =
            queues.isEmpty && pattern == nil && type == nil && !isNonempty && condition == nil && !allVhosts
            && !isReversed
        guard let limit, limit <= 500, isPlain, sortColumn == nil || sortColumn == .name else { return nil }
        return limit
    }

    /// The records that are chosen, in order, and how many are left out because that isn't known of them. Records come
    /// sorted by vhost and name, and stay so where nothing else decides.
    func choose(
        from records: [QueueRecord], _ value: (QueueColumn, QueueRecord) -> QueueValue
    ) throws(CommandError) -> (records: [QueueRecord], undecided: Int) {
        var candidates = named(in: records)
        if let pattern { candidates.removeAll { !pattern.matches($0.name) } }
        var chosen = candidates.filter { record in
            (type.map { value(.type, record) == .text($0) } ?? true)
                && !(isNonempty && value(.messages, record) == .integer(0))
        }
        var undecided = 0
        if let condition {
            let truths = chosen.map { record in condition.expression.truth { value($0, record) } }
            undecided = truths.count { $0 == .unknown }
            chosen = zip(chosen, truths).filter { $1 == .holds }.map { $0.0 }
        }
        if let sortColumn, sortColumn != .name {
            let keyed = chosen.enumerated().map { (index: $0, key: value(sortColumn, $1), record: $1) }
            chosen = keyed.sorted { left, right in
                switch left.key.order(before: right.key, isReversed: isReversed) {
                case true?: true
                case false?: false
                case nil: left.index < right.index
                }
            }.map(\.record)
        } else if isReversed {
            chosen.reverse()
        }
        return (limit.map { Array(chosen.prefix($0)) } ?? chosen, undecided)
    }

    /// The records that names choose: all of them where there are none.
    func named(in records: [QueueRecord]) -> [QueueRecord] {
        guard !queues.isEmpty else { return records }
        let names = Set(queues.map { Array($0.utf8) })
        return records.filter { names.contains(Array($0.name.utf8)) || isCompanion($0.name) }
    }

    /// The names to ask for; empty when only the list of all queues tells what is chosen.
    var namesWithoutCompanions: [String] { includesRetries ? [] : queues }

    private func isCompanion(_ name: String) -> Bool {
        includesRetries && queues.contains { CompanionQueues.isWaiting(name, for: $0) }
    }

    /// The queues that were named and aren't among `records`.
    func missing(from records: [QueueRecord]) -> [String] {
        guard !queues.isEmpty else { return [] }
        let present = Set(records.map { Array($0.name.utf8) })
        return queues.filter { !present.contains(Array($0.utf8)) }
    }

    /// What is said of queues that don't exist.
    static func missingText(_ names: [String], vhost: String) -> String {
        let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
        return "there is no queue \(list) in \(vhost)"
    }
}

extension QueueValue {
    /// Whether this value is sorted before another; nil when neither is. What is unknown goes last either way.
    fileprivate func order(before other: QueueValue, isReversed: Bool) -> Bool? {
        switch (self, other) {
        case (.unknown, .unknown): return nil
        case (.unknown, _): return false
        case (_, .unknown): return true
        default: break
        }
        if let left = number, let right = other.number {
            return left == right ? nil : (left < right) != isReversed
        }
        let (left, right) = (text, other.text)
        guard !left.utf8.elementsEqual(right.utf8) else { return nil }
        return left.utf8.lexicographicallyPrecedes(right.utf8) != isReversed
    }
}
