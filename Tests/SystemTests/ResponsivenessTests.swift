// A worker serves signals, commands and time limits whatever the broker, the network or a reader of its output does.

import Foundation
import TestSupport
import Testing

@Suite("responsiveness", .serialized, .timeLimit(.minutes(5)))
struct ResponsivenessTests {
    @Test("W11 a task whose output can't be written stays on the queue, also when its command has succeeded")
    func lostOutput() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let script = "\"$0\" work \"$1\" --output line --count 1 -- cat > /dev/full; [ $? -eq 74 ]"
        for _ in 1...5 {
            try await Shell.run(
                ["sh", "-c", script, WorkqProcess.executable, fixture.queue], environment: fixture.environment)
            try await fixture.holds(1)
        }
    }

    @Test("W11 a reader that goes away before it has read a task's output gets it from the next worker")
    func impatientReader() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        // Far more than pipe and buffers hold: the command ends long before its output has arrived.
        let script = """
            "$0" work "$1" --output line --count 1 -- sh -c 'head -c 200000 /dev/zero' | (sleep 1; head -c 10 > "$2")
            """
        let folder = try TemporaryFolder()
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue, folder.path("read")],
            environment: fixture.environment)
        #expect(folder.read("read").utf8.count == 10)
        try await fixture.holds(1)
    }

    @Test("a log that nobody reads stops no task")
    func unreadLog() async throws {
        let fixture = try Fixture()
        try await fixture.publish((1...4_000).map(String.init))
        let folder = try TemporaryFolder()
        // Two lines a task: more than a pipe and the buffer hold.
        let script = """
            { "$0" work "$1" -v --drain -j4 --prefetch 20 -- true; echo $? > "$2"; } 2>&1 >/dev/null |
                { until [ -s "$2" ]; do sleep 0.2; done; cat > "$2.log"; }
            """
        try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue, folder.path("status")],
            environment: fixture.environment, timeout: .seconds(120))
        #expect(folder.read("status") == "0\n")
        #expect(folder.read("status.log").contains("job 1 started"))
        try await fixture.holds(0)
    }

    @Test("a signal ends a worker at once that a silent broker keeps waiting")
    func signalWhileConnecting() async throws {
        let isConnected = Locked(false)
        let peer = try ScriptedPeer(timeout: .seconds(60)) { peer in
            try peer.expectProtocolHeader()
            isConnected.with { $0 = true }
            try peer.silence()
        }
        let worker = try WorkqProcess(
            ["work", "q", "--connect-timeout", "60s", "--", "true"], environment: peer.environment)
        try await eventually("the worker has connected") { isConnected.with { $0 } }
        worker.signal(SIGTERM)
        let (result, time) = try await worker.end(within: .seconds(20))
        #expect(result.status == 0 && time < .seconds(15), "\(time) \(result)")
    }

    @Test("a stopped command is ended by its time limit")
    func stoppedCommand() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let started = ContinuousClock.now
        let result = try await fixture.run(
            "work", fixture.queue, "--count", "1", "--timeout", "500ms", "--kill-after", "60s", "--max-attempts", "1",
            "--", "sh", "-c", "kill -STOP $$; sleep 60")
        #expect(result.status == 1 && ContinuousClock.now - started < .seconds(30), "\(result)")
        try await eventually("the task is dead-lettered") { fixture.ready("\(fixture.queue).dead") == 1 }
    }

    @Test("N11 a copy that an alarm holds back is told of, and signals and commands go on meanwhile")
    func blockedCopy() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let folder = try TemporaryFolder()
        let script = "read -r n; echo $n >> \"$0\"; [ $n = good ]"
        try await fixture.publish(["bad", "bad", "good", "good"])
        try await broker.ctl("set_vm_memory_high_watermark", "0.00001")
        let worker = try fixture.start("work", fixture.queue, "-j4", "--", "sh", "-c", script, folder.path("log"))
        try await worker.says("blocked by broker: low on memory")
        try await eventually("all commands ran") { folder.read("log").split(separator: "\n").count == 4 }
        try await worker.tells("2 held back")
        worker.signal(SIGTERM)
        worker.signal(SIGTERM)
        let (result, time) = try await worker.end(within: .seconds(40))
        #expect(result.status == 0 && time < .seconds(20), "\(time) \(result)")
        try await broker.stop()
    }
}
