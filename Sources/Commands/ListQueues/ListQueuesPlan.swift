// What list-queues is meant to do.

import Management
import Options

/// A `list-queues` as the command line means it.
struct ListQueuesPlan {
    enum Deed {
        case list([QueueColumn])
        case watch
        case wait(QueueExpression)
        case check(QueueCheck)
    }

    let deed: Deed

    /// Refuses what can't be meant.
    init(_ values: ListQueuesCommand.Values) throws(CommandError) {
        let wait = try Self.expression(values.waitExpression, "--wait")
        let warning = try Self.expression(values.warningExpression, "--warn")
        let critical = try Self.expression(values.criticalExpression, "--crit")
        let isCheck = warning != nil || critical != nil
        let columns = values.columns
        guard !values.isWatching || [nil, .json, .ndjson].contains(values.format) else {
            throw CommandError(.usage, "list-queues: --watch draws a screen, or writes --format ndjson")
        }
        deed =
            if isCheck {
                .check(QueueCheck(warning: warning, critical: critical, showsVhost: values.selection.allVhosts))
            } else if let wait {
                .wait(wait)
            } else if values.isWatching {
                .watch
            } else {
                .list(columns.isEmpty ? Self.usualColumns(values.selection) : columns)
            }
    }

    /// These say the vhost where there may be several.
    private static func usualColumns(_ selection: QueueSelection) -> [QueueColumn] {
        (selection.allVhosts ? [.vhost] : []) + [.name, .ready, .unacknowledged]
    }

    private static func expression(_ text: String?, _ option: String) throws(CommandError) -> QueueExpression? {
        guard let text else { return nil }
        do {
            return try QueueExpression(text)
        } catch {
            throw CommandError(error, in: text, of: option, for: ListQueuesCommand.name)
        }
    }
}
