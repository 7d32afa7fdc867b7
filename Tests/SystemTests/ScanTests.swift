// Looking at tasks where they are, and choosing among them: nothing is lost, and nothing changes its place.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("peek, where and move-back", .timeLimit(.minutes(5)))
struct ScanTests {
    /// A queue of that type with the tasks 1 to `count`.
    private func fixture(_ type: String, tasks count: Int) async throws -> Fixture {
        let fixture = try Fixture()
        let text = (1...count).map { "\($0)\n" }.joined()
        let result = try await fixture.run(
            "publish", "--lines", "--queue-type", type, "--header", "origin=test", fixture.queue, input: .text(text))
        try #require(result.status == 0, "\(result)")
        try await fixture.holds(count)
        return fixture
    }

    private func drained(_ fixture: Fixture) async throws -> [Int] {
        try await fixture.run("work", "--drain", fixture.queue).lines.compactMap { Int($0) }
    }

    @Test(
        "a look shows the first tasks with all that they have, and changes nothing", arguments: ["classic", "quorum"])
    func peek(type: String) async throws {
        let fixture = try await fixture(type, tasks: 30)
        for (words, count) in [(["--peek"], 10), (["--peek", "3"], 3), (["--peek=100"], 30)] {
            let result = try await WorkqProcess.run(
                ["work"] + words + [fixture.queue], environment: fixture.environment)
            #expect(result.status == 0 && result.lines.count == count, "\(result)")
            #expect(result.lines.first?.contains(#""body":"1","headers":{"origin":"test""#) == true, "\(result)")
            try await fixture.holds(30)
        }
        let chosen = try await fixture.run("work", fixture.queue, "--peek", "2", "-0", "--where", "body =~ '5$'")
        #expect(chosen.text == "5\u{0}15\u{0}", "\(chosen)")
        #expect(try await drained(fixture) == Array(1...30))
        let empty = try await fixture.run("work", fixture.queue, "--peek")
        #expect(empty.status == 0 && empty.output.isEmpty, "\(empty)")
        let stream = fixture.anotherQueue("stream")
        try fixture.channel().declareQueue(ShortString(stream), type: nil, arguments: ["x-queue-type": .text("stream")])
        for look in [["--peek"], ["--where", "size > 1"], ["--move-back"]] {
            let refused = try await WorkqProcess.run(["work", stream] + look, environment: fixture.environment)
            #expect(refused.status == 65 && refused.errors.contains("it is a stream"), "\(refused)")
        }
        let missing = try await fixture.run("work", fixture.anotherQueue("missing"), "--peek")
        #expect(missing.status == 65 && fixture.ready("\(fixture.queue)-missing") == nil, "\(missing)")
    }

    @Test("what matches is moved or printed, and the rest keeps its order", arguments: ["classic", "quorum"])
    func choosing(type: String) async throws {
        let fixture = try await fixture(type, tasks: 10_000)
        let other = fixture.anotherQueue("other")
        let moved = try await fixture.run(
            "work", fixture.queue, "-v", "--where", "body =~ '7$' and header.origin == 'test'", "--move-to", other)
        #expect(moved.status == 0 && moved.errors.contains("1000 taken, 9000 left in place"), "\(moved)")
        try await eventually("all are there") { fixture.ready(other) == 1_000 && fixture.ready() == 9_000 }
        let printed = try await fixture.run("work", fixture.queue, "--ndjson", "--where", "size == 1", "--count", "5")
        #expect(printed.lines.count == 5 && printed.text.hasPrefix("{\"body\":\"1\""), "\(printed)")
        try await fixture.holds(8_995)
        let none = try await fixture.run("work", fixture.queue, "--where", "header.origin != 'test' or age > 1h")
        #expect(none.status == 0 && none.output.isEmpty, "\(none)")
        try await fixture.holds(8_995)
        let rest = try await drained(fixture)
        #expect(rest == (1...10_000).filter { $0 % 10 != 7 && $0 > 5 }, "\(rest.count) \(rest.prefix(20))")
    }

