// What users of a worker run into: connections that go at the worst moment, signals in pairs, queues that don't answer.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("workers at the edge", .serialized, .timeLimit(.minutes(5)))
struct WorkerEdgeTests {
    @Test(
        "R9 a connection lost while the last command runs is made again, and the task is done once",
        arguments: [true, false])
    func lostWhileLeaving(byCount: Bool) async throws {
        let fixture = try Fixture()
        let command = try HeldCommand()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "secret")
        try await fixture.broker.ctl("set_permissions", user, ".*", ".*", ".*")
        try await fixture.publish(["x"])
        let worker = try WorkqProcess(
            ["work", fixture.queue] + (byCount ? ["--count", "1"] : []) + ["--"] + command.words,
            environment: ["WORKQ_URL": "amqp://\(user):secret@127.0.0.1:\(fixture.broker.port)"])
        try await command.isStarted()
        if !byCount {
            worker.signal(SIGTERM)
            try await worker.says("leaving")
        }
        // The broker's register of connections, which this asks, comes a moment after them.
        try await eventually("the worker is connected again") {
            try await fixture.broker.ctl("close_all_user_connections", user, "test")
            return worker.errors.contains("connected again")
        }
        try command.letGo()
        let result = try await worker.wait(timeout: .seconds(30))
        #expect(result.status == 0, "\(result)")
        #expect(command.log == "start\nend\n" && fixture.ready() == 0, "\(result)")
    }

    @Test(
        "R10 signals come in pairs, and the first is gentle whatever else ends the worker",
        arguments: [[], ["--count", "1"], ["--max-time", "6s"]])
    func pairs(options: [String]) async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let worker = try WorkqProcess(
            ["work", fixture.queue] + options + ["--", "sh", "-c", "echo start; sleep 9; echo done"],
            environment: fixture.environment)
        try await eventually("the command runs") { worker.output.contains("start") }
        if options.contains("--max-time") { try await Task.sleep(for: .seconds(6.5)) }
        worker.signal(SIGTERM)
        worker.signal(SIGINT)
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && result.text == "start\ndone\n", "\(result)")
        #expect(fixture.ready() == 0)
    }

    @Test("R18 a worker refuses a stream")
    func stream() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        try channel.declareQueue(
            ShortString(fixture.queue), type: nil, arguments: ["x-queue-type": .text("stream")])
        for words in [["work", fixture.queue], ["work", fixture.queue, "--", "true"]] {
            let worker = try WorkqProcess(words, environment: fixture.environment)
            // What was there before, a stream doesn't give, and its consumers aren't counted.
            try await eventually("the worker has left") {
                try channel.publish(
                    [1], exchange: "", routingKey: ShortString(fixture.queue), mandatory: true,
                    properties: MessageProperties())
                return !isAlive(worker.pid)
            }
            let result = try await worker.wait(timeout: .seconds(20))
            #expect(result.status == 65 && result.errors.contains("stream"), "\(result)")
        }
    }

    @Test("R19 R23 an idle time holds while the broker is away, and nothing is said of tasks nobody asked for")
    func brokerAway() async throws {
        let started = ContinuousClock.now
        let result = try await WorkqProcess.run(
            ["work", "q", "--idle-timeout", "1s", "--retry-for", "1h", "-v", "--", "true"],
            environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1/"])
        #expect(result.status == 69 && ContinuousClock.now - started < .seconds(10), "\(result)")
        #expect(!result.errors.contains("no tasks"), "\(result)")
    }

    @Test("R20 a draining worker doesn't wait for tasks to fill a batch")
    func drainBatch() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let started = ContinuousClock.now
        let result = try await fixture.run(
            "work", fixture.queue, "--batch", "5", "--batch-wait", "1h", "--drain", "--", "cat")
        #expect(result.status == 0 && result.text == "1\n2\n", "\(result)")
        #expect(ContinuousClock.now - started < .seconds(10))
    }

    @Test("R21 a password that was changed is read again when the worker reconnects")
    func rotatedPassword() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "first")
        try await fixture.broker.ctl("set_permissions", user, ".*", ".*", ".*")
        let file = try folder.write("first", to: "password")
        chmod(folder.path("password"), 0o600)
        _ = file
        let worker = try WorkqProcess(
            [
                "work", fixture.queue, "--username", user, "--password-file", folder.path("password"), "--url",
                "amqp://127.0.0.1:\(fixture.broker.port)", "--", "cat",
            ])
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        _ = try folder.write("second", to: "password")
        chmod(folder.path("password"), 0o600)
        try await fixture.broker.ctl("change_password", user, "second")
        // The broker's register of connections, which this asks, comes a moment after them.
        try await eventually("the worker is connected again") {
            try await fixture.broker.ctl("close_all_user_connections", user, "test")
            return worker.errors.contains("connected again")
        }
        try await fixture.publish(["x"])
        try await eventually("the task is done") { worker.output == "x" }
        try await worker.leave()
    }

    @Test(
        "R22 a queue that doesn't answer is told, and time limits hold",
        arguments: [["--idle-timeout", "4s"], ["--max-time", "4s"]])
    func silentQueue(options: [String]) async throws {
        let peer = try ScriptedPeer(timeout: .seconds(60)) { peer in
            try peer.acceptLogin()
            try peer.answer(.channelOpen)
            try peer.answer(.queueDelete)
            try peer.answer(.basicQos)
            try peer.expect(.basicConsume)
            try peer.expect(.basicCancel)
            try peer.serveUntilClosed()
        }
        let worker = try WorkqProcess(["work", "q"] + options + ["--", "true"], environment: peer.environment)
        let (result, time) = try await worker.end(within: .seconds(30))
        #expect(result.status == 75 && time < .seconds(20), "\(time) \(result)")
        #expect(result.errors.contains("has it lost its majority?") && !result.errors.contains("no tasks"), "\(result)")
        try await peer.finish()
    }

    @Test(
        "R18 a stream is 65, empty or not, and whatever is to end the worker",
        arguments: [["--drain"], ["--count", "1"], ["--idle-timeout", "30s"], ["--move-to", "elsewhere"], []])
    func streams(options: [String]) async throws {
        let fixture = try Fixture()
        try await Shell.run([
            "curl", "-sSf", "-X", "PUT", "-H", "content-type: application/json", "-d",
            #"{"durable":true,"arguments":{"x-queue-type":"stream"}}"#,
            "\(fixture.broker.apiURL)/api/queues/%2F/\(fixture.queue)",
        ])
        let command = options.contains("--move-to") ? [] : ["--", "true"]
        for isEmpty in [true, false] {
            if !isEmpty { try await fixture.publish(["1", "2"]) }
            let result = try await WorkqProcess.run(
                ["work", fixture.queue] + options + command, environment: fixture.environment)
            #expect(result.status == 65 && result.errors.contains("it is a stream"), "\(result)")
            #expect(!result.errors.contains("no tasks"), "\(result)")
        }
    }

    @Test("R23 a queue that is created is told, once, and not that of a worker that finds it")
    func created() async throws {
        let fixture = try Fixture()
        for isFirst in [true, false] {
            let result = try await fixture.run("work", fixture.queue, "--idle-timeout", "5s", "--", "true")
            #expect(result.status == 0, "\(result)")
            #expect(result.errors.contains("didn't exist and was created") == isFirst, "\(result)")
        }
    }

    @Test(
        "R13 many large tasks are printed and moved in little memory",
        arguments: [["--drain"], ["--drain", "--move-to"]])
    func manyLargeTasks(options: [String]) async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let line = String(repeating: "x", count: (1 << 20) - 1) + "\n"
        let file = try folder.write(String(repeating: line, count: 100), to: "tasks")
        let published = try await fixture.run("publish", "--lines", fixture.queue, input: .file(file))
        #expect(published.status == 0, "\(published)")
        let other = fixture.anotherQueue("moved")
        let words = options.last == "--move-to" ? options + [other] : options
        let result = try await WorkqProcess.run(["work", fixture.queue] + words, environment: fixture.environment)
        #expect(result.status == 0, "\(result)")
        #expect(words.last == other ? fixture.ready(other) == 100 : result.output.count == 100 << 20)
        #expect((1..<52 << 10).contains(result.residentKiB), "\(result.residentKiB) KiB")
        try await fixture.holds(0)
    }

    @Test("R11 a copy whose confirm doesn't come is told after --confirm-timeout, once, and settled when it comes")
    func unconfirmedCopy() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        try await fixture.publish(["1"])
        let script = "read -r n; echo $n >> \"$0/log\"; until [ -e \"$0/go$n\" ]; do sleep .1; done; exit 1"
        let worker = try WorkqProcess(
            [
                "work", fixture.queue, "-j1", "--max-attempts", "1", "--confirm-timeout", "1s", "--", "sh", "-c",
                script, folder.path(""),
            ], environment: proxy.environment)
        try folder.write("", to: "go1")
        let dead = "\(fixture.queue).dead"
        try await eventually("the first task is dead-lettered") { fixture.ready(dead) == 1 }
        try await fixture.publish(["2"])
        try await eventually("the second one runs") { folder.read("log") == "1\n2\n" }
        try await proxy.becomesQuiet()
        proxy.mode = .blackhole
        try folder.write("", to: "go2")
        try await worker.says("hasn't confirmed the copy of a task for 1 s. Still waiting")
        try await Task.sleep(for: .seconds(2))
        #expect(worker.errors.components(separatedBy: "hasn't confirmed").count == 2, "\(worker.errors)")
        proxy.mode = .pass
        try await eventually("the second one is dead-lettered") { fixture.ready(dead) ?? 0 >= 2 }
        try await worker.leave()
        try await fixture.holds(0)
    }
}
