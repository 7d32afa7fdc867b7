// work in a terminal with somebody before it: what is shown, and what keys do.

import Foundation
import TestSupport
import Testing

@Suite("work in tmux", .serialized, .timeLimit(.minutes(2)))
struct WorkTerminalTests {
    /// An interactive shell, which has job control.
    private func window(_ fixture: Fixture, width: Int = 80) async throws -> TerminalWindow {
        try await TerminalWindow(width: width, height: 24, environment: fixture.environment, "bash --norc -i")
    }

    @Test(
        "6 a failed attempt is one line: a short id, attempt, pause, and the command's last words",
        arguments: [80, 120])
    func failure(width: Int) async throws {
        let fixture = try Fixture()
        _ = fixture.retryQueue("3s")
        let id = UUID().uuidString.lowercased()
        let made = try await fixture.run("publish", fixture.queue, "--message-id", id, "x")
        try #require(made.status == 0, "\(made)")
        let window = try await window(fixture, width: width)
        let words = "cannot open the image, whatever else may be said of it and of all others before it"
        try await window.type(
            "\(WorkqProcess.executable) work \(fixture.queue) --drain --retry-delay 3s -- sh -c 'echo \(words) >&2; exit 7'; echo DONE",
            "Enter")
        let lines = try await window.shows("the end") { $0.contains("DONE") }
        let events = lines.filter { $0.hasPrefix("workq: task ") }
        try #require(events.count == 1, "\(lines)")
        #expect(events[0].hasPrefix("workq: task \(id.prefix(8)): status 7 in"), "\(events)")
        #expect(events[0].contains("attempt 1 of 5, again in 3 s: cannot") && events[0].hasSuffix("…"), "\(events)")
        #expect(!lines.joined().contains(id), "\(lines)")
    }

    @Test("6 Ctrl-Z stops the worker with its command until fg; Ctrl-C tells what a second one does")
    func keys() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let folder = try TemporaryFolder()
        let window = try await window(fixture)
        try await window.type(
            "\(WorkqProcess.executable) work \(fixture.queue) -- sh -c 'echo $$ > \(folder.path("pid")); exec sleep 60'",
            "Enter")
        var pid: pid_t = 0
        try await eventually("the command runs") {
            pid = pid_t(folder.read("pid").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
            return pid > 0
        }
        try await window.type("C-z")
        _ = try await window.shows("what stopping means") { lines in
            lines.contains { $0.contains("workq: stopped: fg goes on. In 1 min the broker") }
                && lines.contains { $0.contains("Stopped") }
        }
        try await eventually("the command is stopped") { Self.state(pid) == "T" }
        try await window.type("fg", "Enter")
        _ = try await window.shows("that it goes on") { lines in lines.contains { $0.contains("workq: going on") } }
        try await eventually("the command goes on") { Self.state(pid) == "S" }
        try await window.type("C-c")
        _ = try await window.shows("what a second one does") { lines in
            lines.contains { $0.contains("leaving when the running command has ended; Ctrl-C again ends it now") }
        }
        // What comes within half a second of the first is one with it.
        try await Task.sleep(for: .milliseconds(600))
        try await window.type("C-c")
        let lines = try await window.shows("the end") { lines in lines.contains { $0.contains("1 given back") } }
        #expect(lines.contains { $0.contains("ended by TERM") }, "\(lines)")
        try await fixture.holds(1)
    }

    /// `R`, `S`, `T`, ... of a process.
    private static func state(_ pid: pid_t) -> String? {
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return stat?.split(separator: ")").last?.split(separator: " ").first.map(String.init)
    }
}
