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

    private enum Question: CaseIterable {
        case counts, rates
    }

    private let values: ListQueuesCommand.Values
    private let source: QueueSource
    private let context: CommandContext
    private let screen: TerminalScreen?
    private let signals: SignalPipe
    private var history = WatchHistory()
    private var pending: [Question: PendingQueues] = [:]
    private var nextCounts = Instant.now
    private var nextRates = Instant.now
    private var hasCounts = false
    private var hasRates = false
    /// Whether there are counts that no sample has shown.
    private var hasNews = false
    private var trouble: String?
    private var pollSet = PollSet()

    init(_ values: ListQueuesCommand.Values, _ source: QueueSource, in context: CommandContext) throws(CommandError) {
        self.values = values
        self.source = source
        self.context = context
        let isScreen = context.isTerminal(context.standardOutput) && values.format == nil
        screen = isScreen ? TerminalScreen(in: context) : nil
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
                case SIGTSTP: suspend()
                default: return signal == SIGINT ? .done : .signal(signal)
                }
            }
            if let screen, let keyboard = screen.keyboard, pollSet.isReady(keyboard) {
                let keys = screen.keys()
                // No keys although there is something to read: the terminal has gone.
                if keys.isEmpty || keys.contains(UInt8(ascii: "q")) || keys.contains(UInt8(ascii: "Q")) { return .done }
            }
            try takeAnswers()
        }
    }

    // MARK: - Questions and answers

    private func ask() throws(CommandError) {
        let now = Instant.now
        if pending[.counts] == nil, now >= nextCounts {
            pending[.counts] = try source.ask(columns: WatchHistory.countColumns)
            nextCounts = now + values.interval
        }
        if pending[.rates] == nil, now >= nextRates {
            pending[.rates] = try source.ask(columns: WatchHistory.rateColumns)
            nextRates = now + max(Self.rateInterval, values.interval)
        }
    }

    private func takeAnswers() throws(CommandError) {
        let answered = Question.allCases.filter { pending[$0].map { pollSet.isReady($0.descriptor) } ?? false }
        guard !answered.isEmpty else { return }
        for question in answered { try take(question) }
        // The first sample waits for the rates.
        guard hasCounts, hasRates else { return }
        if screen != nil {
            draw()
        } else if hasNews {
            try writeSample()
        }
    }

    private func take(_ question: Question) throws(CommandError) {
        guard let answer = pending.removeValue(forKey: question) else { return }
        do throws(ManagementError) {
            let records = try answer.result()
            switch question {
            case .counts:
                history.add(counts: source.list(columns: WatchHistory.countColumns, records), at: .now)
                hasCounts = true
                hasNews = true
                trouble = nil
            case .rates:
                history.add(rates: source.list(columns: WatchHistory.rateColumns, records))
                hasRates = true
            }
        } catch {
            let failure = QueueSource.failure(error)
            // Rates are an extra; counts that never came mean that something is set up wrongly.
            if question == .rates {
                hasRates = true
            } else if hasCounts {
                trouble = failure.message
                if screen == nil, !values.common.isQuiet { context.say("\(failure.message.withFullStop) Trying again") }
            } else {
                throw failure
            }
        }
    }

    private func waitForSomething() {
        pollSet.removeAll()
        for answer in pending.values { pollSet.add(answer.descriptor, events: POLLIN) }
        pollSet.add(signals.descriptor, events: POLLIN)
        if let keyboard = screen?.keyboard { pollSet.add(keyboard, events: POLLIN) }
        let next = min(pending[.counts] == nil ? nextCounts : .never, pending[.rates] == nil ? nextRates : .never)
        pollSet.wait(timeout: next == .never ? -1 : next.pollTimeout(from: .now))
    }

    // MARK: - Showing

    private func draw() {
        guard let screen, hasCounts, hasRates else { return }
        screen.enter()
        let size = screen.size
        let picture = WatchScreen(
            title: "workq \(ListQueuesCommand.name)  \(source.address)  \(source.vhostText.escapedForDisplay)  "
                + "every \(values.interval.shortText)",
            rows: history.rows, showsVhost: values.selection.allVhosts, trouble: trouble,
            isUnicode: context.isUnicodeLocale)
        screen.draw(picture.lines(width: size.width, height: size.height), width: size.width, emphasized: 2)
    }

    /// Gives the terminal back while the process is stopped.
    private func suspend() {
        screen?.leave()
        kill(getpid(), SIGSTOP)
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

extension CommandContext {
    /// Whether the locale says that the terminal shows UTF-8.
    fileprivate var isUnicodeLocale: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }
        let locale = names.first { !$0.isEmpty }?.lowercased() ?? ""
        return locale.contains("utf-8") || locale.contains("utf8")
    }
}
