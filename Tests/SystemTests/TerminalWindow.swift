// A terminal that wraps, cuts and draws as people's terminals do.

import Foundation
import TestSupport
import Testing

/// A tmux of its own with one window, in which a program runs.
final class TerminalWindow {
    private let folder: TemporaryFolder

    init(width: Int, height: Int, environment: [String: String], _ command: String) async throws {
        folder = try TemporaryFolder()
        let variables = environment.flatMap { ["-e", "\($0.key)=\($0.value)"] }
        try await tmux(
            ["-f", "/dev/null", "new-session", "-d", "-x", "\(width)", "-y", "\(height)"] + variables + [command])
    }

    deinit {
        // The folder, with the socket in it, goes with this object.
        guard let process = try? start(["kill-server"]) else { return }
        while process.isRunning { usleep(10_000) }
    }

    @discardableResult
    private func tmux(_ words: [String]) async throws -> String {
        let result = try await start(words).wait()
        guard result.status == 0 else { throw Failure("tmux: \(result)") }
        return result.text
    }

    /// Not by Foundation, which takes the server for the command that has started it.
    private func start(_ words: [String]) throws -> WorkqProcess {
        try WorkqProcess(
            ["tmux", "-S", folder.path("socket")] + words, environment: ["LC_ALL": "C.UTF-8"],
            executable: "/usr/bin/env")
    }

    /// What is on the screen.
    func lines() async throws -> [String] {
        try await tmux(["capture-pane", "-p"]).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    func type(_ keys: String...) async throws { try await tmux(["send-keys"] + keys) }

    /// Waits for a screen that `holds`.
    func shows(_ what: String, _ holds: ([String]) -> Bool) async throws -> [String] {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let lines = try await lines()
            if holds(lines) { return lines }
            guard ContinuousClock.now < deadline else {
                throw Failure("the screen never showed \(what):\n\(lines.joined(separator: "\n"))")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
