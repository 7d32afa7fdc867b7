// What list-queues is meant to do.

import Management

/// A `list-queues` as the command line means it.
struct ListQueuesPlan {
    enum Deed {
        case list([QueueColumn])
        case watch
        case wait(QueueCondition)
        case check(QueueCheck)
        case workers
    }

    let deed: Deed

    /// Refuses what can't be meant.
    init(_ values: ListQueuesCommand.Values) throws(CommandError) {
        let (warning, critical) = (values.warning?.expression, values.critical?.expression)
        let isCheck = warning != nil || critical != nil
        let columns = values.columns.isEmpty ? Self.usualColumns(values.selection) : values.columns
        guard !values.isWatching || [nil, .json, .ndjson].contains(values.format) else {
            throw CommandError(.usage, "list-queues: --watch draws a screen, or writes --format ndjson")
        }
        deed =
            if isCheck {
                .check(QueueCheck(warning: warning, critical: critical, showsVhost: values.selection.allVhosts))
            } else if let wait = values.wait {
                .wait(wait)
            } else if values.isWatching {
                .watch
            } else if values.showsWorkers {
                .workers
            } else {
                .list(columns)
            }
        guard values.format == .prometheus else { return }
        guard case .list = deed else {
            throw CommandError(.usage, "list-queues: --format prometheus is for lists of queues")
        }
        // Names are labels there.
        if let column = columns.first(where: { !$0.kind.isNumeric && $0 != .name && $0 != .vhost }) {
            throw CommandError(
                .usage, "list-queues: --format prometheus writes numbers, and column \(column.name) holds none")
        }
        guard columns.contains(where: \.kind.isNumeric) else {
            throw CommandError(.usage, "list-queues: --format prometheus needs a column of numbers, such as messages")
        }
    }

    /// These say the vhost where there may be several.
    private static func usualColumns(_ selection: QueueSelection) -> [QueueColumn] {
        (selection.allVhosts ? [.vhost] : []) + [.name, .ready, .unacknowledged]
    }
}
