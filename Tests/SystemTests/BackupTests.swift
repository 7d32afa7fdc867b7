// purge and delete with --backup: a task is in the file before it leaves its queue, whatever happens.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("backup", .serialized, .timeLimit(.minutes(10)))
struct BackupTests {
    /// A place for a backup, and what is in it.
    private struct BackupFile {
        let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        var path: String { folder.path("tasks.ndjson") }
        var text: String { folder.read("tasks.ndjson") }
        var exists: Bool { FileManager.default.fileExists(atPath: path) }

        /// The bodies in the file; throws when a line isn't whole, but for the last one when `isTorn`.
        func bodies(isTorn: Bool = false) throws -> [String] {
            var lines = text.components(separatedBy: "\n")
            let rest = lines.removeLast()
            if !isTorn { #expect(rest.isEmpty, "a torn line: \(rest)") }
            return try lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return try #require(object?["body"] as? String)
            }
        }
    }

    /// All tasks that are ready, taken off the queue.
    private func drain(_ fixture: Fixture) async throws -> [String] {
        guard fixture.ready() != nil else { return [] }
        let result = try await fixture.run("work", "--drain", fixture.queue)
        try #require(result.status == 0, "\(result)")
        return result.lines
    }

    /// Checks that every task is in the file or on the queue.
    private func nothingIsLost(_ tasks: [String], _ file: BackupFile, _ rest: [String], isTorn: Bool = false) throws {
        try nothingIsLost(tasks, file.bodies(isTorn: isTorn) + rest)
    }

    private func nothingIsLost(_ tasks: [String], _ seen: [String]) throws {
        let sent = Dictionary(uniqueKeysWithValues: tasks.map { (Int($0) ?? -1, Checker.Outcome.confirmed) })
        let report = Checker.check(sent: sent, seen: seen.map { Int($0) ?? -1 })
        #expect(report.isSound, "\(report)")
    }

