// What shells complete from the broker, asked through the shells themselves.

import Foundation
import TestSupport
import Testing

@Suite("Live completion") struct LiveCompletionTests {
    private static let completions = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("completions").path

    /// A home of the test's own, so that no answer is kept for others.
    private static func environment(_ fixture: Fixture, _ home: TemporaryFolder) -> [String: String] {
        let folder = URL(fileURLWithPath: WorkqProcess.executable).deletingLastPathComponent().path
        return fixture.environment.merging([
            "HOME": home.path("."), "XDG_CACHE_HOME": home.path("cache"), "XDG_CONFIG_HOME": home.path("config"),
            "PATH": "\(folder):/usr/local/bin:/usr/bin:/bin",
        ]) { $1 }
    }

    @Test("4 bash and fish complete a queue's name from the broker", arguments: ["bash", "fish"])
    func shells(shell: String) async throws {
        let (fixture, home) = (try Fixture(), try TemporaryFolder())
        try await fixture.publish(["task"])
        let line = "workq purge \(fixture.queue.prefix(9))"
        let script =
            shell == "bash"
            ? """
            source \(Self.completions)/workq.bash
            COMP_LINE='\(line)' COMP_POINT=\(line.count) COMP_WORDS=(\(line)) COMP_CWORD=2
            _workq; printf '%s\\n' "${COMPREPLY[@]}"
            """
            : "source \(Self.completions)/workq.fish; complete -C '\(line)'"
        // What takes more than a second gives nothing, and isn't remembered.
        try await eventually("the queue is completed") {
            try await Shell.run([shell, "-c", script], environment: Self.environment(fixture, home))
                .split(separator: "\n").contains { $0 == fixture.queue }
        }
    }

    @Test("4 an answer serves for ten seconds, and whoever is away is kept silent about")
    func kept() async throws {
        let (fixture, home) = (try Fixture(), try TemporaryFolder())
        try await fixture.publish(["task"])
        let environment = Self.environment(fixture, home)
        func complete(_ changes: [String: String] = [:]) async throws -> WorkqProcess.Result {
            try await WorkqProcess.run(
                ["complete", "queues"], environment: environment.merging(changes) { $1 }, timeout: .seconds(20))
        }
        try await eventually("the broker answers within its second") {
            try await complete().lines.contains(fixture.queue)
        }
        /// The answer is as good as new.
        func renew() async throws { try await Shell.run(["sh", "-c", "touch \"$0\"/workq/*", home.path("cache")]) }
        try await renew()
        let checking = try await WorkqProcess.run(
            ["complete", "queues", "--", "work", "--check"], environment: environment, timeout: .seconds(20))
        #expect(checking.lines.contains(fixture.queue), "\(checking)")
        let other = fixture.anotherQueue("later")
        _ = try await fixture.run("publish", other, "task")
        try await renew()
        #expect(try await !complete().lines.contains(other))
        let away = try await complete(["WORKQ_API_URL": "http://127.0.0.1:1"])
        #expect(away.status == 0 && away.text == "" && away.errors == "", "\(away)")
    }

    @Test("4 a broker that doesn't answer costs a second, and no word")
    func silent() async throws {
        let (fixture, home) = (try Fixture(), try TemporaryFolder())
        let listener = try LoopbackSocket.listen()
        defer { close(listener.descriptor) }
        let start = ContinuousClock.now
        let result = try await WorkqProcess.run(
            ["complete", "queues"],
            environment: Self.environment(fixture, home).merging(["WORKQ_API_URL": "http://127.0.0.1:\(listener.port)"])
            {
                $1
            })
        #expect(result.status == 0 && result.text == "" && result.errors == "", "\(result)")
        // The machine may be busy with other tests; a question without an end would take a minute.
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("4 sections of the configuration file are completed")
    func sections() async throws {
        let (fixture, home) = (try Fixture(), try TemporaryFolder())
        let file = home.path("clusters.toml")
        try "[default]\nurl = 'amqp://localhost'\n[production]\nurl = 'amqp://broker'\n"
            .write(toFile: file, atomically: true, encoding: .utf8)
        let result = try await WorkqProcess.run(
            ["complete", "sections", "--", "--config", file, "list-queues"],
            environment: Self.environment(fixture, home))
        #expect(result.lines == ["default", "production"], "\(result)")
        let named = try await WorkqProcess.run(
            ["complete", "sections"],
            environment: Self.environment(fixture, home).merging(["WORKQ_CONFIG": file]) { $1 })
        #expect(named.lines == ["default", "production"], "\(named)")
    }
}
