// workq work on a real broker: one worker.

import Foundation
import TestSupport
import Testing

@Suite("work", .serialized, .timeLimit(.minutes(5)))
struct WorkTests {
    @Test("the task is the command's standard input, and the environment describes it")
    func environment() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["first"])
        let script =
            "echo \"$WORKQ_QUEUE|$WORKQ_REDELIVERED|$WORKQ_EXCHANGE|$WORKQ_ROUTING_KEY|$WORKQ_MESSAGE_ID\"; cat"
        let result = try await fixture.run("work", fixture.queue, "--drain", "--", "sh", "-c", script)
        #expect(result.status == 0, "\(result)")
        let lines = result.lines
        try #require(lines.count == 2, "\(result)")
        #expect(lines[0].hasPrefix("\(fixture.queue)|0||\(fixture.queue)|"))
        #expect(lines[0].split(separator: "|").last?.count == 36)
        #expect(lines[1] == "first")
    }

    @Test("W12 a command that is missing or not executable is 78, and no task is touched")
    func missingCommand() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        for command in ["/nonexistent", "/etc/passwd", "no-such-command", "/"] {
            let result = try await fixture.run("work", fixture.queue, "--", command)
            #expect(result.status == 78 && result.errors.contains(command), "\(result)")
        }
        try await fixture.holds(1)
    }

    @Test("W12 a command that disappears while the worker runs: its task is given back, and the worker stops with 78")
    func vanishedCommand() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let command = try folder.write("#!/bin/sh\nrm -f \"$0\"\n", to: "once", mode: 0o700)
        try await fixture.publish(["1", "2", "3"])
        let result = try await fixture.run("work", fixture.queue, "--", command)
        #expect(result.status == 78, "\(result)")
        try await fixture.holds(2)
    }

    @Test("W9 a command that never reads its standard input harms nobody, however large the task is")
    func neverReads() async throws {
        let fixture = try Fixture()
        let body = [UInt8](repeating: 120, count: 10 << 20)
        #expect(try await fixture.run("publish", fixture.queue, input: .bytes(body)).status == 0)
        #expect(try await fixture.run("publish", fixture.queue, input: .bytes(body)).status == 0)
        let quick = try await fixture.run("work", fixture.queue, "--count", "1", "--", "true")
        #expect(quick.status == 0, "\(quick)")
        let slow = try await fixture.run("work", fixture.queue, "--heartbeat", "1", "--count", "1", "--", "sleep", "4")
        #expect(slow.status == 0, "\(slow)")
        try await fixture.holds(0)
    }

    @Test("a command that runs three heartbeats long keeps its connection")
    func heartbeats() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", "-v", fixture.queue, "--heartbeat", "2", "--drain", "--", "sleep", "7")
        #expect(result.status == 0 && !result.errors.contains("again"), "\(result)")
        #expect(result.errors.components(separatedBy: " started").count == 2, "\(result)")
        try await fixture.holds(0)
    }

    @Test("W2 SIGTERM with four running commands settles all four and ends with 0", arguments: [SIGTERM, SIGINT])
    func drainOnSignal(signal: Int32) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish((1...9).map(String.init))
        let script = "echo start >> \"$0\"; until [ -e \"$1\" ]; do sleep .1; done; echo end >> \"$0\""
        let worker = try fixture.start(
            "work", fixture.queue, "-j4", "--prefetch", "6", "--heartbeat", "1", "--", "sh", "-c", script,
            folder.path("log"), folder.path("go"))
        try await eventually("four commands run") { folder.read("log") == "start\nstart\nstart\nstart\n" }
        worker.signal(signal)
        // Longer than the broker waits for a heartbeat.
        try await Task.sleep(for: .seconds(3))
        try folder.write("", to: "go")
        let result = try await worker.wait()
        #expect(result.status == 0, "\(result)")
        #expect(folder.read("log") == String(repeating: "start\n", count: 4) + String(repeating: "end\n", count: 4))
        try await fixture.holds(5)
    }

    @Test("W3 W4 a second signal ends commands with TERM, later with KILL, and their tasks go back")
    func secondSignal() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let script = "trap '' TERM; echo start >> \"$0\"; while :; do sleep 1; done"
        let worker = try fixture.start(
            "work", fixture.queue, "--kill-after", "1s", "--", "sh", "-c", script, folder.path("log"))
        try await eventually("the command runs") { folder.read("log") == "start\n" }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        try await worker.signalAgain(SIGTERM)
        let result = try await worker.wait(timeout: .seconds(20))
        #expect(result.status == 0, "\(result)")
        try await fixture.holds(1)
    }

    @Test("an idle worker leaves at once when it is told to", arguments: [SIGTERM, SIGINT, SIGHUP])
    func idleWorkerLeaves(signal: Int32) async throws {
        let fixture = try Fixture()
        let worker = try fixture.start("work", fixture.queue, "--", "true")
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        worker.signal(signal)
        #expect(try await worker.wait(timeout: .seconds(10)).status == 0)
    }

    @Test("a count takes so many tasks and gives the others back")
    func count() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...10).map(String.init))
        let command = try await fixture.run(
            "work", fixture.queue, "--count", "3", "--prefetch", "10", "-j2", "--", "true")
        #expect(command.status == 0, "\(command)")
        try await fixture.holds(7)
        let printed = try await fixture.run("work", fixture.queue, "--count", "3")
        #expect(printed.lines.count == 3)
        try await fixture.holds(4)
    }

    @Test("W7 a task ends with its command, also when a grandchild holds standard output open")
    func grandchild() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let started = ContinuousClock.now
        let result = try await fixture.run("work", fixture.queue, "--drain", "--", "sh", "-c", "sleep 60 & exit 0")
        #expect(result.status == 0, "\(result)")
        #expect(ContinuousClock.now - started < .seconds(50))
    }

    @Test("W11 a full standard output is 74, and tasks that weren't printed stay on the queue")
    func fullOutput() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2", "3"])
        try await Shell.run(
            [
                "sh", "-c", "\"$0\" work \"$1\" --drain > /dev/full; [ $? -eq 74 ]", WorkqProcess.executable,
                fixture.queue,
            ],
            environment: fixture.environment)
        try await fixture.holds(3)
        try await Shell.run(
            [
                "bash", "-c", "\"$0\" work \"$1\" | head -n 1; [ ${PIPESTATUS[0]} -eq 141 ]", WorkqProcess.executable,
                fixture.queue,
            ],
            environment: fixture.environment)
    }

    @Test("N14 a port that isn't AMQP, or TLS where there is none, is told clearly and in time")
    func notABroker() async throws {
        let fixture = try Fixture()
        let api = try #require(URL(string: fixture.broker.apiURL)?.port)
        let http = try await fixture.run("publish", "q", "x", "--url", "amqp://127.0.0.1:\(api)")
        #expect(http.status == 69, "\(http)")
        let tls = try await fixture.run("publish", "q", "x", "--url", "amqps://localhost:\(fixture.broker.port)")
        #expect(tls.status == 78 && tls.errors.contains("TLS"), "\(tls)")
    }
}
