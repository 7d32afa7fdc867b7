// list-queues --warn and --crit: a check as monitoring systems call it.

import Management
import Options

/// Tells by one line and the exit status whether queues are as they should be.
struct QueueCheck {
    var warning: QueueExpression?
    var critical: QueueExpression?

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
        let columns = columns
        do throws(CommandError) {
            let list = try QueueSource(values, in: context).list(columns: columns)
            let result = result(list)
            try context.write(result.line)
            return result.status
        } catch {
            // What the caller has to mend isn't a state of the queues.
            guard ![.usage, .inputOutputError, .configuration, .signal(13)].contains(error.status) else { throw error }
            try context.write(Self.line(.unknown, error.message))
            return .checkUnknown
        }
    }

    private var columns: [QueueColumn] {
        ((warning?.columns ?? []) + (critical?.columns ?? [])).withoutRepeats
    }

    /// The line and the status for a list of queues.
    func result(_ list: QueueList) -> (line: String, status: ExitStatus) {
        let data = performanceData(list)
        if let missing = list.missing.first {
            return (Self.line(.unknown, "there is no queue \"\(missing)\"", data), .checkUnknown)
        }
        guard !list.records.isEmpty else { return (Self.line(.unknown, "there is no such queue"), .checkUnknown) }
        for (expression, state, truth) in [
            (critical, State.critical, QueueExpression.Truth.holds), (warning, .warning, .holds),
            (critical, .unknown, .unknown), (warning, .unknown, .unknown),
        ] {
            guard let expression else { continue }
            let concerned = list.records.filter { record in
                expression.truth { list.value($0, of: record) } == truth
            }
            guard !concerned.isEmpty else { continue }
            return (Self.line(state, text(concerned, expression, list), data), state.status)
        }
        let count = list.records.count
        return (Self.line(.ok, "\(count) queue\(count == 1 ? "" : "s")", data), .done)
    }

    private func text(_ records: [QueueRecord], _ expression: QueueExpression, _ list: QueueList) -> String {
        let named = records.prefix(Self.namedQueues).map { record in
            "\(record.name): \(list.figures(of: record, expression.columns))"
        }
        let more = records.count - named.count
        return named.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }

    private static func line(_ state: State, _ text: String, _ data: String = "") -> String {
        // A bar begins the performance data, so none may stand before.
        let text = text.escapedForDisplay.replacing("|", with: "\\x7c")
        return "QUEUES \(state.rawValue) - \(text)\(data.isEmpty ? "" : " | \(data)")\n"
    }

    /// `'jobs messages_ready'=17`: a label must not hold an equals sign, and a quote in it is doubled.
    private func performanceData(_ list: QueueList) -> String {
        list.records.flatMap { record in
            columns.compactMap { column in
                guard let number = list.value(column, of: record).number else { return nil }
                let label = "\(record.name) \(column.name)".escapedForDisplay
                    .replacing("'", with: "''").replacing("=", with: "_").replacing("|", with: "\\x7c")
                return "'\(label)'=\(number.shortText)"
            }
        }.joined(separator: " ")
    }
}
