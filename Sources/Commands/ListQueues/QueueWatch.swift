// list-queues --watch: samples the queues until it is told to leave.

import Broker
import JSON
import Management
import Options
import Posix
import Worker

/// A live screen on a terminal; a line of JSON a sample anywhere else.
///
/// Answers are awaited in the same poll(2) as keys and signals, so that neither a slow broker keeps `q` waiting nor a
/// stopped terminal the samples.
final class QueueWatch {
    /// Queues report their statistics this often; asking more often only costs the broker.
    private static let rateInterval = Duration.seconds(5)

    /// A question, in as many parts as there are answers to come.
    private struct Asked {
        var pending: [PendingQueues]
        var records: [QueueRecord] = []
    }

    private enum Question: CaseIterable {
        case counts, rates
    }

    private let values: ListQueuesCommand.Values
    private let inquiry: QueueInquiry
    private let context: CommandContext
    private let style: TerminalStyle
    private let screen: TerminalScreen?
    private let signals: SignalPipe
    private var history = WatchHistory()
    private var view: WatchView
    private var questions: [Question: Asked] = [:]
    private var nextCounts = Instant.now
    private var nextRates = Instant.now
    /// When the counts and the rates that are shown came; nil while there are none.
    private var countsAt: Instant?
    private var ratesAt: Instant?
    private var hasRates = false
    /// What the rates' answer says of the columns that queues are chosen by, and counts that came before it.
    private var statistics: QueueList?
    private var early: [QueueRecord] = []
    /// Queues that are left out because `--where` can't be told of them.
    private var undecided = 0
    /// Whether there are counts that no sample has shown.
    private var hasNews = false
    private var trouble: String?
    private var pollSet = PollSet()

    init(_ values: ListQueuesCommand.Values, _ inquiry: QueueInquiry, in context: CommandContext) throws(CommandError) {
        self.values = values
        self.inquiry = inquiry
        view = WatchView(values.selection.sortColumn == nil && !values.selection.isReversed ? .busiest : .name)
        self.context = context
        style = TerminalStyle(context, descriptor: context.standardOutput)
        screen = style.hasCursor && values.format == nil ? TerminalScreen(in: context) : nil
        guard let signals = SignalPipe(catching: [SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP]) else {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(SystemError.text(errno))")
        }
        self.signals = signals
    }

    func run() throws(CommandError) -> ExitStatus {
        defer { screen?.leave() }
        while true {
            try ask()
            waitForSomething()
            for signal in signals.read() {
                switch signal {
                case SIGWINCH: draw()
                case SIGTSTP, SignalPipe.typedStop: suspend()
                default: return signal == SIGINT ? .done : .signal(signal)
                }
            }
            if let screen, let keyboard = screen.keyboard, pollSet.isReady(keyboard) {
                let keys = screen.keys()
                // No keys although there is something to read: the terminal has gone.
                guard !keys.isEmpty, view.take(keys) != .leave else { return .done }
            }
            try takeAnswers()
        }
    }

    // MARK: - Questions and answers

    private func ask() throws(CommandError) {
        let now = Instant.now
        if questions[.counts] == nil, now >= nextCounts {
            questions[.counts] = Asked(pending: try inquiry.askCounts())
            nextCounts = now + values.interval
        }
        if questions[.rates] == nil, now >= nextRates {
            questions[.rates] = Asked(pending: try inquiry.askStatistics(rateColumns))
            nextRates = now + max(Self.rateInterval, values.interval)
        }
    }

    private var rateColumns: [QueueColumn] {
        (WatchHistory.rateColumns + inquiry.choosingStatistics).withoutRepeats
    }

    private func takeAnswers() throws(CommandError) {
        for question in Question.allCases { try receive(question) }
        // The first sample waits for the rates.
        guard countsAt != nil, hasRates else { return }
        if screen != nil {
            draw()
        } else if hasNews {
            try writeSample()
        }
    }

    private func receive(_ question: Question) throws(CommandError) {
        guard var asked = questions[question] else { return }
        do throws(ManagementError) {
            while let index = asked.pending.firstIndex(where: { pollSet.isReady($0.descriptor) }) {
                asked.records += try asked.pending.remove(at: index).result()
            }
            questions[question] = asked.pending.isEmpty ? nil : asked
            guard asked.pending.isEmpty else { return }
        } catch {
            questions[question] = nil
            return try fail(question, QueueInquiry.failure(error))
        }
        switch question {
        case .counts where !hasRates && !inquiry.choosingStatistics.isEmpty: early = asked.records
        case .counts: try show(asked.records)
        case .rates:
            let list = QueueList(columns: rateColumns, records: asked.records)
            statistics = list
            history.add(rates: list)
            ratesAt = .now
            try showEarly()
        }
    }

