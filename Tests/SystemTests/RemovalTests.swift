// workq purge and workq delete on a real broker.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("purge and delete", .serialized, .timeLimit(.minutes(5)))
struct RemovalTests {
    @Test("purge says how many tasks it removed from each queue, and leaves the queues")
    func purge() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        try await fixture.publish(["1", "2", "3"])
        #expect(try await fixture.run("publish", "--queue-type", "quorum", other, "x").status == 0)
        try await eventually("both are there") { fixture.ready() == 3 && fixture.ready(other) == 1 }
        // A name that is given twice is one queue.
        let result = try await fixture.run("purge", fixture.queue, other, fixture.queue)
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t3\n\(other)\t1\n", "\(result)")
        #expect(fixture.ready() == 0 && fixture.ready(other) == 0)
        #expect(try await fixture.run("purge_queue", fixture.queue).text == "\(fixture.queue)\t0\n")
    }

    @Test("delete says how many tasks each queue held, and the queues are gone, quorum queues too")
    func delete() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        try await fixture.publish(["1", "2", "3"])
        #expect(try await fixture.run("publish", "--queue-type", "quorum", other, "x").status == 0)
        let result = try await fixture.run("delete_queue", fixture.queue, other)
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t3\n\(other)\t1\n", "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
        #expect(fixture.ready() == nil && fixture.ready(other) == nil)
    }

    @Test("O2 a missing queue is 65 and named; with others that could be done it is 3, a line for each")
    func missing() async throws {
        let fixture = try Fixture()
        let missing = "\(fixture.queue)-missing"
        for command in ["purge", "delete"] {
            let alone = try await fixture.run(command, missing)
            #expect(alone.status == 65 && alone.output.isEmpty, "\(alone)")
            #expect(alone.errors == "workq: there is no queue \"\(missing)\"\n", "\(alone)")
            try await fixture.publish(["1"])
            try await fixture.holds(1)
            let partly = try await fixture.run(command, missing, fixture.queue)
            #expect(partly.status == 3 && partly.text == "\(fixture.queue)\t1\n", "\(partly)")
            #expect(partly.errors == "workq: there is no queue \"\(missing)\"\n", "\(partly)")
        }
        let tolerated = try await fixture.run("delete", "--if-exists", missing)
        #expect(tolerated.status == 0 && tolerated.output.isEmpty && tolerated.errors.isEmpty, "\(tolerated)")
    }

    @Test("O1 O3 an empty name and one that RabbitMQ would alter are refused before anything connects")
    func refusedNames() async throws {
        let nowhere = ["WORKQ_URL": "amqp://127.0.0.1:1"]
        for command in ["purge", "delete"] {
            for words in [[], [""], ["a\n"], ["a\rb"], ["\u{7F}"], ["fine", ""], [String(repeating: "q", count: 256)]] {
                let result = try await WorkqProcess.run([command] + words, environment: nowhere)
                #expect(result.status == 64 && result.errors.contains("QUEUE"), "\(result)")
            }
        }
    }

    @Test("O11 a name that isn't UTF-8 is refused, not repaired", arguments: ["purge", "delete"])
    func invalidUTF8(command: String) async throws {
        let fixture = try Fixture()
        let script = "\"$0\" \(command) \"$(printf '\\377')\"; echo $?"
        let status = try await Shell.run(
            ["sh", "-c", script, WorkqProcess.executable], environment: fixture.environment)
        #expect(status == "64\n")
    }

    @Test("O3 a name is meant exactly: no pattern, no path, no percent sign, no space means anything else")
    func exactNames() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        let names =
            ["*", "#", "..", "/", "%2F", ".", " ", "ü", "u\u{308}", "日本", "🙂", "?", "$(id)", "-x", "\"", "\\n"].map {
                fixture.anotherQueue($0)
            } + [fixture.queue.padding(toLength: 255, withPad: "n", startingAt: 0)]
        for name in names + [fixture.queue] { try channel.declareQueue(ShortString(name), type: .classic) }
        for (index, name) in names.enumerated() {
            let result = try await fixture.run(index % 2 == 0 ? "delete" : "purge", "--", name)
            #expect(result.status == 0 && result.text == "\(name)\t0\n", "\(result)")
            if index % 2 == 1 { try channel.deleteQueue(ShortString(name)) }
            #expect(fixture.ready(name) == nil)
            for other in names[(index + 1)...] + [fixture.queue] {
                #expect(fixture.ready(other) == 0, "\(other) is gone with \(name)")
            }
        }
    }

    @Test("O10 what could move the cursor in a name is shown as its bytes")
    func escapes() async throws {
        let fixture = try Fixture()
        let name = fixture.anotherQueue("\u{202E}\u{9B}2J")
        let shown = "\(fixture.queue)-\\xe2\\x80\\xae\\xc2\\x9b2J"
        #expect(try await fixture.run("purge", name).errors == "workq: there is no queue \"\(shown)\"\n")
        try fixture.channel().declareQueue(ShortString(name), type: .classic)
        #expect(try await fixture.run("purge", name).text == "\(shown)\t0\n")
        #expect(try await fixture.run("delete", name).text == "\(shown)\t0\n")
    }

    @Test(
        "O4 a quorum queue is deleted by conditions, though the broker knows none for it",
        arguments: ["quorum", "classic"])
    func conditions(type: String) async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", "--queue-type", type, fixture.queue, "x").status == 0)
        try await fixture.holds(1)
        let full = try await fixture.run("delete", "--if-empty", fixture.queue)
        #expect(full.status == 65 && full.errors.contains("was not deleted: it holds 1 task"), "\(full)")
        let worker = try fixture.start("work", fixture.queue, "--", "true")
        try await eventually("the queue is empty and in use") { fixture.consumers() == 1 && fixture.ready() == 0 }
        let used = try await fixture.run("delete", "--if-unused", fixture.queue)
        #expect(used.status == 65 && used.errors.contains("was not deleted: it has 1 consumer"), "\(used)")
        try await worker.leave()
        let done = try await fixture.run("delete", "--if-unused", "--if-empty", fixture.queue)
        #expect(done.status == 0 && done.text == "\(fixture.queue)\t0\n", "\(done)")
        #expect(done.errors.contains("not supported by quorum queues") == (type == "quorum"), "\(done)")
        #expect(fixture.ready() == nil)
    }

    @Test("O4 without the management API, too, and no connection is lost over it to the next queue")
    func conditionsWithoutManagement() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        for name in [fixture.queue, other] { try fixture.channel().declareQueue(ShortString(name), type: .quorum) }
        let result = try await fixture.run(
            "delete", "--if-empty", fixture.queue, other, environment: Self.noManagement)
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t0\n\(other)\t0\n", "\(result)")
        #expect(result.errors.contains("not supported by quorum queues"), "\(result)")
    }

    private static let noManagement = ["WORKQ_API_URL": "http://127.0.0.1:1"]

    /// A stream, which only the management API creates for us.
    private func makeStream(_ name: String, on broker: ThrowawayBroker) async throws {
        try await Shell.run([
            "curl", "-sSf", "-X", "PUT", "-H", "content-type: application/json", "-d",
            "{\"durable\":true,\"arguments\":{\"x-queue-type\":\"stream\"}}", "\(broker.apiURL)/api/queues/%2F/\(name)",
        ])
    }

    @Test("a stream can't be purged, and the connection that this costs is not missed by the next queue")
    func stream() async throws {
        let fixture = try Fixture()
        let stream = fixture.anotherQueue("stream")
        let folder = try TemporaryFolder()
        try await makeStream(stream, on: fixture.broker)
        try await fixture.publish(["1"])
        try await fixture.holds(1)
        let result = try await fixture.run("purge", stream, fixture.queue)
        #expect(result.status == 3 && result.text == "\(fixture.queue)\t1\n", "\(result)")
        #expect(result.errors.contains("cannot purge queue \"\(stream)\""), "\(result)")
        let backup = try await fixture.run("purge", stream, "--backup", folder.path("file"))
        #expect(backup.status == 65 && backup.errors.contains("is a stream"), "\(backup)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("file")))
    }

    @Test("O6 purge says how many unacknowledged tasks stay, or that it can't know", .needsLiveCounts)
    func unacknowledged() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2", "3", "4", "5"])
        let channel = try fixture.channel()
        try channel.setPrefetchCount(2)
        _ = try channel.consume(ShortString(fixture.queue))
        try await fixture.holds(3)
        // The API tells who consumes a few seconds late.
        try await eventually("the consumer is listed") {
            try await fixture.run("list-queues", "--workers").text.contains(fixture.queue)
        }
        let asked = try Terminal()
        let process = try fixture.start("purge", fixture.queue, input: asked.input)
        try await process.says("[y/N]")
        let row = process.errors.split(separator: "\n").first { $0.hasPrefix(fixture.queue) } ?? ""
        #expect(row.split(separator: " ") == [Substring(fixture.queue), "3", "2", "1"], "\(process.errors)")
        #expect(process.errors.contains("\"\(fixture.queue)\" is consumed by "), "\(process.errors)")
        try asked.type("y")
        let result = try await process.wait()
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t3\n", "\(result)")
        #expect(result.errors.contains("queue \"\(fixture.queue)\": 2 tasks are unacknowledged and stay"), "\(result)")
        // They are part of what a delete would lose.
        let kept = try await fixture.run("delete", "--if-empty", fixture.queue)
        #expect(kept.status == 65 && kept.errors.contains("2 tasks of it are unacknowledged"), "\(kept)")

        let unknown = try await fixture.run("purge", fixture.queue, environment: Self.noManagement)
        #expect(unknown.status == 0 && unknown.text == "\(fixture.queue)\t0\n", "\(unknown)")
        #expect(unknown.errors.contains("how many tasks are unacknowledged isn't known"), "\(unknown)")
        let quiet = try await fixture.run("purge", "-q", fixture.queue, environment: Self.noManagement)
        #expect(quiet.status == 0 && quiet.errors.isEmpty, "\(quiet)")
    }

    @Test("O12 when nobody can be told, the status is 74 and the other queues are left alone")
    func fullOutput() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        #expect(try await fixture.run("publish", other, "x").status == 0)
        try await fixture.publish(["1"])
        try await eventually("both are there") { fixture.ready() == 1 && fixture.ready(other) == 1 }
        let status = try await Shell.run(
            [
                "sh", "-c", "\"$0\" purge \"$1\" \"$2\" > /dev/full; echo $?", WorkqProcess.executable, fixture.queue,
                other,
            ],
            environment: fixture.environment)
        #expect(status == "74\n" && fixture.ready(other) == 1)
    }

    @Test("S1 a missing permission is 77 and named, and costs the other queues nothing")
    func permission() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "secret")
        try await fixture.broker.ctl("set_permissions", user, "^\(other)$", ".*", "^\(other)$")
        for name in [fixture.queue, other] { try fixture.channel().declareQueue(ShortString(name), type: .classic) }
        let login = ["WORKQ_URL": "amqp://\(user):secret@127.0.0.1:\(fixture.broker.port)"]
        let purge = try await fixture.run("purge", fixture.queue, environment: login)
        #expect(purge.status == 77 && purge.errors.contains("read from queue \"\(fixture.queue)\""), "\(purge)")
        let delete = try await fixture.run("delete", fixture.queue, other, environment: login)
        #expect(delete.status == 3 && delete.text == "\(other)\t0\n", "\(delete)")
        #expect(delete.errors.contains("configure queue \"\(fixture.queue)\""), "\(delete)")
    }

    @Test("a broker that can't be reached is 69, with a line for each queue")
    func unreachable() async throws {
        let result = try await WorkqProcess.run(
            ["purge", "a", "b"], environment: ["WORKQ_URL": "amqp://127.0.0.1:1"], timeout: .seconds(20))
        #expect(result.status == 69 && result.output.isEmpty, "\(result)")
        for name in ["a", "b"] { #expect(result.errors.contains("queue \"\(name)\" was not purged: cannot connect")) }
    }

    @Test("when the connection breaks over a purge, it is said that it may have been done", .timeLimit(.minutes(1)))
    func lostConnection() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.acceptLogin()
            try peer.answer(.channelOpen)
            try peer.wait(for: .queuePurge)
        }
        let result = try await WorkqProcess.run(["purge", "q"], environment: peer.environment)
        #expect(result.status == 69 && result.errors.contains("may have done it all the same"), "\(result)")
    }
}
