// The spool: no task that publish exited 0 for is ever lost, whatever dies when.

import Foundation
import TestSupport
import Testing

@Suite("spool", .serialized, .timeLimit(.minutes(5)))
struct SpoolTests {
    private static let nobody = ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"]

    private func keep(_ arguments: String..., input: WorkqProcess.Input = .nothing) async throws {
        let result = try await WorkqProcess.run(
            ["publish", "--spool-name", "c"] + arguments, input: input, environment: Self.nobody)
        try #require(result.status == 0 && result.errors.contains("kept in"), "\(result)")
    }

    @Test("tasks that were kept come first, oldest first, with their properties and ids, to queues that are created")
    func order() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let spool = folder.path("spool")
        let bytes: [UInt8] = [0, 0xFF, 0x0A, 0x22]
        try await keep("--spool", spool, fixture.queue, "1", "--message-id", "m1", "--header", "n:=1")
        try await keep("--spool", spool, fixture.queue, "-l", input: .text("2\n3\n"))
        try await keep("--spool", spool, fixture.queue, input: .bytes(bytes))
        let result = try await fixture.run("publish", "--spool-name", "c", "--spool", spool, fixture.queue, "5", "-v")
        #expect(result.status == 0 && result.errors.contains("4 from the spool"), "\(result)")
        let deliveries = try await fixture.take(5)
        #expect(deliveries.map(\.body) == [[0x31], [0x32], [0x33], bytes, [0x35]])
        #expect(deliveries[0].properties.messageID == "m1" && deliveries[0].properties.headers == ["n": .int64(1)])
        #expect(Set(deliveries.map { $0.properties.messageID }).count == 5)
        #expect(folder.files(in: "spool") == ["delivery.lock", "lock"])
    }

    @Test("--flush delivers to many queues, and says what stays behind and why")
    func flush() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let other = fixture.anotherQueue("other")
        try await keep("--spool", folder.path, fixture.queue, "--no-create", "1")
        try await keep("--spool", folder.path, other, "2")
        try await keep("--spool", folder.path, fixture.queue, "--no-create", "3")
        let away = try await WorkqProcess.run(
            ["publish", "--flush", "--spool", folder.path, "--spool-name", "c"], environment: Self.nobody)
        #expect(away.status == 69 && away.errors.contains("stay in \(folder.path)"), "\(away)")
        let partly = try await fixture.run("publish", "--spool-name", "c", "--flush", "--spool", folder.path)
        #expect(
            partly.status == 3 && partly.errors.contains("2 tasks for queue \"\(fixture.queue)\" stay in"), "\(partly)")
        try await eventually("the other queue has its task") { fixture.ready(other) == 1 }
        #expect(folder.segments.count == 2)
        try fixture.channel().declareQueue(.init(fixture.queue), type: .classic)
        let rest = try await fixture.run("publish", "--spool-name", "c", "--flush", "--spool", folder.path, "-v")
        #expect(rest.status == 0 && rest.errors.contains("2 tasks delivered"), "\(rest)")
        #expect(try await fixture.run("work", "--drain", fixture.queue).text == "1\n3\n")
        #expect(try await fixture.run("publish", "--spool-name", "c", "--flush", "--spool", folder.path).status == 0)
    }

    @Test("a torn file is set aside and told, foreign files are left alone, and everything else is delivered")
    func torn() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        for number in 1...3 { try await keep("--spool", folder.path, fixture.queue, "\(number)") }
        let torn = folder.read(folder.segments[1]).dropLast(10)
        try folder.write(String(torn), to: folder.segments[1])
        let foreign = ["foreign.tasks", "notes.tmp", "9223372036854775807.tasks"]
        for name in foreign { try folder.write("something else", to: name) }
        try folder.write("", to: "000000000002.tasks.tmp")
        let result = try await fixture.run("publish", "--spool-name", "c", "--spool", folder.path, fixture.queue, "4")
        #expect(result.status == 3, "\(result)")
        #expect(result.errors.contains("000000000002.tasks: it has"), "\(result)")
        #expect(try await fixture.run("work", "--drain", fixture.queue).text == "1\n3\n4\n")
        #expect(folder.files.filter { $0.hasSuffix(".bad") } == ["000000000002.tasks.bad"])
        // A name is never given twice, and what a crash left is gone with the next task.
        try await keep("--spool", folder.path, fixture.queue, "5")
        #expect(folder.files.contains("000000000003.tasks") && !folder.files.contains("000000000002.tasks.tmp"))
        #expect(foreign.allSatisfy { folder.read($0) == "something else" }, "\(folder.files)")
    }

    @Test("M3 a task that the broker will never take is set aside, and doesn't hold the others up")
    func refusedTask() async throws {
        let folder = try TemporaryFolder()
        try await keep("--spool", folder.path, "queue", "--lines", input: .text("1\nlarge\n3\n"))
        let peer = try ScriptedPeer(timeout: .seconds(30)) { peer in
            let refusal = "PRECONDITION_FAILED - not this one"
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            try peer.expectTasks(2)
            try peer.closeChannel(406, refusal)
            try peer.wait(for: .channelCloseOK)
            // Nobody knows which of the two it was, so now they come one by one.
            let second = try peer.accept()
            try second.acceptPublisher()
            let large = try second.expectPublish()
            try second.check(large.text == "large", "the older task first: \(large.text)")
            try second.closeChannel(406, refusal)
            try second.wait(for: .channelCloseOK)
            let third = try peer.accept()
            try third.acceptPublisher()
            let last = try third.expectPublish()
            try third.check(last.text == "3", "the task behind: \(last.text)")
            try third.ack(1)
            try third.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["publish", "--flush", "--spool", folder.path, "--spool-name", "c"], environment: peer.environment)
        #expect(result.status == 3 && result.errors.contains("is set aside as"), "\(result) \(peer.failure ?? "")")
        #expect(folder.segments.isEmpty, "\(folder.files)")
        let aside = folder.files.filter { $0.hasSuffix(".refused") }
        #expect(aside.count == 1 && folder.read(aside.first ?? "").contains("\"body\":\"large\""), "\(folder.files)")
    }

    @Test("N1 a connection lost in mid-stream: the rest is kept, nothing is lost, only the unknown may come twice")
    func lostConnection() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, mode: .cut(after: 60_000, .toUpstream))
        let numbers = (1...2_000).map(String.init)
        let result = try await WorkqProcess.run(
            ["publish", "-l", fixture.queue, "--spool", folder.path, "--spool-name", "c", "--print-id"],
            input: .text(numbers.map { $0 + "\n" }.joined()), environment: proxy.environment)
        #expect(result.status == 0 && result.errors.contains("are kept in"), "\(result)")
        #expect(Set(result.lines).count == 2_000)
        #expect(try await fixture.run("publish", "--spool-name", "c", "--flush", "--spool", folder.path).status == 0)
        let ready = try #require(fixture.ready())
        let deliveries = try await fixture.take(ready)
        #expect(Set(deliveries.map { String(decoding: $0.body, as: UTF8.self) }) == Set(numbers))
        // What came twice has the same id both times.
        #expect(Set(deliveries.map { $0.properties.messageID?.description }) == Set(result.lines))
    }

    @Test("a broker that takes nothing, or not this user: nothing is kept, and the status says what it is")
    func noOutage() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let login = try await WorkqProcess.run(
            ["publish", "q", "x", "--spool", folder.path],
            environment: ["WORKQ_URL": "amqp://nobody:wrong@127.0.0.1:\(fixture.broker.port)"])
        #expect(login.status == 77 && folder.segments.isEmpty, "\(login)")
        try fixture.channel().declareQueue(
            .init(fixture.queue), type: .classic,
            arguments: ["x-max-length": .int32(0), "x-overflow": .text("reject-publish")])
        let full = try await fixture.run("publish", "--spool-name", "c", fixture.queue, "x", "--spool", folder.path)
        #expect(full.status == 75 && folder.segments.isEmpty, "\(full)")
    }

    @Test("when the spool can't be delivered for a reason that lasts, the task at hand is told and written down too")
    func lastingTrouble() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await keep("--spool", folder.path, "q", "kept")
        let result = try await WorkqProcess.run(
            ["publish", "q", "new", "--spool", folder.path, "--spool-name", "c", "--unsent", folder.path("unsent")],
            environment: ["WORKQ_URL": "amqp://nobody:wrong@127.0.0.1:\(fixture.broker.port)"])
        #expect(result.status == 77 && result.errors.contains("task not confirmed on queue \"q\""), "\(result)")
        #expect(folder.read("unsent") == "new" && folder.segments.count == 1, "\(folder.files)")
    }

    @Test("a disk that is full is 73, and nothing is half there")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" publish q --spool \"$1\" < \"$2\""
        let large = try folder.write([UInt8](repeating: 0x61, count: 100_000), to: "large")
        let spool = folder.path("spool")
        let status = try await Shell.run(
            [
                "sh", "-c",
                "(\(script)) 2> \"$3\"; echo $?", WorkqProcess.executable, spool, large, folder.path("errors"),
            ], environment: Self.nobody)
        #expect(status == "73\n", "\(status) \(folder.read("errors"))")
        #expect(folder.read("errors").contains("cannot write"), "\(folder.read("errors"))")
        #expect(folder.files(in: "spool") == ["delivery.lock", "lock"])
    }

    @Test("guards count what the spool holds while the broker is away")
    func guards() async throws {
        let folder = try TemporaryFolder()
        try await keep("--spool", folder.path, "q", "x", "--unless-queued")
        let second = try await WorkqProcess.run(
            ["publish", "--spool", folder.path, "--spool-name", "c", "q", "x", "--unless-queued"],
            environment: Self.nobody)
        #expect(second.status == 0 && second.errors.isEmpty && folder.segments.count == 1, "\(second)")
        try await keep("--spool", folder.path, "other", "x", "--unless-queued")
        #expect(folder.segments.count == 2)
    }

    @Test("N1 kill -9 at any moment of keeping and delivering: what publish exited 0 for is delivered")
    func killed() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 11)
        var promised: [String] = []
        var sent: Set<String> = []
        for round in 0..<60 {
            // Now the broker is there, now it isn't, and half of the processes are killed.
            let isAway = round % 3 != 2
            let tasks = (0..<Int.random(in: 1...3_000, using: &generator)).map { "\(round)-\($0)" }
            let publish = try WorkqProcess(
                ["publish", "-l", fixture.queue, "--spool", folder.path, "--spool-name", "c"],
                input: .text(tasks.map { $0 + "\n" }.joined()),
                environment: isAway ? Self.nobody : fixture.environment)
            sent.formUnion(tasks)
            if round % 2 == 0 {
                try await Task.sleep(for: .microseconds(Int.random(in: 1_000...60_000, using: &generator)))
                publish.signal(SIGKILL)
            }
            if try await publish.wait().status == 0 { promised += tasks }
        }
        let rest = try await fixture.run("publish", "--spool-name", "c", "--flush", "--spool", folder.path)
        #expect(rest.status == 0 && folder.segments.isEmpty, "\(rest)")
        #expect(!folder.files.contains { $0.hasSuffix(".bad") }, "\(folder.files)")
        let seen = Set(try await fixture.run("work", "--drain", fixture.queue).lines)
        #expect(
            promised.count > 1_000 && seen.isSuperset(of: promised), "lost \(Set(promised).subtracting(seen).count)")
        #expect(sent.isSuperset(of: seen))
    }

    @Test("many processes share a spool: each task is delivered once")
    func shared() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let keepers = try (0..<8).map { number in
            try WorkqProcess(
                ["publish", "-l", fixture.queue, "--spool", folder.path, "--spool-name", "c"],
                input: .text((0..<500).map { "\(number)-\($0)\n" }.joined()), environment: Self.nobody)
        }
        for keeper in keepers { #expect(try await keeper.wait().status == 0) }
        let deliverers = try (0..<4).map { number in
            try fixture.start("publish", fixture.queue, "last-\(number)", "--spool", folder.path, "--spool-name", "c")
        }
        for deliverer in deliverers { #expect(try await deliverer.wait().status == 0) }
        let seen = try await fixture.run("work", "--drain", fixture.queue).lines
        #expect(seen.count == 4_004 && Set(seen).count == 4_004)
        #expect(folder.segments.isEmpty)
    }
}

extension TemporaryFolder {
    /// The names of the spool's segments, oldest first.
    fileprivate var segments: [String] { files.filter { $0.hasSuffix(".tasks") } }

    fileprivate func files(in name: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.path(name))) ?? []).sorted()
    }
}