    @Test(
        "every task is in the file, in order, and off the queue", arguments: ["purge", "delete"], ["classic", "quorum"])
    func everyTask(command: String, type: String) async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let tasks = (1...1_300).map(String.init)
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: type == "quorum" ? .quorum : .classic)
        try await fixture.publish(tasks)
        try await fixture.holds(1_300)
        let result = try await fixture.run(command, fixture.queue, "--backup", file.path)
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t1300\n", "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
        #expect(try file.bodies() == tasks)
        #expect(fixture.ready() == (command == "purge" ? 0 : nil))
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("M2 any bytes and all properties are in the file")
    func properties() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        var properties = MessageProperties()
        // In the order of their names, which RabbitMQ 4 would give them.
        properties.headers = ["list": .array([.bool(true), .void]), "n": .int32(7), "text": .text("a\"b\n")]
        properties.contentType = "text/plain"
        properties.priority = 3
        try channel.publish(
            [0xFF, 0x00, 0x0A], exchange: "", routingKey: ShortString(fixture.queue), mandatory: true,
            properties: properties)
        try await fixture.holds(1)
        #expect(try await fixture.run("purge", fixture.queue, "--backup", file.path).status == 0)
        #expect(
            file.text == """
                {"body_base64":"/wAK","headers":{"list":[true,null],"n":{"$int32":7},"text":"a\\"b\\n"},\
                "delivery_mode":null,"priority":3,"timestamp":null,"content_type":"text/plain","message_id":null}

                """)
    }

    @Test("an existing file is never touched, and nothing is removed then")
    func existingFile() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let path = try folder.write("precious", to: "file")
        try await fixture.publish(["1"])
        try await fixture.holds(1)
        for command in ["purge", "delete"] {
            let result = try await fixture.run(command, fixture.queue, "--backup", path)
            #expect(result.status == 73 && result.errors.contains("file exists"), "\(result)")
        }
        let nowhere = try await fixture.run("purge", fixture.queue, "--backup", folder.path("no/such/folder"))
        #expect(nowhere.status == 73 && nowhere.errors.contains("no such file"), "\(nowhere)")
        #expect(folder.read("file") == "precious" && fixture.ready() == 1)
        let several = try await fixture.run("purge", fixture.queue, "other", "--backup", folder.path("new"))
        #expect(several.status == 64 && several.errors.contains("exactly one QUEUE"), "\(several)")
    }

    @Test("delete refuses a backup of a queue whose tasks others hold: they would be nowhere then", .needsLiveCounts)
    func heldTasks() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        try await fixture.publish(["1", "2"])
        let channel = try fixture.channel()
        try channel.setPrefetchCount(1)
        let tag = try channel.consume(ShortString(fixture.queue))
        try await fixture.holds(1)
        let used = try await fixture.run("delete", fixture.queue, "--backup", file.path)
        #expect(used.status == 65 && used.errors.contains("it has 1 consumer"), "\(used)")
        try channel.cancel(tag)
        let held = try await fixture.run("delete", fixture.queue, "--backup", file.path)
        #expect(held.status == 65 && held.errors.contains("1 task of it is unacknowledged"), "\(held)")
        #expect(!file.exists && fixture.ready() == 1)
        let purged = try await fixture.run("purge", fixture.queue, "--backup", file.path)
        #expect(purged.status == 0 && purged.errors.contains("1 task is unacknowledged and stays"), "\(purged)")
        #expect(try file.bodies() == ["2"])
    }

    @Test("O5 purge takes what was there when it was asked, and not what has come since")
    func onlyWhatWasThere() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let terminal = try Terminal()
        try await fixture.publish((1...700).map(String.init))
        try await fixture.holds(700)
        let process = try fixture.start("purge", fixture.queue, "--backup", file.path, input: terminal.input)
        try await process.says("Purge 700 tasks from 1 queue? [y/N]")
        #expect(!file.exists)
        try await fixture.publish((701...1_400).map(String.init))
        try await fixture.holds(1_400)
        try terminal.type("y")
        let result = try await process.wait()
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t700\n", "\(result)")
        #expect(try file.bodies() == (1...700).map(String.init))
        try await fixture.holds(700)
        // None of them was delivered to anybody.
        let redelivered = try await fixture.run(
            "work", "--count", "1", fixture.queue, "--", "sh", "-c", "echo $WORKQ_REDELIVERED")
        #expect(redelivered.text == "0\n", "\(redelivered)")
    }

    @Test(
        "kill -9 at any moment loses nothing: each task is in the file or on the queue", arguments: 1...6,
        ["classic", "quorum"])
    func killed(round: Int, type: String) async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let tasks = (1...8_000).map(String.init)
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: type == "quorum" ? .quorum : .classic)
        try await fixture.publish(tasks)
        try await fixture.holds(8_000)
        let process = try fixture.start(round % 2 == 0 ? "purge" : "delete", fixture.queue, "--backup", file.path)
        try await eventually("some tasks are in the file") { file.text.utf8.count > round * 60_000 }
        process.signal(SIGKILL)
        _ = try await process.wait()
        // A classic queue has no consumer to count.
        try await eventually("the broker has noticed") {
            let saved = try file.bodies(isTorn: true).count
            return fixture.consumers() == 0 && (fixture.ready() ?? 0) + saved >= 8_000
        }
        try nothingIsLost(tasks, file, try await drain(fixture), isTorn: true)
    }

    @Test("an interrupt ends with the signal's status; what is not in the file is still on the queue")
    func interrupted() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let tasks = (1...20_000).map(String.init)
        try await fixture.publish(tasks)
        try await fixture.holds(20_000)
        // Slow enough for the signal to come in the middle of it.
        let proxy = try TCPProxy(
            upstreamPort: fixture.broker.port, mode: .throttle(bytesPerTick: 5_000, tick: .milliseconds(50)))
        defer { proxy.stop() }
        let process = try fixture.start(
            "delete", fixture.queue, "--backup", file.path, environment: proxy.environment)
        try await eventually("some tasks are in the file") { file.text.utf8.count > 100_000 }
        process.signal(SIGINT)
        proxy.mode = .pass
        let result = try await process.wait()
        #expect(result.status == 130 && result.errors.contains("interrupted"), "\(result)")
        let saved = try file.bodies()
        #expect(result.text == "\(fixture.queue)\t\(saved.count)\n" && saved.count < 20_000, "\(result)")
        try await fixture.holds(20_000 - saved.count)
        try nothingIsLost(tasks, file, try await drain(fixture))
    }

    @Test("when the file can't grow, nothing more is removed, and no half line is left")
    func fullDisk() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let tasks = (1...5_000).map(String.init)
        try await fixture.publish(tasks)
        try await fixture.holds(5_000)
        // A limit on the size of files fails as a full disk does.
        let script = """
            trap '' XFSZ; ulimit -f 300; "$0" purge "$1" --backup "$2" 2>&1; echo "status $?"
            """
        let text = try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable, fixture.queue, file.path], environment: fixture.environment)
        #expect(text.contains("file too large") && text.contains("status 3\n"), "\(text)")
        #expect(!text.contains("on the queue, too"), "what isn't durable was taken back: \(text)")
        let saved = try file.bodies()
        #expect(!saved.isEmpty && saved.count < 5_000)
        try await eventually("what wasn't saved is on the queue") { (fixture.ready() ?? 0) >= 5_000 - saved.count }
        try nothingIsLost(tasks, file, try await drain(fixture))
    }

    @Test("Q16 purges of a quorum queue that are cut short, and a restart of its node, lose no task")
    func restarted() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let tasks = (1...5_000).map(String.init)
        // It has arguments, and nobody but AMQP says of what type it is.
        try fixture.channel().declareQueue(
            ShortString(fixture.queue), type: .quorum, arguments: ["x-dead-letter-exchange": .text("")])
        // Slow enough for the signal to come in the middle of it.
        let proxy = try TCPProxy(
            upstreamPort: broker.port, mode: .throttle(bytesPerTick: 5_000, tick: .milliseconds(50)))
        defer { proxy.stop() }
        let environment = proxy.environment.merging(["WORKQ_API_URL": "http://127.0.0.1:1"]) { $1 }
        try await fixture.publish(tasks)
        try await fixture.holds(5_000)
        var saved: [String] = []
        for fault in ["full disk", "kill", "interrupt", "full disk"] {
            let file = try BackupFile()
            // A limit on the size of files fails as a full disk does.
            let script = "trap '' XFSZ; \(fault == "full disk" ? "ulimit -f 80; " : "")exec \"$0\" \"$@\""
            let process = try Shell.start(
                ["sh", "-c", script, WorkqProcess.executable, "purge", fixture.queue, "--backup", file.path],
                environment: environment)
            if fault != "full disk" {
                try await eventually("some tasks are in the file") { file.text.utf8.count > 4_000 }
                process.signal(fault == "kill" ? SIGKILL : SIGINT)
            }
            let result = try await process.wait()
            #expect(fault != "full disk" || result.status == 3, "\(result)")
            try await eventually("the broker has noticed") { fixture.consumers() == 0 }
            saved += try file.bodies(isTorn: true)
        }
        try await broker.restart()
        let rest = try await drain(fixture)
        #expect(!saved.isEmpty && !rest.isEmpty)
        try nothingIsLost(tasks, saved + rest)
    }

    @Test("tasks of a queue that gives them to another consumer only stay there, and it is told")
    func singleActiveConsumer() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        try fixture.channel().declareQueue(
            ShortString(fixture.queue), type: .quorum, arguments: ["x-single-active-consumer": .bool(true)])
        try await fixture.publish(["1", "2", "3"])
        let worker = try fixture.start("work", fixture.queue, "--prefetch", "1", "--", "sleep", "60")
        try await fixture.holds(2)
        let result = try await fixture.run("purge", fixture.queue, "--backup", file.path)
        #expect(result.status == 75 && result.errors.contains("other consumers of queue"), "\(result)")
        #expect(!file.exists)
        worker.signal(SIGKILL)
        _ = try await worker.wait()
        try await fixture.holds(3)
        let second = try await fixture.run("purge", fixture.queue, "--backup", file.path)
        #expect(second.status == 0 && second.text == "\(fixture.queue)\t3\n", "\(second)")
    }

    @Test("tasks that keep coming while their queue is backed up and deleted are saved or put on a new one")
    func publishingMeanwhile() async throws {
        let fixture = try Fixture()
        let file = try BackupFile()
        let tasks = (1...2_000).map(String.init)
        try await fixture.publish(["0"])
        try await fixture.holds(1)
        let publisher = try fixture.start(
            "publish", "--lines", "--window", "50", fixture.queue, input: .text(tasks.map { $0 + "\n" }.joined()))
        try await eventually("some are there") { (fixture.ready() ?? 0) > 100 }
        let result = try await fixture.run("delete", fixture.queue, "--backup", file.path)
        #expect(result.status == 0, "\(result)")
        let published = try await publisher.wait()
        #expect(published.status == 0, "\(published)")
        try nothingIsLost(["0"] + tasks, file, try await drain(fixture))
    }
}
