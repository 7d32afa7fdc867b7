// What a publish says while it works: notes, and on a terminal a line of progress that gets out of their way.

import Broker
import Options
import Posix
import Publisher

/// Standard error of a publish.
final class PublishVoice {
    /// How often the line of progress changes, and how long a publish takes that needs none.
    private static let interval = Duration.milliseconds(250)
    private static let clear = "\r\u{1B}[K"

    private let context: CommandContext
    private let isQuiet: Bool
    private let showsProgress: Bool
    private let start = Instant.now
    private var nextUpdate: Instant
    private var isShown = false

    /// Progress is shown on a terminal, unless tasks are typed there.
    init(_ context: CommandContext, isQuiet: Bool, isStream: Bool) {
        self.context = context
        self.isQuiet = isQuiet
        showsProgress =
            isStream && !isQuiet && context.isTerminal(context.standardError)
            && !context.isTerminal(context.standardInput)
        nextUpdate = showsProgress ? start + Self.interval : .never
    }

    /// Says something that the user may want to know.
    func note(_ message: String) {
        if !isQuiet { say(message) }
    }

    /// Says something that the user must know.
    func say(_ message: String) {
        endProgress()
        context.say(message)
    }

    /// When the line of progress should change; never without one.
    var deadline: Instant { nextUpdate }

    /// Shows how far things are, when it is time for it.
    func progress(sent: Int, confirmed: Int) {
        guard showsProgress else { return }
        let now = Instant.now
        guard now >= nextUpdate else { return }
        nextUpdate = now + Self.interval
        isShown = true
        let rate = Double(confirmed) / max(now - start, .milliseconds(1)).seconds
        write("\(Self.clear)\(sent) sent, \(confirmed) confirmed, \(Int(rate)) a second")
    }

    /// Takes the line of progress away.
    func endProgress() {
        guard isShown else { return }
        isShown = false
        write(Self.clear)
    }

    /// What a loop tells, in words.
    func listener(showsProgress: Bool = true) -> PublishLoop.Listener {
        PublishLoop.Listener(
            notice: { self.note($0.message) },
            progress: { sent, confirmed in if showsProgress { self.progress(sent: sent, confirmed: confirmed) } },
            progressDeadline: { showsProgress ? self.deadline : .never })
    }

    /// How many a second, from the start to now.
    func rate(of count: Int) -> Int { Int(Double(count) / max(elapsed, .milliseconds(1)).seconds) }

    var elapsed: Duration { Instant.now - start }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { workq_write(context.standardError, $0, bytes.count) }
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension PublishState.Notice {
    fileprivate var message: String {
        switch self {
        case .blocked(let reason): "blocked by the broker: \(reason). Waiting"
        case .tryingAgain(let error, let time):
            "\(error.message.withFullStop) Trying again for up to \(time.shortText)"
        }
    }
}