    private func showEarly() throws(CommandError) {
        hasRates = true
        guard !early.isEmpty else { return }
        try show(early)
        early = []
    }

    private func show(_ counts: [QueueRecord]) throws(CommandError) {
        let list = try inquiry.counts(counts, statistics)
        // Somebody who mistypes a name would look at an empty screen for ever.
        if countsAt == nil, !list.missing.isEmpty {
            throw CommandError(.refused, QueueSelection.missingText(list.missing, vhost: inquiry.vhostText))
        }
        if screen == nil, undecided == 0 { inquiry.tellUndecided(list) }
        undecided = list.undecided
        history.add(counts: list, at: .now)
        countsAt = .now
        hasNews = true
        trouble = nil
    }

    private func fail(_ question: Question, _ failure: CommandError) throws(CommandError) {
        if question == .rates {
            // An extra, but no longer what is shown.
            history.forgetRates()
            (statistics, ratesAt) = (nil, nil)
            try showEarly()
        } else if countsAt != nil {
            trouble = failure.message
            if screen == nil, !values.common.isQuiet { context.say("\(failure.message.withFullStop) Trying again") }
        } else {
            // Counts that never came mean that something is set up wrongly.
            throw failure
        }
    }

    private func waitForSomething() {
        pollSet.removeAll()
        for answer in questions.values.flatMap(\.pending) { pollSet.add(answer.descriptor, events: POLLIN) }
        pollSet.add(signals.descriptor, events: POLLIN)
        if let keyboard = screen?.keyboard { pollSet.add(keyboard, events: POLLIN) }
        var next = Instant.never
        if questions[.counts] == nil { next = min(next, nextCounts) }
        if questions[.rates] == nil { next = min(next, nextRates) }
        // The age of what is shown goes on.
        if screen != nil, countsAt != nil { next = min(next, .now + .seconds(1)) }
        pollSet.wait(timeout: next == .never ? -1 : next.pollTimeout(from: .now))
    }

    // MARK: - Showing

    private func draw() {
        guard let screen, countsAt != nil, hasRates else { return }
        screen.enter()
        let size = screen.size
        view.pageHeight = max(1, WatchScreen.rows(height: size.height) - 1)
        let rows = view.arrange(history.rows)
        var picture = WatchScreen(
            title:
                "workq  \(ages)  \(inquiry.address)  \(inquiry.vhostText.escapedForDisplay)  "
                + "every \(values.interval.shortText)",
            rows: rows, showsVhost: values.selection.allVhosts,
            trouble: trouble ?? QueueInquiry.undecidedText(undecided),
            isUnicode: style.isUnicode)
        picture.offset = view.offset
        picture.foot = view.foot(width: size.width, hidden: history.rows.count - rows.count)
        screen.draw(
            picture.lines(width: size.width, height: size.height), width: size.width, emphasized: 2)
    }

    /// How old the figures are: `counts 1s, rates 4s old`.
    private var ages: String {
        let parts = [("counts", countsAt), ("rates", ratesAt)].map { name, moment in
            "\(name) \(moment.map { "\((Instant.now - $0).milliseconds / 1_000)s" } ?? "-")"
        }
        return parts.joined(separator: ", ") + " old"
    }

    /// Gives the terminal back while the process is stopped.
    private func suspend() {
        screen?.leave()
        SignalPipe.stopProcess()
        draw()
    }

    private func writeSample() throws(CommandError) {
        hasNews = false
        var line = Array("{\"time\":\(context.wallClock()),\"queues\":[".utf8)
        for (index, row) in history.rows.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            line.appendJSONObject(row.members)
        }
        try context.write(line + Array("]}\n".utf8))
    }
}

extension WatchRow {
    /// A sample's object, in the words of the columns where there are some.
    fileprivate var members: [(key: String, value: QueueValue)] {
        var secondsToEmpty = QueueValue.unknown
        switch outlook {
        case .empty: secondsToEmpty = .integer(0)
        case .emptyIn(let seconds): secondsToEmpty = .number(seconds)
        case .unknown, .steady, .growing: break
        }
        return [
            ("vhost", .text(vhost)), ("name", .text(name)), ("messages_ready", .init(ready)),
            ("messages_unacknowledged", .init(unacknowledged)), ("messages", .init(messages)),
            ("in_rate", .init(incoming)), ("out_rate", .init(outgoing)), ("growth_rate", .init(growth)),
            ("seconds_to_empty", secondsToEmpty),
        ]
    }
}

extension QueueValue {
    fileprivate init(_ value: Int?) {
        self = value.map(QueueValue.integer) ?? .unknown
    }

    fileprivate init(_ value: Double?) {
        self = value.map(QueueValue.number) ?? .unknown
    }
}
