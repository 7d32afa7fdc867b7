// What a publish must get right whatever happens around it: the rows P5 to P16 of the fault table, with the real
// binary.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("publisher faults", .timeLimit(.minutes(5)))
struct PublisherFaultTests {
    private static let patience = Duration.seconds(30)

    @Test("P5 under an alarm nothing more is sent, and the alarm is the reason in the end")
    func blocked() async throws {
        let folder = try TemporaryFolder()
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.block(reason: "low on memory")
            try peer.ack(1)
            // What went out before the word came is read, and no more comes.
            let rest = try peer.readUntilClosed()
            let tasks = rest.count { "\($0)".contains("basic.publish") }
            try peer.check(tasks <= 2, "\(tasks) tasks came under the alarm")
        }
        let line = String(repeating: "x", count: 1 << 20) + "\n"
        let result = try await WorkqProcess.run(
            ["publish", "queue", "--lines", "--confirm-timeout", "2s", "--unsent", folder.path("unsent")],
            input: .text(String(repeating: line, count: 20)), environment: peer.environment)
        #expect(result.status == 3 && result.errors.contains("blocked by the broker (low on memory)"), "\(result)")
        #expect(folder.read("unsent").utf8.count == 19 * line.utf8.count)
        try await peer.finish(within: Self.patience)
    }

    @Test("P5 a send that the alarm has stopped in the middle ends with the alarm as its reason")
    func blockedInSending() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.block(reason: "low on memory")
            try peer.ack(1)
            // The broker reads nothing more.
            try peer.silence()
        }
        let line = String(repeating: "x", count: 40 << 20) + "\n"
        let result = try await WorkqProcess.run(
            ["publish", "queue", "--lines", "--confirm-timeout", "2s"], input: .text("1\n" + line),
            environment: peer.environment)
        #expect(result.status == 3 && result.errors.contains("blocked by the broker (low on memory)"), "\(result)")
    }

    /// Sends two signals, as an impatient user or a service manager does, and checks that the end comes at once.
    private func endAtOnce(_ publish: WorkqProcess, sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> WorkqProcess.Result
    {
        publish.signal(SIGTERM)
        try await publish.signalAgain(SIGTERM)
        let (result, time) = try await publish.end(within: Self.patience)
        #expect(
            result.status == 143 && time < .seconds(15), "a moment, and what a busy machine adds: \(time) \(result)",
            sourceLocation: sourceLocation)
        return result
    }

    @Test("R10 a pair of signals is one, as GNU timeout sends them: a publish waits for its confirms")
    func pairOfSignals() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.silence(for: .seconds(3))
            try peer.ack(1)
            try peer.serveUntilClosed()
        }
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "queue", "--lines"], input: pipe.input, environment: peer.environment)
        try pipe.write("1\n")
        try await eventually("the task has come") { peer.transcript.contains { $0.contains("< 1 body") } }
        for signal in [SIGTERM, SIGCONT, SIGINT, SIGTERM] { publish.signal(signal) }
        let result = try await publish.wait()
        #expect(result.status == 143 && result.errors.contains("1 confirmed"), "\(result)")
        #expect(!result.errors.contains("unknown"), "\(result)")
    }

    @Test("P6 two signals end a publish at once while it connects, logs in or waits for an answer; nothing is lost")
    func signalsWhileAsking() async throws {
        let folder = try TemporaryFolder()
        let (listener, port) = try LoopbackSocket.listen()
        defer { close(listener) }
        let hole = try BlackHole(port: port)
        let silent = try TCPProxy(upstreamPort: Fixture().broker.port, mode: .blackhole)
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expect(.queueDeclare)
            _ = try? peer.readUntilClosed()
        }
        for (environment, options) in [
            (["WORKQ_URL": "amqp://[::1]:\(port)"], []), (silent.environment, []),
            (peer.environment, ["--delay", "1m"]),
        ] {
            let publish = try WorkqProcess(
                ["publish", "queue", "--lines", "--connect-timeout", "1m", "--unsent", folder.path("unsent")] + options,
                input: .text("1\n2\n"), environment: environment)
            try await publish.catches(SIGTERM)
            try await Task.sleep(for: .milliseconds(700))
            let result = try await endAtOnce(publish)
            #expect(result.errors.contains("interrupted"), "\(result)")
            #expect(folder.read("unsent") == "1\n2\n")
        }
        withExtendedLifetime(hole) {}
    }

    @Test("P6 two signals end a publish at once that can't get on with sending")
    func signalsWhileSending() async throws {
        let folder = try TemporaryFolder()
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            try peer.silence()
        }
        let line = String(repeating: "x", count: 40 << 20) + "\n"
        let publish = try WorkqProcess(
            ["publish", "queue", "--lines", "--unsent", folder.path("unsent")], input: .text("1\n" + line),
            environment: peer.environment)
        try await eventually("the input is read") {
            let file = try? String(contentsOfFile: "/proc/\(publish.pid)/fdinfo/0", encoding: .utf8)
            return file?.contains("pos:\t\(line.utf8.count + 2)\n") == true
        }
        try await Task.sleep(for: .seconds(1))
        let result = try await endAtOnce(publish)
        #expect(result.errors.contains("1 confirmed, 1 unknown"), "\(result)")
        #expect(folder.read("unsent").utf8.count == line.utf8.count)
    }

    @Test("P6 two signals end a publish at once that waits for a spool's lock")
    func signalsAtLock() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path("spool"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        _ = try folder.write("", to: "spool/lock")
        let lock = open(folder.path("spool/lock"), O_RDWR | O_CLOEXEC)
        defer { close(lock) }
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        let publish = try WorkqProcess(
            ["publish", "queue", "--lines", "--spool", folder.path("spool"), "--unsent", folder.path("unsent")],
            input: .text("1\n2\n"), environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
        try await publish.catches(SIGTERM)
        try await Task.sleep(for: .milliseconds(700))
        _ = try await endAtOnce(publish)
        #expect(folder.read("unsent") == "1\n2\n")
    }

    @Test("P7 ids that can't be printed: the words are about the output, the task is confirmed")
    func fullOutput() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let script = "\"$0\" publish \"$1\" one --print-id > /dev/full 2> \"$2\"; echo $?"
        let words = ["sh", "-c", script, WorkqProcess.executable, fixture.queue, folder.path("errors")]
        #expect(try await Shell.run(words, environment: fixture.environment) == "74\n")
        let errors = folder.read("errors")
        #expect(errors.contains("cannot write message ids to standard output: no space left on device"), "\(errors)")
        #expect(errors.contains("the task is confirmed") && !errors.contains("not confirmed"), "\(errors)")
        #expect(fixture.ready() == 1)
        let lines = "seq 100000 | \"$0\" publish \"$1\" --lines --print-id 2> \"$2\" | head -1 > /dev/null"
        try await Shell.run(
            ["bash", "-c", "\(lines); test \"${PIPESTATUS[1]}\" = 141"] + words[3...],
            environment: fixture.environment)
        #expect(folder.read("errors").isEmpty, "\(folder.read("errors"))")
    }

    @Test("P8 without confirms tasks keep their order although their queue must be created")
    func orderWithoutConfirms() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", fixture.queue, "--lines", "--no-confirm", "-v", input: .text("1\n2\n3\n4\n5\n"))
        #expect(result.status == 0 && result.errors.contains("5 tasks sent to"), "\(result)")
        #expect(try await fixture.run("work", fixture.queue, "--drain").text == "1\n2\n3\n4\n5\n")
    }

    @Test(
        "P10 a guard counts the task that runs, those that wait to be tried again, and those of other delays",
        .needsLiveCounts)
    func guards() async throws {
        let fixture = try Fixture()
        func isGuarded(_ what: String) async throws {
            let result = try await fixture.run("publish", fixture.queue, "again", "--unless-queued", "-v")
            #expect(result.status == 0 && result.errors.contains("nothing published"), "\(what): \(result)")
        }
        try await fixture.publish(["once"])
        let held = try HeldCommand()
        let worker = try WorkqProcess(
            ["work", fixture.queue, "--"] + held.words, environment: fixture.environment)
        try await held.isStarted()
        try await isGuarded("a worker has it")
        try held.letGo()
        try await eventually("the task is done") { held.log.hasSuffix("end\n") }
        try await worker.leave()
        try await fixture.publish(["fails"])
        let retry = fixture.retryQueue("90s")
        let failing = try fixture.start(
            "work", fixture.queue, "--retry-delay", "90s", "--max-attempts", "2", "--", "false")
        try await eventually("it waits to be tried again") { fixture.ready(retry) == 1 }
        try await failing.leave()
        try await isGuarded("it waits to be tried again")
        _ = try fixture.channel().purgeQueue(ShortString(retry))
        let later = try await fixture.run("publish", fixture.queue, "later", "--unless-queued", "--delay", "5m")
        #expect(later.status == 0 && later.errors.isEmpty, "\(later)")
        try await isGuarded("it waits for its time")
        _ = try fixture.channel().deleteQueue(ShortString("\(fixture.queue).delay.5m"))
    }

    @Test("P10 without the API a guard counts what AMQP can tell, and says what isn't counted")
    func guardWithoutAPI() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", fixture.queue, "x", "--unless-queued", "--api-url", "http://127.0.0.1:1")
        #expect(result.status == 0 && result.errors.contains("aren't counted"), "\(result)")
        #expect(fixture.ready() == 1)
    }

    @Test("P11 a queue is created without a type unless one is asked for: the vhost's default decides")
    func defaultType() async throws {
        for (options, type) in [
            ([], nil), (["--queue-type", "classic"], "classic"), (["--queue-type", "quorum"], "quorum"),
        ]
            as [([String], String?)]
        {
            let peer = try ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptPublisher()
                try peer.returnMessage(try peer.expectPublish())
                try peer.ack(1)
                let declare = try peer.answer(.queueDeclare)
                // A field table's bytes, as they are shown.
                func holds(_ text: String) -> Bool {
                    "\(declare)".contains(text.utf8.map { "\($0)" }.joined(separator: ", "))
                }
                try peer.check(holds("x-queue-type") == (type != nil), "\(declare)")
                try peer.check(type.map(holds) ?? true, "\(declare)")
                try peer.expectTasks(1)
                try peer.ack(2)
                try peer.serveUntilClosed()
            }
            let result = try await WorkqProcess.run(["publish", "queue", "x"] + options, environment: peer.environment)
            #expect(result.status == 0, "\(result) \(peer.failure ?? "")")
            try await peer.finish(within: Self.patience)
        }
    }

    @Test("P12 a URL in a queue's place is a usage error that shows no password")
    func urlAsQueue() async throws {
        for words in [["publish", "amqp://u:geheim@h/"], ["publish", "AMQPS://u:geheim@h/", "x"]]
            + [["work", "q", "--move-to", "amqp://u:geheim@h/"]]
        {
            let result = try await WorkqProcess.run(words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
            #expect(result.status == 64 && !result.errors.contains("geheim"), "\(result)")
        }
    }

    @Test("P13 nothing on standard input is an error, and an empty task only where it is meant")
    func emptyInput() async throws {
        let fixture = try Fixture()
        let nothing = try await fixture.run("publish", fixture.queue)
        #expect(nothing.status == 66 && nothing.errors.contains("nothing on standard input"), "\(nothing)")
        #expect(fixture.ready() == nil)
        #expect(try await fixture.run("publish", fixture.queue, "").status == 0)
        #expect(try await fixture.run("publish", fixture.queue, "--allow-empty").status == 0)
        #expect(try await fixture.run("publish", fixture.queue, "--lines").status == 0)
        #expect(fixture.ready() == 2)
    }

    @Test("P16 the end of an outage bounds the wait for a confirm, too")
    func oneDeadline() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            _ = try? peer.readUntilClosed()
            while true {
                let next = try peer.accept()
                try next.acceptPublisher()
                _ = try? next.readUntilClosed()
            }
        }
        let publish = try WorkqProcess(
            ["publish", "queue", "x", "--retry-for", "3s", "--confirm-timeout", "2500ms"],
            environment: peer.environment)
        let (result, time) = try await publish.end(within: Self.patience)
        #expect(result.status == 76 && time < .seconds(12), "\(time) \(result)")
    }
}
