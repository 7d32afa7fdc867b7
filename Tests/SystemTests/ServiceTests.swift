// The worker as a service: what it tells its manager, and its log for programs.

import Foundation
import TestSupport
import Testing

@Suite("service and log", .serialized, .timeLimit(.minutes(5)))
struct ServiceTests {
    @Test(
        "a service manager hears that the worker is ready, alive, and leaving; commands can't answer for it",
        arguments: [false, true])
    func notices(isAbstract: Bool) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let receiver = try NoticeReceiver(abstract: isAbstract)
        let worker = try fixture.start(
            "work", fixture.queue, "--", "sh", "-c", "env > \"$0.new\"; mv \"$0.new\" \"$0\"", folder.path("env"),
            environment: ["NOTIFY_SOCKET": receiver.path, "WATCHDOG_USEC": "2000000"])
        var lines: [String] = []
        try await eventually("it is ready and alive") {
            lines += receiver.lines()
            return lines.contains("READY=1") && lines.filter { $0 == "WATCHDOG=1" }.count >= 3
        }
        #expect(lines.filter { $0 == "READY=1" }.count == 1)
        try await fixture.publish(["x"])
        try await eventually("the command has run") { !folder.read("env").isEmpty }
        #expect(!folder.read("env").contains("NOTIFY_SOCKET") && !folder.read("env").contains("WATCHDOG_"))
        try await eventually("the status tells of the task") {
            lines += receiver.lines()
            return lines.contains("STATUS=0 running, 0 waiting, 0 held back; ack 1")
        }
        try await worker.leave()
        lines += receiver.lines()
        #expect(lines.filter { $0 == "STOPPING=1" }.count == 1, "\(lines)")
    }

    @Test("a service manager that is gone, or never was, harms nobody")
    func noManager() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--drain", "--", "true",
            environment: ["NOTIFY_SOCKET": "/nonexistent/notify", "WATCHDOG_USEC": "100000"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    }

    /// The objects that a worker wrote to standard error, which must be nothing but such lines.
    private func objects(_ result: WorkqProcess.Result) throws -> [[String: Any]] {
        try result.errors.split(separator: "\n").map { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(object as? [String: Any], "\(line) in \(result)")
        }
    }

    @Test("the log as JSON tells of each task what came of it, and sums up")
    func json() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["good", "bad"])
        let result = try await fixture.run(
            "work", fixture.queue, "--log-format", "json", "--max-attempts", "1", "--drain", "--timeout", "45m", "--",
            "sh", "-c", "read -r task; [ $task = good ]")
        #expect(result.status == 1, "\(result)")
        let objects = try objects(result)
        #expect(
            objects.map { $0["event"] as? String } == [
                "message", "connected", "start", "end", "start", "end", "summary",
            ], "\(result)")
        #expect((objects.first?["message"] as? String)?.contains("warning") == true)
        let ends = objects.filter { $0["event"] as? String == "end" }
        #expect(ends.map { $0["verdict"] as? String } == ["ack", "dead-letter"])
        #expect(ends.map { $0["status"] as? Int } == [0, 1])
        #expect(ends.allSatisfy { ($0["message_id"] as? String)?.count == 36 && $0["attempt"] as? Int == 1 })
        #expect(objects.last?["verdicts"] as? [String: Int] == ["ack": 1, "dead-letter": 1])
    }

    @Test("the log as JSON ends with the reason of a failure, and never shows the password")
    func failure() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "work", fixture.queue, "--log-format", "json", "-v", "--", "true",
            environment: ["WORKQ_URL": "amqp://someone:canary@127.0.0.1:1"])
        #expect(result.status == 69 && !result.errors.contains("canary"), "\(result)")
        let last = try #require(try objects(result).last)
        #expect(last["event"] as? String == "error" && last["exit_status"] as? Int == 69, "\(result)")
    }
}
