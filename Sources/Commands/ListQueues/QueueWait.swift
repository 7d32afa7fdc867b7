// list-queues --wait: blocks until a condition holds.

import Broker
import Management
import Options
import Posix

/// Asks again and again until an expression holds of every queue chosen.
///
/// Statistics, and all counts of queues that aren't classic, are up to 5 seconds old: a quorum queue that has just got
/// its first task still counts none. A condition on such figures has to hold for longer than that.
struct QueueWait {
    private static let settleTime = Duration.seconds(6)

    private let text: String
    private let expression: QueueExpression
    private let values: ListQueuesCommand.Values
    private let context: CommandContext
    /// One for all questions: a broker that hangs must not keep workq any longer.
    private let deadline: Instant
    private let start = Instant.now
    /// Who watches sees what is waited for.
    private let line: StatusLine

    init(_ condition: QueueCondition, _ values: ListQueuesCommand.Values, _ context: CommandContext) {
        text = condition.text
        expression = condition.expression
        self.values = values
        self.context = context
        deadline = values.deadline.map { .now + $0 } ?? .never
        line = StatusLine(context, isWanted: !values.common.isQuiet)
    }

    /// What one look came to.
    private enum Finding {
        case holds, holdsAsFarAsKnown
        case fails(reason: String)
        case unanswered(reason: String)
    }

    /// The last look needs time of its own before the deadline.
    private static let lastLook = Duration.milliseconds(300)

    func run(_ inquiry: QueueInquiry) throws(CommandError) -> ExitStatus {
        defer { line.clear() }
        var heldSince: Instant?
        var reason: String?
        while true {
            switch try look(inquiry) {
            case .holds: return .done
            case .holdsAsFarAsKnown:
                let since = heldSince ?? .now
                if .now - since >= Self.settleTime { return .done }
                heldSince = since
                reason = "the figures that it holds of may be 5 seconds old"
            case .fails(let obstacle):
                heldSince = nil
                reason = obstacle
            case .unanswered(let failure):
                heldSince = nil
                // What the deadline itself has cut short says less than what was seen before.
                if reason == nil || .now < deadline { reason = failure }
            }
            let last = deadline == .never ? deadline : deadline + (.zero - Self.lastLook)
            let next = .now < last ? min(.now + values.interval, last) : deadline
            var pause = PollSet()
            while .now < next {
                showProgress(reason)
                pause.wait(timeout: min(next, line.isActive ? .now + .seconds(1) : .never).pollTimeout(from: .now))
            }
            guard .now < deadline else {
                let time = values.deadline?.shortText ?? ""
                throw CommandError(
                    .temporaryFailure,
                    "\"\(text)\" didn't hold within \(time): \(reason ?? "nothing was known")")
            }
        }
    }

    private func showProgress(_ reason: String?) {
        let limit = values.deadline.map { " of \($0.spokenText)" } ?? ""
        line.show([
            "waiting for \(text)".escapedForDisplay, "\((Instant.now - start).wholeSecondsText)\(limit)",
            (reason ?? "").escapedForDisplay,
        ])
    }

    private func look(_ inquiry: QueueInquiry) throws(CommandError) -> Finding {
        do throws(CommandError) {
            let list = try inquiry.list(columns: expression.names, by: deadline)
            guard let obstacle = Self.obstacle(to: expression, in: list) else {
                return choosesSteadily && Self.isLive(expression, in: list) ? .holds : .holdsAsFarAsKnown
            }
            guard !list.isFromAMQP || !list.leavesUnknown(expression) else {
                throw CommandError(.refused, "AMQP can't tell: \(obstacle)")
            }
            return .fails(reason: obstacle)
        } catch {
            // A broker that restarts is worth waiting for; one that never answered isn't.
            guard inquiry.hasAnswered, error.status == .unavailable || error.status == .temporaryFailure else {
                throw error
            }
            line.clear()
            if !values.common.isQuiet, .now < deadline { context.say("\(error.message.withFullStop) Trying again") }
            return .unanswered(reason: error.message)
        }
    }

    /// Whether the queues that are meant are told by what never changes: which ones `--where` leaves out by an old
    /// figure can't be seen in the list.
    private var choosesSteadily: Bool {
        values.selection.condition?.expression.names.allSatisfy { [.name, .vhost, .type].contains($0) } ?? true
    }

    /// Whether all that an expression depends on is as of now.
    static func isLive(_ expression: QueueExpression, in list: QueueList) -> Bool {
        list.records.allSatisfy { record in
            expression.names.allSatisfy { list.age(of: $0, of: record) == .live }
        }
    }

    /// Why an expression doesn't hold of a list of queues; nil when it does.
    static func obstacle(to expression: QueueExpression, in list: QueueList) -> String? {
        if let missing = list.missing.first { return "there is no queue \"\(missing)\"" }
        if list.undecided > 0 { return "whether --where holds isn't known of \(count(list.undecided, "queue"))" }
        guard !list.records.isEmpty else { return "there is no such queue" }
        for record in list.records {
            guard expression.truth({ list.value($0, of: record) }) != .holds else { continue }
            return "queue \"\(record.name)\" has \(list.figures(of: record, expression.names))"
        }
        return nil
    }
}

extension QueueList {
    /// Whether the expression depends on a figure that isn't known, of any queue.
    func leavesUnknown(_ expression: QueueExpression) -> Bool {
        records.contains { record in expression.truth { value($0, of: record) } == .unknown }
    }

    /// `messages 7, consumers unknown`.
    func figures(of record: QueueRecord, _ columns: [QueueColumn]) -> String {
        columns.map { column in
            let value = value(column, of: record)
            return "\(column.name) \(value == .unknown ? "unknown" : value.text)"
        }.joined(separator: ", ")
    }
}
