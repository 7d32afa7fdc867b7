// Runs other programs.

import Foundation

/// Programs that tests need besides workq.
package enum Shell {
    /// Runs a program to its end and returns what it printed; throws unless its status is 0 within `timeout`.
    @discardableResult
    package static func run(
        _ words: [String], environment: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> String {
        let running = try Running(words, environment)
        let deadline = ContinuousClock.now + timeout
        while running.process.isRunning {
            if ContinuousClock.now > deadline {
                running.process.terminate()
                throw Failure("\(words) did not end within \(timeout)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return try running.output()
    }

    /// The same for callers that can't await: the broker's script, which bounds its time itself.
    @discardableResult
    static func runBlocking(_ words: [String]) throws -> String {
        let running = try Running(words, [:])
        running.process.waitUntilExit()
        return try running.output()
    }
}

private struct Running {
    let process = Process()
    private let words: [String]
    private let folder: TemporaryFolder

    init(_ words: [String], _ environment: [String: String]) throws {
        self.words = words
        folder = try TemporaryFolder()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let files = ["stdout", "stderr"].map(folder.path)
        for file in files { try Data().write(to: URL(fileURLWithPath: file)) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: files[0])
        process.standardError = FileHandle(forWritingAtPath: files[1])
        try process.run()
    }

    func output() throws -> String {
        guard process.terminationStatus == 0 else {
            throw Failure("\(words) ended with \(process.terminationStatus)\n\(folder.read("stderr"))")
        }
        return folder.read("stdout")
    }
}
