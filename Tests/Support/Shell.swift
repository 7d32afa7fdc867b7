// Runs other programs.

import Foundation

/// Programs that tests need besides workq. Foundation's own way isn't used: it learns of an end through a socket that
/// the other tests' programs may inherit, and then waits for them too.
package enum Shell {
    /// Runs a program to its end and returns what it printed; throws unless its status is 0 within `timeout`.
    @discardableResult
    package static func run(
        _ words: [String], environment: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> String {
        try await output(start(words, environment: environment).wait(timeout: timeout), of: words)
    }

    /// The same for callers that can't await: the broker's script, which bounds its time itself.
    @discardableResult
    package static func runBlocking(_ words: [String]) throws -> String {
        try output(start(words).waitBlocking(timeout: .seconds(600)), of: words)
    }

    /// Starts a program with this process's environment and `environment` in it.
    package static func start(
        _ words: [String], input: WorkqProcess.Input = .nothing, environment: [String: String] = [:]
    ) throws -> WorkqProcess {
        try WorkqProcess(
            words, input: input, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            executable: "/usr/bin/env")
    }

    private static func output(_ result: WorkqProcess.Result, of words: [String]) throws -> String {
        guard result.status == 0 else { throw Failure("\(words) ended with \(result.status)\n\(result.errors)") }
        return result.text
    }
}