    @Test("Q16 passes over a quorum queue that has arguments, and a restart of its node, lose no task")
    func restarted() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        let text = (1...1_000).map { "\($0)\n" }.joined()
        let result = try await fixture.run(
            "publish", "--lines", "--queue-type", "quorum", "--queue-arg", "x-overflow=reject-publish", "--queue-arg",
            "x-dead-letter-exchange=", fixture.queue, input: .text(text))
        try #require(result.status == 0, "\(result)")
        try await fixture.holds(1_000)
        var taken: [Int] = []
        for digit in [3, 5, 8] {
            let pass = try await fixture.run("work", fixture.queue, "--where", "body =~ '\(digit)$'")
            #expect(pass.status == 0 && pass.lines.count == 100, "\(pass)")
            taken += pass.lines.compactMap { Int($0) }
        }
        try await fixture.holds(700)
        try await broker.restart()
        let rest = try await drained(fixture)
        #expect(rest == (1...1_000).filter { ![3, 5, 8].contains($0 % 10) }, "\(rest.count) \(rest.prefix(20))")
        #expect(Set(taken + rest) == Set(1...1_000))
    }

    @Test(
        "a pass that is ended at any moment loses nothing, with a worker beside it",
        arguments: ["classic", "quorum"], [SIGTERM, SIGKILL])
    func interrupted(type: String, signal: Int32) async throws {
        let fixture = try await fixture(type, tasks: 5_000)
        let other = fixture.anotherQueue("other")
        let folder = try TemporaryFolder()
        var generator = SeededGenerator()
        let worker = try fixture.start(
            "work", fixture.queue, "-j2", "--", "sh", "-c", "n=$(cat); echo \"$n\" >> \"$0\"", folder.path("done"))
        for _ in 1...4 {
            let pass = try fixture.start("work", fixture.queue, "--where", "body =~ '3$'", "--move-to", other)
            try await Task.sleep(for: .milliseconds(.random(in: 20...400, using: &generator)))
            pass.signal(signal)
            let result = try await pass.wait()
            #expect([0, 65, 128 + signal].contains(result.status), "\(result)")
        }
        worker.signal(SIGTERM)
        #expect(try await worker.wait().status == 0)
        var seen = Set(folder.read("done").split(separator: "\n").compactMap { Int($0) })
        for queue in [fixture.queue, other] {
            // A connection that was killed gives its tasks back a moment later.
            try await eventually("all of \(queue) are there", within: .seconds(60)) {
                seen.formUnion(try await fixture.run("work", "--drain", queue).lines.compactMap { Int($0) })
                return queue == other || seen.count + (fixture.ready(other) ?? 0) >= 5_000
            }
        }
        #expect(seen == Set(1...5_000), "\(5_000 - seen.count) are lost")
    }

    @Test("under an alarm a pass says why it waits, and a signal ends it within seconds")
    func alarm() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker() }
        let fixture = try Fixture(broker)
        try await fixture.publish(["1", "2", "3"])
        try await broker.ctl("set_vm_memory_high_watermark", "0.00001")
        let pass = try fixture.start(
            "work", fixture.queue, "--where", "size > 0", "--move-to", fixture.anotherQueue("other"))
        try await pass.says("blocked by broker: low on memory")
        pass.signal(SIGINT)
        let (result, time) = try await pass.end(within: .seconds(40))
        #expect(result.status == 128 + SIGINT && time < .seconds(20), "\(time) \(result)")
        #expect(result.errors.contains("interrupted. What wasn't taken is still in its place"), "\(result)")
        try await fixture.holds(3)
        try await broker.stop()
    }

    @Test("dead letters go back to where they failed, start anew, and others stay")
    func moveBack() async throws {
        let fixture = try await fixture("classic", tasks: 4)
        let dead = "\(fixture.queue).dead"
        let failed = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "1", "--drain", "-q", "--", "sh", "-c", "exit 65")
        #expect(failed.status == 1, "\(failed)")
        #expect(try await fixture.run("publish", dead, "stranger").status == 0)
        let seen = try await fixture.run("work", dead, "--peek", "--where", #"x-workq-reason == "status 65""#)
        #expect(seen.lines.count == 4 && seen.text.contains("\"x-workq-reason\":\"status 65\""), "\(seen)")
        let back = try await fixture.run("work", dead, "--move-back", "--where", "body != '2'")
        #expect(back.status == 0 && back.errors.contains("1 task of queue \"\(dead)\" doesn't say"), "\(back)")
        try await eventually("they are back") { fixture.ready() == 3 && fixture.ready(dead) == 2 }
        let again = try await fixture.run(
            "work", fixture.queue, "--drain", "--", "sh", "-c",
            "cat; echo \" $WORKQ_ATTEMPT $WORKQ_HEADER_X_WORKQ_REASON\"")
        #expect(again.lines == ["1 1 ", "3 1 ", "4 1 "], "\(again)")
        _ = try await fixture.run("delete", fixture.queue, "--yes")
        let homeless = try await fixture.run("work", dead, "--move-back")
        #expect(homeless.status == 65 && fixture.ready(dead) == 2, "\(homeless)")
    }

    @Test("tasks go to another vhost, are confirmed there, and stay here where that can't be reached")
    func otherVhost() async throws {
        let fixture = try await fixture("classic", tasks: 20)
        let folder = try TemporaryFolder()
        let vhost = "vhost-\(fixture.queue)"
        try await fixture.broker.ctl("add_vhost", vhost)
        try await fixture.broker.ctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
        let url = "amqp://guest:guest@127.0.0.1:\(fixture.broker.port)/\(vhost)"
        try folder.write(url, to: "url")
        chmod(folder.path("url"), 0o600)
        let away = try await fixture.run(
            "work", fixture.queue, "--move-to", fixture.queue, "--to-url", "amqp://127.0.0.1:1", "--where", "size > 0")
        #expect(away.status == 69, "\(away)")
        try await fixture.holds(20)
        let chosen = try await fixture.run(
            "work", fixture.queue, "--move-to", fixture.queue, "--to-url", "@\(folder.path("url"))", "--where",
            "size == 1")
        #expect(chosen.status == 0 && chosen.errors.isEmpty, "\(chosen)")
        let all = try await fixture.run(
            "work", fixture.queue, "--move-to", fixture.queue, "--to-url", url, "--drain")
        #expect(all.status == 0, "\(all)")
        let there = try await fixture.run("work", "-u", url, fixture.queue, "--drain")
        #expect(there.lines.compactMap { Int($0) } == Array(1...20), "\(there)")
        try await fixture.broker.ctl("delete_vhost", vhost)
    }

    @Test("the password of WORKQ_PASSWORD_FILE is for the broker that tasks come from, and never offered to the target")
    func targetPassword() async throws {
        let fixture = try await fixture("classic", tasks: 3)
        let folder = try TemporaryFolder()
        let (here, there) = ("here-\(fixture.queue)", "there-\(fixture.queue)")
        for (user, password) in [(here, "one"), (there, "two")] {
            try await fixture.broker.ctl("add_user", user, password)
            try await fixture.broker.ctl("set_permissions", user, ".*", ".*", ".*")
        }
        try folder.write("one\n", to: "password")
        let port = fixture.broker.port
        let environment = [
            "WORKQ_PASSWORD_FILE": folder.path("password"), "WORKQ_URL": "amqp://\(here)@127.0.0.1:\(port)",
        ]
        let target = fixture.anotherQueue("target")
        func move(_ url: String) async throws -> WorkqProcess.Result {
            try await WorkqProcess.run(
                ["work", fixture.queue, "--move-to", target, "--to-url", url, "--drain"], environment: environment)
        }
        // Its user has another password, so with that of the file this would be refused.
        let moved = try await move("amqp://\(there):two@127.0.0.1:\(port)")
        #expect(moved.status == 0 && fixture.ready(target) == 3, "\(moved)")
        // Without a password of its own there is none, even where the file's would do.
        let without = try await move("amqp://\(here)@127.0.0.1:\(port)")
        #expect(without.status == 64 && without.errors.contains("password"), "\(without)")
        for user in [here, there] { try await fixture.broker.ctl("delete_user", user) }
    }

    @Test("tasks go from one broker to another, are confirmed there, and stay here while that one is away")
    func otherBroker() async throws {
        let fixture = try await fixture("quorum", tasks: 2_000)
        let there = try await onOwnThread { try ThrowawayBroker() }
        let target = try Fixture(there)
        let folder = try TemporaryFolder()
        try folder.write(target.environment["WORKQ_URL"] ?? "", to: "url")
        func move(_ words: String...) async throws -> WorkqProcess.Result {
            let to = ["--move-to", "copies", "--to-url", "@\(folder.path("url"))"]
            return try await WorkqProcess.run(
                ["work", fixture.queue] + to + words, environment: fixture.environment)
        }
        let chosen = try await move("--where", "size == 1")
        #expect(chosen.status == 0 && chosen.errors.isEmpty, "\(chosen)")
        try await there.ctl("stop_app")
        let away = try await move("--drain", "--retry-for", "1s")
        #expect(away.status == 69, "\(away)")
        try await fixture.holds(1_991)
        try await there.ctl("start_app")
        let all = try await move("--drain")
        #expect(all.status == 0, "\(all)")
        let copies = try await target.run("work", "copies", "--drain")
        #expect(copies.lines.compactMap { Int($0) } == Array(1...2_000), "\(copies.status) \(copies.errors)")
        let left = try await fixture.run("work", fixture.queue, "--drain")
        #expect(left.lines.isEmpty, "\(left)")
    }

    @Test("counts are kept in a file for Prometheus; one that can't be written is 73")
    func metrics() async throws {
        let fixture = try await fixture("classic", tasks: 5)
        let folder = try TemporaryFolder()
        let result = try await fixture.run(
            "work", fixture.queue, "--metrics-file", folder.path("w.prom"), "--on-exit", "3=dead-letter", "--drain",
            "--", "sh", "-c", "read -r n; [ \"$n\" != 3 ] || exit 3")
        #expect(result.status == 1, "\(result)")
        let text = folder.read("w.prom")
        let label = "queue=\"\(fixture.queue)\""
        #expect(text.contains("\nworkq_tasks_total{\(label),verdict=\"ack\"} 4\n"), "\(text)")
        #expect(text.contains("workq_tasks_total{\(label),verdict=\"dead-letter\"} 1\n"), "\(text)")
        #expect(text.contains("# TYPE workq_tasks_total counter\n") && text.hasSuffix("\n"), "\(text)")
        #expect(folder.files == ["w.prom"], "\(folder.files)")
        let refused = try await fixture.run("work", fixture.queue, "--metrics-file", folder.path("no/w.prom"))
        #expect(refused.status == 73, "\(refused)")
    }

    @Test("tasks start at the rate that is asked for")
    func rate() async throws {
        let fixture = try await fixture("classic", tasks: 6)
        let worker = try fixture.start("work", fixture.queue, "--rate", "2/s", "--drain", "--", "cat")
        let (result, time) = try await worker.end(within: .seconds(30))
        #expect(result.status == 0 && result.text == "123456", "\(result)")
        #expect(time > .seconds(2.4), "\(time)")
    }

    @Test("a worker with a higher priority gets the tasks")
    func priority() async throws {
        let fixture = try await fixture("classic", tasks: 1)
        #expect(try await drained(fixture) == [1])
        let (low, high) = (
            try fixture.start("work", fixture.queue, "--consumer-priority", "-5"),
            try fixture.start("work", fixture.queue, "--consumer-priority", "7")
        )
        try await eventually("both consume") { fixture.consumers() == 2 }
        try await fixture.publish((1...20).map(String.init))
        try await eventually("all are printed") { high.output.split(separator: "\n").count == 20 }
        #expect(low.output.isEmpty)
        try await low.leave()
        try await high.leave()
    }

    @Test(
        "what doesn't go together is a usage error that says so",
        arguments: [
            ["--peek", "--drain"], ["--peek", "--count", "3"], ["--peek", "0"], ["--peek", "--", "cat"],
            ["--where", "bdy == 'x'"], ["--where", "size >"], ["--where", "size > 1", "--", "cat"],
            ["--move-back", "--move-to", "x"], ["--to-url", "amqp://h"], ["--ndjson", "-0"], ["--rate", "0/s"],
            ["--where", "body =~ '('"], ["--consumer-priority", "high"], ["--move-back", "--rate", "1/s"],
        ])
    func usage(words: [String]) async throws {
        let result = try await WorkqProcess.run(
            ["work", "queue"] + words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains("work: "), "\(result)")
    }
}
