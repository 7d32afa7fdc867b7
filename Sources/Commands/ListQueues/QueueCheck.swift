// list-queues --warn and --crit: a check as monitoring systems call it.

import Management
import Options

/// Tells by one line and the exit status whether queues are as they should be.
struct QueueCheck {
    var warning: QueueExpression?
    var critical: QueueExpression?
    /// Whether queues of several vhosts may have the same name.
    var showsVhost = false

    /// More queues than these in the text help nobody; the performance data has them all.
    private static let namedQueues = 5

    private enum State: String {
        case ok = "OK"
        case warning = "WARNING"
        case critical = "CRITICAL"
        case unknown = "UNKNOWN"

        var status: ExitStatus {
            switch self {
            case .ok: .done
            case .warning: .checkWarning
            case .critical: .checkCritical
            case .unknown: .checkUnknown
            }
        }
    }

    func run(_ values: ListQueuesCommand.Values, in context: CommandContext) throws(CommandError) -> ExitStatus {
        // What the caller has to mend isn't a state of the queues. Whatever goes wrong from here on is.
        let inquiry = try QueueInquiry(values, in: context)
        let result: (line: String, status: ExitStatus)
        do throws(CommandError) {
            result = self.result(try inquiry.list(columns: columns))
        } catch {
            guard error.status != .usage else { throw error }
            result = (Self.line(.unknown, error.message), .checkUnknown)
        }
        try context.write(result.line)
        return result.status
    }

    private var columns: [QueueColumn] {
        ((warning?.names ?? []) + (critical?.names ?? [])).withoutRepeats
    }

    /// The line and the status for a list of queues. The worst that is found decides.
    func result(_ list: QueueList) -> (line: String, status: ExitStatus) {
        let data = performanceData(list)
        for (expression, state, truth) in [
            (critical, State.critical, Truth.holds), (warning, .warning, .holds),
            (critical, .unknown, .unknown), (warning, .unknown, .unknown),
        ] {
            guard let expression else { continue }
            let concerned = list.records.filter { record in
                expression.truth { list.value($0, of: record) } == truth
            }
            guard !concerned.isEmpty else { continue }
            let text = ([text(concerned, expression, list)] + missing(list) + undecided(list)).joined(separator: "; ")
            return (Self.line(state, text, data), state.status)
        }
        let missing = missing(list)
        guard missing.isEmpty, !list.records.isEmpty else {
            let text = (missing.isEmpty ? ["there is no such queue"] : missing) + undecided(list)
            return (Self.line(.unknown, text.joined(separator: "; "), data), .checkUnknown)
        }
        let text = [count(list.records.count, "queue")] + undecided(list)
        return (Self.line(.ok, text.joined(separator: "; "), data), .done)
    }

    private func missing(_ list: QueueList) -> [String] {
        list.missing.prefix(Self.namedQueues).map { "there is no queue \"\($0)\"" }
    }

    private func undecided(_ list: QueueList) -> [String] {
        list.undecided == 0 ? [] : ["\(count(list.undecided, "queue")) left out, of which --where can't be told"]
    }

    private func text(_ records: [QueueRecord], _ expression: QueueExpression, _ list: QueueList) -> String {
        let named = records.prefix(Self.namedQueues).map { record in
            "\(title(of: record)): \(list.figures(of: record, expression.names))"
        }
        let more = records.count - named.count
        return named.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }

    private func title(of record: QueueRecord) -> String {
        showsVhost ? "\(record.vhost) \(record.name)" : record.name
    }

    private static func line(_ state: State, _ text: String, _ data: String = "") -> String {
        // A bar begins the performance data, so none may stand before.
        let text = text.escapedForDisplay.replacing(["|": "\\x7c"])
        return "QUEUES \(state.rawValue) - \(text)\(data.isEmpty ? "" : " | \(data)")\n"
    }

    /// `'jobs messages_ready'=17;100;1000;0`: value, the ranges of warnings and criticals, and the least value there
    /// is. A label must not hold an equals sign, and a quote in it is doubled.
    private func performanceData(_ list: QueueList) -> String {
        let ranges = columns.map { column in
            [warning, critical].map { $0?.alertRange(of: column) ?? "" }.joined(separator: ";")
        }
        return list.records.flatMap { record in
            zip(columns, ranges).compactMap { column, range in
                guard let number = list.value(column, of: record).number else { return nil }
                let label = "\(title(of: record)) \(column.name)".escapedForDisplay
                    .replacing(["'": "''", "=": "_", "|": "\\x7c"])
                return "'\(label)'=\(number.plainText);\(range);0"
            }
        }.joined(separator: " ")
    }
}
