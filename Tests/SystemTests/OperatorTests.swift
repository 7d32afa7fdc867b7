// What operators ask queues: conditions on texts and ages, who works, and answers for programs.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("operators' questions", .serialized, .timeLimit(.minutes(5)))
struct OperatorTests {
    /// Lists again until the result is as it should be: statistics come every 5 seconds.
    private func list(
        _ fixture: Fixture, _ words: String..., until isDone: (WorkqProcess.Result) throws -> Bool
    ) async throws -> WorkqProcess.Result {
        var result: WorkqProcess.Result
        let start = ContinuousClock.now
        repeat {
            result = try await WorkqProcess.run(["list-queues"] + words, environment: fixture.environment)
            if try isDone(result) { break }
            try await Task.sleep(for: .milliseconds(250))
        } while ContinuousClock.now - start < .seconds(60)
        return result
    }

    @Test("--where shows, checks and waits for those queues alone of which it holds", .needsLiveCounts)
    func condition() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        try await fixture.publish(["1", "2"])
        #expect(try await fixture.run("publish", "--queue-type", "quorum", other, "x").status == 0)
        try await eventually("both are there") { fixture.ready() == 2 && fixture.ready(other) == 1 }
        let mine = "name =~ \"^\(fixture.queue)\""
        for (expression, names) in [
            (mine, [fixture.queue, other]), ("\(mine) and type == 'classic'", [fixture.queue]),
            ("\(mine) and type != \"classic\"", [other]), ("name == '\(other)'", [other]),
            ("\(mine) and name !~ 'other$' and durable == true", [fixture.queue]),
            ("\(mine) and messages > 1", [fixture.queue]), ("\(mine) and messages > 9", []),
        ] {
            let result = try await fixture.list("-s", "--where", expression, "name")
            #expect(result.status == 0 && result.lines == names && result.errors.isEmpty, "\(result)")
        }
        let check = try await fixture.list("--where", "\(mine) and type == 'classic'", "--crit", "messages > 1")
        #expect(check.status == 2 && check.text.contains("CRITICAL - \(fixture.queue): messages 2 |"), "\(check)")
        let fine = try await fixture.list("--where", "name == '\(other)'", "--crit", "messages > 1")
        #expect(fine.status == 0 && fine.text.hasPrefix("QUEUES OK - 1 queue |"), "\(fine)")
        let wait = try await fixture.list("--where", "name == '\(fixture.queue)'", "--wait", "messages == 2")
        #expect(wait.status == 0, "\(wait)")
        // Which queues an old figure leaves out can't be known at once.
        let unsure = try await fixture.list(
            "--where", "\(mine) and messages > 1", "--wait", "messages == 2", "--deadline", "5s")
        #expect(unsure.status == 75 && unsure.errors.contains("may be 5 seconds old"), "\(unsure)")
    }

    @Test("--watch shows the queues of which --where holds, by counts and by statistics, as they begin to and cease to")
    func watchWhere() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let watch = try fixture.start(
            "list-queues", "--watch", "--interval", "200ms", "--where",
            "name == '\(fixture.queue)' and messages_ready > 2 and consumers == 0")
        func lastSample() -> String { watch.output.split(separator: "\n").last.map(String.init) ?? "" }
        try await eventually("a sample without the queue: \(watch.errors)") { lastSample().hasSuffix("\"queues\":[]}") }
        try await fixture.publish(["3"])
        try await eventually("it begins to hold") { lastSample().contains("\"name\":\"\(fixture.queue)\"") }
        let worker = try fixture.start("work", fixture.queue, "--no-create", "--", "sleep", "60")
        try await eventually("its statistics tell of a consumer") { lastSample().hasSuffix("\"queues\":[]}") }
        worker.signal(SIGKILL)
        watch.signal(SIGINT)
        let result = try await watch.wait()
        #expect(result.status == 0 && !result.lines.isEmpty, "\(result)")
    }

    @Test("of what --where isn't known is left out, and told in lists and checks", .needsLiveCounts)
    func undecided() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let mine = ["--queue", fixture.queue, "--where"]
        let list = try await WorkqProcess.run(
            ["list-queues", "-s"] + mine + ["leader == 'x' and messages >= 0"], environment: fixture.environment)
        #expect(list.status == 0 && list.output.isEmpty, "\(list)")
        #expect(list.errors == "workq: 1 queue left out: whether --where holds isn't known\n", "\(list)")
        let check = try await WorkqProcess.run(
            ["list-queues"] + mine + ["leader == 'x'", "--warn", "messages > 5"], environment: fixture.environment)
        #expect(
            check.status == 3 && check.text.contains("1 queue left out, of which --where can't be told"), "\(check)")
    }

    @Test("a condition that goes wrong is 64 with its place, before anything connects")
    func mistakes() async throws {
        for (option, text, hint) in [
            ("--where", "state == running", "goes wrong at character 10: a text is written in quotes"),
            ("--where", "name =~ '('", "at character 9: this is no regular expression"),
            ("--where", "", "at character 1: expected a column"),
            ("--crit", "age > 10x", "at character 7: \"10x\" is no duration"),
            ("--warn", "type > 5", "at character 6: > compares numbers"),
            ("--wait", "mesages == 0", "did you mean messages?"),
        ] {
            let result = try await WorkqProcess.run(
                ["list-queues", option, text], environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
            #expect(result.status == 64 && result.errors.contains(hint), "\(result)")
        }
    }

    @Test("age is that of the task at the head, and unknown where no task tells when it was published")
    func age() async throws {
        let fixture = try Fixture()
        let silent = fixture.anotherQueue("silent")
        let before = Int(Date().timeIntervalSince1970) - 7_200
        let line = "{\"body\":\"x\",\"timestamp\":\(before)}\n"
        let old = try await fixture.run(
            "publish", "--ndjson", "--queue-type", "classic", fixture.queue, input: .text(line))
        #expect(old.status == 0, "\(old)")
        try fixture.channel().declareQueue(ShortString(silent), type: .classic)
        let result = try await list(fixture, "-s", "--match", "^\(fixture.queue)", "name", "age") {
            $0.lines.first?.hasSuffix("-") == false
        }
        let rows = result.lines.map { $0.split(separator: "\t").map(String.init) }
        #expect(rows.map(\.first) == [fixture.queue, silent] && rows.last?.last == "-", "\(result)")
        #expect((7_200...7_500).contains(Int(rows.first?.last ?? "") ?? 0), "\(result)")
        let check = try await fixture.list("--queue", fixture.queue, "--warn", "age > 1h", "--crit", "age > 3h")
        #expect(check.status == 1 && check.text.contains(" age'="), "\(check)")
        #expect(check.text.contains(";3600;10800;0"), "\(check)")
    }

    @Test("ready_with_retries counts the retry and delay queues of a queue, and no other's")
    func readyWithRetries() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2", "3"])
        for (name, tasks) in [
            (fixture.retryQueue("10s"), 2), (fixture.anotherQueue("x"), 7), ("\(fixture.queue).dead", 5),
        ] {
            let text = (1...tasks).map { "\($0)\n" }.joined()
            #expect(try await fixture.run("publish", "--lines", name, input: .text(text)).status == 0)
        }
        let delayed = try await fixture.run("publish", "--delay", "1h", fixture.queue, "x")
        #expect(delayed.status == 0, "\(delayed)")
        // The delay queue is a quorum queue, whose count comes late.
        let result = try await list(
            fixture, "-s", "--queue", fixture.queue, "messages_ready", "ready_with_retries"
        ) { $0.lines == ["3\t6"] }
        #expect(result.lines == ["3\t6"], "\(result)")
        let page = try await fixture.list(
            "-s", "--where", "name == '\(fixture.queue)' and ready_with_retries == 6", "name")
        #expect(page.lines == [fixture.queue], "\(page)")
        _ = try? fixture.channel().deleteQueue(ShortString("\(fixture.queue).delay.1h"))
    }

    @Test("--workers shows who consumes, from where, and what the connection is called")
    func workers() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let worker = try fixture.start("work", "--prefetch", "7", fixture.queue, "--", "sleep", "60")
        defer { worker.signal(SIGKILL) }
        try await eventually("it is used") { fixture.consumers() == 1 }
        func rows(_ result: WorkqProcess.Result) throws -> [[String: Any]] {
            try JSONSerialization.jsonObject(with: Data(result.output)) as? [[String: Any]] ?? []
        }
        let rows = try rows(
            try await list(fixture, "--workers", "--json", "--queue", fixture.queue) {
                try rows($0).first?["connection"] as? String != nil
            })
        #expect(rows.count == 1 && rows.first?["queue"] as? String == fixture.queue, "\(rows)")
        #expect(rows.first?["prefetch_count"] as? Int == 7 && rows.first?["active"] as? Bool == true, "\(rows)")
        #expect(rows.first?["host"] as? String == "127.0.0.1" && rows.first?["user"] as? String == "guest", "\(rows)")
        #expect((rows.first?["consumer_tag"] as? String)?.isEmpty == false, "\(rows)")
        #expect((rows.first?["connection"] as? String)?.contains("\(worker.pid)@") == true, "\(rows)")
        let now = ISO8601DateFormatter.string(from: Date(), timeZone: .gmt, formatOptions: [.withFullDate])
        #expect((rows.first?["connected_at"] as? String)?.hasPrefix(now.prefix(4)) == true, "\(rows)")
        let nobody = fixture.anotherQueue("nobody")
        #expect(try await fixture.run("publish", nobody, "x").status == 0)
        let empty = try await fixture.list("--workers", "-s", "--queue", nobody)
        #expect(empty.status == 0 && empty.output.isEmpty, "\(empty)")
        let missing = try await fixture.list("--workers", "-s", "--queue", "\(fixture.queue)-missing")
        #expect(missing.status == 65 && missing.errors.contains("there is no queue"), "\(missing)")
        let away = try await fixture.list(
            "--workers", "--queue", fixture.queue, environment: ["WORKQ_API_URL": "http://127.0.0.1:1"])
        #expect(away.status == 69 && away.errors.contains("only the management API knows"), "\(away)")
    }

    @Test(
        "--format prometheus: a gauge for each column of numbers, labels escaped, and nothing for what isn't known",
        .needsLiveCounts)
    func prometheus() async throws {
        let fixture = try Fixture()
        let odd = fixture.anotherQueue("a\"b\\c")
        try await fixture.publish(["1", "2"])
        try fixture.channel().declareQueue(ShortString(odd), type: .classic)
        let result = try await fixture.list(
            "--format", "prometheus", "--where", "name =~ '^\(fixture.queue)'", "name", "messages", "age",
            "messages_ready")
        let expected = """
            # HELP workq_queue_messages the sum of both
            # TYPE workq_queue_messages gauge
            workq_queue_messages{vhost="/",queue="\(fixture.queue)"} 2
            workq_queue_messages{vhost="/",queue="\(fixture.queue)-a\\"b\\\\c"} 0
            # HELP workq_queue_age seconds since the task at the head was published, as its timestamp says
            # TYPE workq_queue_age gauge
            """
        #expect(result.status == 0 && result.text.hasPrefix(expected), "\(result)")
        #expect(result.text.hasSuffix("queue=\"\(fixture.queue)-a\\\"b\\\\c\"} 0\n"), "\(result)")
        #expect(!result.text.contains("} -"), "\(result)")
        for (words, hint) in [
            (["messages", "state"], "column state holds none"), (["name"], "needs a column of numbers"),
            (["--workers"], "for lists of queues"), (["--warn", "messages > 1"], "for lists of queues"),
        ] {
            let refused = try await WorkqProcess.run(
                ["list-queues", "--format", "prometheus"] + words, environment: fixture.environment)
            #expect(refused.status == 64 && refused.errors.contains(hint), "\(refused)")
        }
    }

    @Test("purge and delete give receipts as JSON, an object for each queue, and the same statuses")
    func receipts() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        let missing = "\(fixture.queue)-missing"
        try await fixture.publish(["1", "2"])
        #expect(try await fixture.run("publish", other, "x").status == 0)
        try await eventually("both are there") { fixture.ready() == 2 && fixture.ready(other) == 1 }
        func receipt(_ queue: String, _ done: String, _ tasks: Int, _ more: String = "") -> String {
            "{\"queue\":\"\(queue)\",\"vhost\":\"/\",\"done\":\"\(done)\",\"tasks\":\(tasks)\(more)}"
        }
        let dry = try await fixture.run("purge", "--format", "json", "--dry-run", fixture.queue)
        #expect(dry.status == 0 && dry.lines == [receipt(fixture.queue, "nothing", 2)], "\(dry)")
        let error = ",\"error\":\"there is no queue \\\"\(missing)\\\"\""
        let purged = try await fixture.run("purge", "--format", "json", fixture.queue, missing)
        #expect(
            purged.status == 3
                && purged.lines == [receipt(fixture.queue, "purged", 2), receipt(missing, "nothing", 0, error)],
            "\(purged)")
        let alone = try await fixture.run("delete", "--format", "json", missing)
        #expect(alone.status == 65 && alone.lines == [receipt(missing, "nothing", 0, error)], "\(alone)")
        let tolerated = try await fixture.run("delete", "--format", "json", "--if-exists", missing)
        #expect(tolerated.status == 0 && tolerated.lines == [receipt(missing, "nothing", 0)], "\(tolerated)")
        let folder = try TemporaryFolder()
        let file = folder.path("backup.ndjson")
        let kept = try await fixture.run("purge", "--format", "json", "--backup", file, other)
        #expect(kept.status == 0 && kept.lines == [receipt(other, "purged", 1, ",\"backup\":\"\(file)\"")], "\(kept)")
        let deleted = try await fixture.run("delete", "--format", "json", fixture.queue, other)
        #expect(
            deleted.status == 0
                && deleted.lines == [receipt(fixture.queue, "deleted", 0), receipt(other, "deleted", 0)], "\(deleted)")
        let wrong = try await fixture.run("purge", "--format", "xml", fixture.queue)
        #expect(wrong.status == 64 && wrong.errors.contains("text or json"), "\(wrong)")
    }

    @Test("bench takes arguments for its queue, writes CSV, and refuses streams with the reason")
    func bench() async throws {
        let fixture = try Fixture()
        let words = ["bench", "-q", "--queue", fixture.queue, "--messages", "200", "--warm-up", "0", "--format", "csv"]
        let result = try await WorkqProcess.run(
            words + ["--queue-arg", "x-max-priority=3"], environment: fixture.environment)
        #expect(result.status == 0 && result.lines.count == 2, "\(result)")
        let names = result.lines.first?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        #expect(Set(names).count == names.count && names.contains("end_to_end_p99"), "\(names)")
        #expect(result.lines.last?.contains(",classic,\"{\"\"x-max-priority\"\":3}\",true,200,") == true, "\(result)")
        let alone = try await WorkqProcess.run(words + ["--consumers", "0"], environment: fixture.environment)
        #expect(alone.lines.first == result.lines.first, "\(alone)")
        let values = alone.lines.last?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
        #expect(values.count == names.count, "\(alone)")
        let row = Dictionary(zip(names, values)) { first, _ in first }
        #expect(row["consume_rate"] == "" && row["sent"] == "200" && row["queue_arguments"] == "", "\(alone)")
        for (words, hint) in [
            (["--queue-type", "stream"], "a stream keeps what was consumed"),
            (["--queue-type", "x"], "classic or quorum"),
            (["--queue-arg", "x-expires=5"], "is given by --expires"), (["--queue-arg", "x"], "KEY=VALUE"),
            (["--queue-arg", "x-queue-type=quorum"], "is given by --queue-type"),
        ] {
            let refused = try await WorkqProcess.run(
                ["bench"] + words, environment: ["WORKQ_URL": "amqp://127.0.0.1:1"])
            #expect(refused.status == 64 && refused.errors.contains(hint), "\(refused)")
        }
        let wrong = try await fixture.run("bench", "-q", "--queue", fixture.queue, "--queue-arg", "x-max-length=many")
        #expect(wrong.status == 65 && fixture.ready() == nil, "\(wrong)")
    }
}
