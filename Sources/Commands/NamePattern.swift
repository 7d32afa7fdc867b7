// A regular expression over queue names, the same for all commands that choose queues by one.

import Options
import Posix
import Synchronization

/// What `--match` takes: a regular expression that may match anywhere in a name; `^` and `$` tie it to the ends.
struct NamePattern {
    /// A pattern may take longer than anybody lives: `x.*x.*x.*x.*y$` on one long name.
    private static let patience = Duration.seconds(2)

    let text: String

    /// nil when the text is no regular expression.
    init?(_ text: String) {
        guard !text.isEmpty, (try? Regex(text)) != nil else { return nil }
        self.text = text
    }

    /// Whether each of the names matches. All together may take two seconds.
    func matches(_ names: [String]) throws(CommandError) -> [Bool] {
        let answer = Answer()
        let done: Latch
        do throws(SystemError) {
            done = try Latch()
        } catch {
            throw CommandError(.temporaryFailure, "cannot open a pipe: \(error.text)")
        }
        // Matching can't be interrupted, but left alone: the thread ends with the process.
        let isStarted = DetachedThread.start { [text] in
            answer.set(Self.matches(text, names))
            done.open()
        }
        guard isStarted else { throw CommandError(.temporaryFailure, "the system refuses a thread") }
        var pollSet = PollSet()
        pollSet.add(done.descriptor, events: POLLIN)
        let deadline = Instant.now + Self.patience
        while !done.isOpen, .now < deadline { pollSet.wait(until: deadline) }
        guard done.isOpen else {
            throw CommandError(
                .refused,
                "--match \"\(text)\" takes longer than \(Self.patience.shortText) on these names; make it simpler")
        }
        return answer.get()
    }

    private static func matches(_ text: String, _ names: [String]) -> [Bool] {
        // By scalars: a combining mark behind a letter must not hide the letter.
        guard let regex = try? Regex(text).matchingSemantics(.unicodeScalar) else { return [] }
        return names.map { (try? regex.firstMatch(in: $0)) != nil }
    }

    private final class Answer: Sendable {
        private let values = Mutex<[Bool]>([])

        func set(_ answer: [Bool]) { values.withLock { $0 = answer } }
        func get() -> [Bool] { values.withLock { $0 } }
    }
}

extension ValueFormat where Value == NamePattern {
    static var pattern: Self {
        Self("REGEX", expectation: "a regular expression, such as ^mail\\.") { NamePattern($0) }
    }
}
