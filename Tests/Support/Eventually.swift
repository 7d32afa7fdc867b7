// Waiting for a condition, never for luck.

/// Polls `condition` until it holds; throws when it doesn't within `timeout`.
package func eventually(
    _ what: String, within timeout: Duration = .seconds(20), _ condition: () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw Failure("did not happen within \(timeout): \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
