// --check: each stage on the way to a broker, told and timed, and nothing done on the way.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("check", .serialized, .timeLimit(.minutes(5)))
struct CheckTests {
    /// Mark, stage and text of each line.
    private static func lines(_ result: WorkqProcess.Result) -> [String] {
        result.lines.map { line in
            let mark = line.prefix(8).trimmingCharacters(in: .whitespaces)
            let stage = line.dropFirst(8).prefix(10).trimmingCharacters(in: .whitespaces)
            return "\(mark) \(stage) \(line.dropFirst(29))"
        }
    }

    @Test("all is well: a line a stage, in order, with its time, and the status is 0")
    func fine() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["task"])
        let result = try await fixture.run("work", "--check", fixture.queue, "--", "true")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let lines = Self.lines(result)
        let queue = fixture.queue
        for (line, start) in zip(
            lines,
            [
                "ok name 127.0.0.1 is an address", "ok tcp 127.0.0.1 takes connections at port \(fixture.broker.port)",
                "ok tls none, on this machine", "ok login user \"guest\", by password", "ok vhost \"/\"",
                "ok broker RabbitMQ ", "ok limits heartbeats every 30s, frames of ",
            ])
        {
            #expect(line.hasPrefix(start), "\(result)")
        }
        for line in [
            "ok queue \"\(queue)\": 1 task is ready, 0 consumers", "ok right read from queue \"\(queue)\"",
            "ok right configure queue \"\(queue).retry.1s\"", "ok right configure queue \"\(queue).dead\"",
            "ok right write to exchange \"amq.default\"",
        ] {
            #expect(lines.contains(line), "\(line) in \(result)")
        }
        let api = fixture.broker.apiURL.replacing("guest:guest@", with: "")
        #expect(lines.last?.hasPrefix("ok api \(api), RabbitMQ ") == true, "\(result)")
        #expect(result.lines[1].contains(" ms  "), "\(result)")
        // Nothing was done.
        #expect(fixture.ready("\(queue).dead") == nil && fixture.ready("\(queue).retry.1s") == nil)
        let task = try #require(try await fixture.take(1).first)
        #expect(!task.redelivered)
    }

    @Test("every command checks what it needs, and changes none of it")
    func commands() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["a", "b"])
        let missing = fixture.anotherQueue("missing")
        let rows: [([String], expected: String, status: Int32)] = [
            (["publish", missing, "x"], "note queue \"\(missing)\" isn't there; publish creates it", 0),
            (["publish", missing, "--no-create"], "FAILED queue", 65),
            (["publish", "--exchange", "amq.fanout"], "? right write to exchange \"amq.fanout\"", 0),
            (["publish", "--exchange", "nowhere"], "FAILED exchange cannot find exchange \"nowhere\"", 65),
            (["purge", fixture.queue], "ok right read from queue", 0),
            (["delete", fixture.queue, missing], "FAILED queue", 65),
            (["bench"], "ok right write to exchange", 0),
            (["list-queues"], "ok api", 0),
        ]
        for row in rows {
            let result = try await WorkqProcess.run(row.0 + ["--check"], environment: fixture.environment)
            #expect(result.status == row.status && result.errors.isEmpty, "\(result)")
            #expect(Self.lines(result).contains { $0.hasPrefix(row.expected) }, "\(row.expected) in \(result)")
        }
        #expect(fixture.ready(missing) == nil)
        try await fixture.holds(2)
    }

    @Test("S1 a missing right is 77, named, and those that are there are told too")
    func rights() async throws {
        let fixture = try Fixture()
        let user = "user-\(fixture.queue)"
        try await fixture.broker.ctl("add_user", user, "canary")
        let login = [
            "WORKQ_URL": "amqp://\(user):canary@127.0.0.1:\(fixture.broker.port)",
            "WORKQ_API_URL": fixture.broker.apiURL.replacing("guest:guest@", with: ""),
        ]
        try await fixture.publish(["x"])
        for (configure, write, read) in [("^$", "^$", ".*"), (".*", "^$", "^$"), ("^$", ".*", "^$")] {
            try await fixture.broker.ctl("set_permissions", user, configure, write, read)
            let result = try await fixture.run("work", "--check", fixture.queue, environment: login)
            let lines = Self.lines(result).filter { $0.contains(" right ") }
            func mark(_ right: String) -> Substring? { lines.first { $0.contains(right) }?.split(separator: " ").first }
            #expect(mark("read from queue \"\(fixture.queue)\"") == (read == ".*" ? "ok" : "FAILED"), "\(result)")
            #expect(mark("configure queue \"\(fixture.queue).dead\"") == (configure == ".*" ? "ok" : "FAILED"))
            #expect(mark("write to exchange \"amq.default\"") == (write == ".*" ? "ok" : "FAILED"), "\(result)")
            #expect(result.status == 77 && !result.text.contains("canary") && !result.errors.contains("canary"))
            // A user without the tag management: worth a word, and no failure of a worker's.
            #expect(Self.lines(result).last?.hasPrefix("note api") == true, "\(result)")
        }
        let list = try await fixture.run("list-queues", "--check", environment: login)
        #expect(list.status == 77 && Self.lines(list).last?.hasPrefix("FAILED api") == true, "\(list)")
        try await fixture.holds(1)
    }

    @Test("what fails on the way ends it at its stage, with the status that it has elsewhere")
    func failures() async throws {
        let fixture = try Fixture()
        let port = fixture.broker.port
        let rows: [(url: String, line: String, status: Int32)] = [
            ("amqp://u:canary@workq.invalid", "FAILED name cannot connect to amqp://workq.invalid:5672", 69),
            ("amqp://guest:canary@127.0.0.1:1", "FAILED tcp cannot connect to amqp://127.0.0.1:1: connection", 69),
            ("amqp://guest:canary@127.0.0.1:\(port)", "FAILED login", 77),
            ("amqp://guest:guest@127.0.0.1:\(port)/nowhere", "FAILED vhost", 77),
            ("amqps://guest:guest@127.0.0.1:\(port)", "FAILED tls", 78),
        ]
        for row in rows {
            let result = try await fixture.run(
                "publish", "--check", "q", "--connect-timeout", "10s", environment: ["WORKQ_URL": row.url])
            #expect(result.status == row.status, "\(result)")
            #expect(Self.lines(result).contains { $0.hasPrefix(row.line) }, "\(row.line) in \(result)")
            #expect(!result.text.contains("canary") && !result.errors.contains("canary"), "\(result)")
        }
    }

    @Test("of several nodes each is tried, and the one that answers hides no other")
    func nodes() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", "--check", fixture.queue, "--url", "amqp://guest:guest@127.0.0.1:1", "--url", fixture.broker.url)
        let lines = Self.lines(result)
        #expect(result.status == 69 && lines.contains { $0.hasPrefix("FAILED tcp") }, "\(result)")
        #expect(lines.contains { $0.hasPrefix("ok login") } && lines.contains { $0.hasPrefix("ok right write") })
    }

    /// A broker that says this of itself, and answers every question.
    private static func peer(product: String, version: String) throws -> ScriptedPeer {
        try ScriptedPeer(timeout: .seconds(30)) { peer in
            let properties = AMQPTable.text("product", product) + AMQPTable.text("version", version)
            try peer.acceptLogin(
                serverProperties: properties + AMQPTable.text("cluster_name", "a\u{1B}[2Jb"))
            try peer.serveUntilClosed()
        }
    }

    @Test("what RabbitMQ 4 limits is told, and O10 what a broker calls itself is shown, not obeyed")
    func limits() async throws {
        let peer = try Self.peer(product: "RabbitMQ", version: "4.1.2")
        let result = try await WorkqProcess.run(["bench", "--check"], environment: peer.environment)
        let lines = Self.lines(result)
        #expect(lines.contains("ok broker RabbitMQ 4.1.2, cluster a\\x1b[2Jb"), "\(result)")
        #expect(lines.contains { $0.hasPrefix("ok limits tasks of up to 16 MiB") }, "\(result)")
        #expect(lines.contains { $0.hasPrefix("ok limits quorum queues give a task up after 20 returns") }, "\(result)")
    }

    @Test("of another broker than RabbitMQ rights are asked for by nothing that it might do")
    func otherBroker() async throws {
        let peer = try Self.peer(product: "Another", version: "2.0")
        let result = try await WorkqProcess.run(
            ["work", "q", "--check", "--connect-timeout", "8s"], environment: peer.environment)
        let lines = Self.lines(result)
        #expect(result.status == 0 && lines.contains("ok queue \"q\": 0 tasks are ready, 0 consumers"), "\(result)")
        #expect(lines.contains { $0.hasPrefix("? right read from queue \"q\": only RabbitMQ tells") }, "\(result)")
        #expect(lines.contains { $0.hasPrefix("? right write to exchange \"amq.default\"") }, "\(result)")
    }

    @Test("standard output that can't be written is 74, and a bad command line is what it is without --check")
    func mistakes() async throws {
        let fixture = try Fixture()
        let command = "'\(WorkqProcess.executable)' publish --check q 2>&1 >/dev/full; echo $?"
        let full = try await Shell.run(["sh", "-c", command], environment: fixture.environment)
        #expect(full.contains("cannot write to standard output") && full.hasSuffix("74\n"), "\(full)")
        let url = try await fixture.run("publish", "--check", "q", environment: ["WORKQ_URL": "amqp://u:canary@h:x"])
        let long = String(repeating: "q", count: 250)
        for words in [["publish", ""], ["publish", "amqp://u:canary@h"], ["work", long]] {
            let result = try await WorkqProcess.run(words + ["--check"], environment: fixture.environment)
            #expect(result.status == 64 && result.output.isEmpty && !result.errors.contains("canary"), "\(result)")
        }
        #expect(url.status == 64 && url.output.isEmpty && !url.errors.contains("canary"), "\(url)")
    }
}
