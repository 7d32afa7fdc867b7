// Waiting for a condition, never for luck.

/// Polls `condition` until it holds; throws when it doesn't within `timeout`.
///
/// Many conditions ask the broker, and tests run beside each other: what takes longer is asked less often.
package func eventually(
    _ what: String, within timeout: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let start = ContinuousClock.now
    while try await !condition() {
        let waited = ContinuousClock.now - start
        guard waited < timeout else { throw Failure("did not happen within \(timeout): \(what)") }
        try await Task.sleep(for: pollInterval(after: waited))
    }
}

/// How long to wait for the next look at something that has been waited for so long: a tenth of that.
func pollInterval(after waited: Duration) -> Duration {
    min(max(waited / 10, .milliseconds(3)), .milliseconds(60))
}
