// Keeps failing tasks from spinning.

/// How long a failed task is held back before it is requeued: doubling from one second to a minute while tasks fail one
/// after the other, from the start again after a success. Pure.
struct FailurePause {
    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(60)

    private var failures = 0

    mutating func next() -> Duration {
        defer { failures += 1 }
        return min(Self.longest, Self.first * (1 << min(failures, 6)))
    }

    mutating func reset() {
        failures = 0
    }
}
