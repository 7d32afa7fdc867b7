// The total-queue check: whether what went into a queue came out of it.

/// Judges numbered tasks by what their sender was told and what consumers saw.
package enum Checker {
    /// What the sender of a task was told.
    package enum Outcome: Sendable, CaseIterable {
        /// The broker took responsibility: the task must be seen.
        case confirmed
        /// No answer in time, or the connection broke: the task may be seen.
        case unknown
        /// Refused or returned: the task should not be seen, but a broker doesn't promise that.
        case failed
    }

    /// What became of the tasks. All lists are in ascending order.
    package struct Report: Sendable, Equatable, CustomStringConvertible {
        /// How many were sent with each outcome.
        package var sent: [Outcome: Int]
        /// How many times consumers saw a task, repetitions included.
        package var seen: Int
        /// Confirmed, never seen.
        package var lost: [Int]
        /// Seen, never sent.
        package var unexpected: [Int]
        /// Seen more than once: how many times too often.
        package var duplicated: [Int: Int]
        /// Of unknown outcome, and seen.
        package var recovered: [Int]
        /// Reported as failed, and seen all the same.
        package var failedButSeen: [Int]

        /// Nothing lost and nothing unexpected. Duplicates are for the test to bound.
        package var isSound: Bool { lost.isEmpty && unexpected.isEmpty }

        /// How many deliveries were too many, all tasks together.
        package var duplicateCount: Int { duplicated.values.reduce(0, +) }

        package var description: String {
            let total = sent.values.reduce(0, +)
            let outcomes = Outcome.allCases.map { "\(sent[$0] ?? 0) \($0)" }.joined(separator: ", ")
            return """
                sent \(total) (\(outcomes)), seen \(seen) times
                lost: \(Self.list(lost))
                unexpected: \(Self.list(unexpected))
                duplicated: \(duplicateCount) too many of \(Self.list(duplicated.keys.sorted()))
                recovered: \(Self.list(recovered))
                failed but seen: \(Self.list(failedButSeen))
                """
        }

        /// `none`, or a count and runs of neighbours: `4 (1, 7...9)`; cut off after twenty runs.
        private static func list(_ numbers: [Int]) -> String {
            guard !numbers.isEmpty else { return "none" }
            var runs: [ClosedRange<Int>] = []
            for number in numbers {
                if let last = runs.last, last.upperBound + 1 == number {
                    runs[runs.count - 1] = last.lowerBound...number
                } else {
                    runs.append(number...number)
                }
            }
            let texts = runs.prefix(20).map { run in
                run.count == 1 ? "\(run.lowerBound)" : "\(run.lowerBound)...\(run.upperBound)"
            }
            return "\(numbers.count) (\(texts.joined(separator: ", "))\(runs.count > 20 ? ", …" : ""))"
        }
    }

    /// Compares what was sent with what consumers saw, the drain at the end included.
    package static func check(sent: [Int: Outcome], seen: [Int]) -> Report {
        var counts: [Int: Int] = [:]
        for number in seen { counts[number, default: 0] += 1 }
        func numbers(_ outcome: Outcome, seen wasSeen: Bool) -> [Int] {
            sent.filter { $0.value == outcome && (counts[$0.key] != nil) == wasSeen }.keys.sorted()
        }
        return Report(
            sent: sent.values.reduce(into: [:]) { $0[$1, default: 0] += 1 },
            seen: seen.count,
            lost: numbers(.confirmed, seen: false),
            unexpected: counts.keys.filter { sent[$0] == nil }.sorted(),
            duplicated: counts.filter { $0.value > 1 }.mapValues { $0 - 1 },
            recovered: numbers(.unknown, seen: true),
            failedButSeen: numbers(.failed, seen: true))
    }
}
