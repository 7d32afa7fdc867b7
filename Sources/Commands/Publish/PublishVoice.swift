// What a publish says while it works: notes, and on a terminal a line of progress that gets out of their way.

import Broker
import Options
import Posix
import Publisher

/// Standard error of a publish.
final class PublishVoice {
    /// How often the line of progress changes, and how long a publish takes that needs none.
    private static let interval = Duration.milliseconds(250)

    private let context: CommandContext
    private let isQuiet: Bool
    private let line: StatusLine
    private let start = Instant.now
    private var nextUpdate: Instant
    /// How many bytes the input has; nil where only its end will tell.
    private let inputSize: Int?

    /// Progress is shown on a terminal, unless tasks are typed there.
    init(_ context: CommandContext, isQuiet: Bool, isStream: Bool) {
        self.context = context
        self.isQuiet = isQuiet
        line = StatusLine(
            context, isWanted: isStream && !isQuiet && !context.isTerminal(context.standardInput))
        nextUpdate = line.isActive ? start + Self.interval : .never
        var status = stat()
        let isFile =
            line.isActive && fstat(context.standardInput, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        inputSize = isFile && status.st_size > 0 ? Int(status.st_size) : nil
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
        guard line.isActive else { return }
        let now = Instant.now
        guard now >= nextUpdate else { return }
        nextUpdate = now + Self.interval
        let parts = [
            "\(NumberText.grouped(sent)) sent, \(NumberText.grouped(confirmed)) confirmed",
            "\(NumberText.grouped(rate(of: confirmed)))/s", (now - start).wholeSecondsText,
        ]
        line.show(parts, done: fraction(sent: sent, confirmed: confirmed))
    }

    /// How much of the input is confirmed, as far as tasks are of one size.
    private func fraction(sent: Int, confirmed: Int) -> Double? {
        guard let inputSize, sent > 0 else { return nil }
        let read = Double(lseek(context.standardInput, 0, SEEK_CUR)) / Double(inputSize)
        return min(1, max(0, read) * Double(confirmed) / Double(sent))
    }

    /// Takes the line of progress away.
    func endProgress() {
        line.clear()
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
