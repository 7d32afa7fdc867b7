// workq list-queues on a real broker, with the management plugin and without.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

extension Fixture {
    /// workq pointed at the broker and its management API.
    func list(_ words: String..., environment: [String: String] = [:]) async throws -> WorkqProcess.Result {
        let variables = self.environment.merging(["WORKQ_API_URL": broker.apiURL]) { $1 }
        return try await WorkqProcess.run(
            ["list-queues"] + words, environment: variables.merging(environment) { $1 })
    }
}

@Suite("list-queues", .serialized, .timeLimit(.minutes(5)))
struct ListQueuesTests {
    @Test("names and live counts, as rabbitmqctl prints them, also under rabbitmqctl's name")
    func likeRabbitmqctl() async throws {
        let fixture = try Fixture()
        let published = try await fixture.run(
            "publish", "--lines", "--queue-type", "classic", fixture.queue, input: .text("1\n2\n3\n"))
        #expect(published.status == 0, "\(published)")
        let columns = ["name", "messages_ready", "messages_unacknowledged"]
        let mine = try await WorkqProcess.run(
            ["list_queues"] + columns,
            environment: ["WORKQ_URL": fixture.broker.url, "WORKQ_API_URL": fixture.broker.apiURL])
        #expect(mine.status == 0 && mine.errors.isEmpty, "\(mine)")
        let theirs = try await fixture.broker.ctl(
            "-q", "list_queues", "name", "messages_ready", "messages_unacknowledged")
        func rows(_ text: String) -> [String] {
            text.split(separator: "\n").map(String.init).filter {
                $0.hasPrefix(fixture.queue) || $0.hasPrefix("name\t")
            }
        }
        #expect(rows(mine.text) == ["name\tmessages_ready\tmessages_unacknowledged", "\(fixture.queue)\t3\t0"])
        #expect(rows(theirs) == rows(mine.text))
        let silent = try await fixture.list("-s", "--queue", fixture.queue)
        #expect(silent.text == "\(fixture.queue)\t3\t0\n", "\(silent)")
        let json = try await fixture.list("--json", "--queue", fixture.queue, "name", "messages", "type", "arguments")
        #expect(
            json.text == "[{\"name\":\"\(fixture.queue)\",\"messages\":3,\"type\":\"classic\","
                + "\"arguments\":{\"x-queue-type\":\"classic\"}}]\n", "\(json)")
    }

    @Test("queues are chosen, sorted and cut; --all-vhosts names the vhost")
    func choosing() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        let (long, quorum) = (fixture.anotherQueue("long"), fixture.anotherQueue("quorum"))
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        try channel.declareQueue(ShortString(long), type: .classic)
        try channel.declareQueue(ShortString(quorum), type: .quorum)
        for _ in 0..<3 { _ = try await fixture.run("publish", long, "x") }
        _ = try await fixture.run("publish", quorum, "x")
        // A quorum queue reports its counts every 5 seconds.
        let seen = try await fixture.list("--queue", quorum, "--wait", "messages == 1", "--deadline", "30s")
        #expect(seen.status == 0, "\(seen)")
        func names(_ options: String...) async throws -> [String] {
            let result = try await WorkqProcess.run(
                ["list-queues", "-s", "name", "--match", "^\(fixture.queue)"] + options,
                environment: ["WORKQ_URL": fixture.broker.url, "WORKQ_API_URL": fixture.broker.apiURL])
            #expect(result.status == 0, "\(result)")
            return result.lines
        }
        #expect(try await names() == [fixture.queue, long, quorum])
        #expect(try await names("--type", "quorum") == [quorum])
        #expect(try await names("--nonempty") == [long, quorum])
        #expect(try await names("--sort", "messages", "--reverse") == [long, quorum, fixture.queue])
        #expect(try await names("--sort", "messages", "--reverse", "--limit", "1") == [long])
        let all = try await fixture.list("--all-vhosts", "-s", "--queue", long)
        #expect(all.text == "/\t\(long)\t3\t0\n", "\(all)")
        // A page, as the broker sorts it, is the front of the whole list.
        // Other tests' queues come and go in between.
        var (page, whole): ([String], [String]) = ([], [""])
        let deadline = ContinuousClock.now + .seconds(60)
        while page != Array(whole.prefix(3)), ContinuousClock.now < deadline {
            page = try await fixture.list("-s", "--limit", "3", "name").lines
            whole = try await fixture.list("-s", "name").lines
        }
        #expect(page.count == 3 && page == Array(whole.prefix(3)), "\(page)")
    }

    @Test(
        "a queue or vhost that isn't there is 65 and named; a column that isn't there is 64 with a list",
        .needsLiveCounts)
    func missing() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let queue = try await fixture.list("-s", "--queue", fixture.queue, "--queue", "no\u{202E}such")
        #expect(queue.status == 65 && queue.errors.contains("no queue \"no\\xe2\\x80\\xaesuch\""), "\(queue)")
        #expect(queue.text == "\(fixture.queue)\t1\t0\n")
        let vhost = try await fixture.list("-p", "nowhere")
        #expect(vhost.status == 65 && vhost.errors.contains("no such vhost: nowhere"), "\(vhost)")
        let column = try await fixture.list("nam")
        #expect(column.status == 64 && column.errors.contains("did you mean name?"), "\(column)")
        for words in [["--watch", "--wait", "messages==0"], ["--deadline", "1s"], ["--wait", "messages =="]] {
            let result = try await WorkqProcess.run(["list-queues"] + words)
            #expect(result.status == 64, "\(result)")
        }
    }

    @Test("O8 statistics of a fresh queue are -, in JSON null, until the broker has some")
    func fresh() async throws {
        let fixture = try Fixture()
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        // Most statistics may come at any moment, those of publishing can't before something is published.
        let text = try await fixture.list("-s", "--queue", fixture.queue, "name", "publish_rate")
        #expect(text.text == "\(fixture.queue)\t-\n", "\(text)")
        let json = try await fixture.list("--format", "ndjson", "--queue", fixture.queue, "publish_rate")
        #expect(json.text == "{\"publish_rate\":null}\n", "\(json)")
        let deadline = ContinuousClock.now + .seconds(30)
        var consumers = ""
        while consumers != "0\n", ContinuousClock.now < deadline {
            consumers = try await fixture.list("-s", "--queue", fixture.queue, "consumers").text
        }
        #expect(consumers == "0\n")
    }

    @Test("O10 names that could steer a terminal are shown escaped in every format")
    func untrusted() async throws {
        let fixture = try Fixture()
        let name = fixture.anotherQueue("\u{1B}]0;x\u{7}\u{1B}[2J\u{202E}|'=\t")
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(name), type: .classic)
        let pattern = "^\(fixture.queue)"
        for options in [
            ["--format", "table"], ["--format", "tsv"], ["--format", "csv"], ["--format", "json"],
            ["--format", "ndjson"],
            ["--warn", "messages>=0"], ["-v"],
        ] {
            let result = try await WorkqProcess.run(
                ["list-queues", "--match", pattern] + options,
                environment: ["WORKQ_URL": fixture.broker.url, "WORKQ_API_URL": fixture.broker.apiURL])
            #expect(result.text.contains(fixture.queue) && result.status <= 1, "\(result)")
            for scalar in (result.text + result.errors).unicodeScalars where scalar != "\n" && scalar != "\t" {
                #expect(scalar.properties.generalCategory != .control && scalar != "\u{202E}", "\(options)")
            }
        }
        let missing = try await fixture.list("--queue", "a\u{202E}b")
        #expect(missing.errors.contains("a\\xe2\\x80\\xaeb"), "\(missing)")
    }

    @Test("O12 a full disk is 74; a reader that has gone away ends it quietly, as any filter")
    func brokenOutput() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let environment = fixture.environment.merging(["WORKQ_API_URL": fixture.broker.apiURL]) { $1 }
        let folder = try TemporaryFolder()
        try await Shell.run(
            [
                "bash", "-c",
                "\"$0\" list-queues > /dev/full 2> \"$1/full\"; echo $? > \"$1/status\"; "
                    + "{ sleep 1; \"$0\" list-queues 2> \"$1/pipe\"; echo $? >> \"$1/status\"; } | true",
                WorkqProcess.executable, folder.path,
            ], environment: environment)
        #expect(folder.read("status") == "74\n141\n" && folder.read("pipe").isEmpty, "\(folder.read("pipe"))")
        #expect(folder.read("full").contains("no space left"))
    }

    @Test("O13 without a terminal the output is the same in every locale, and has no colour")
    func stable() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        var texts: Set<String> = []
        for variables in [["LC_ALL": "C"], ["LC_ALL": "C.UTF-8"], ["NO_COLOR": "1"], ["TERM": "dumb"], [:]] {
            let result = try await fixture.list("--queue", fixture.queue, environment: variables)
            #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
            texts.insert(result.text)
        }
        #expect(texts.count == 1 && texts.first?.contains("\u{1B}") == false)
    }

    @Test("--wait ends when the condition holds, and with 75 when it doesn't in time")
    func wait() async throws {
        let fixture = try Fixture()
        let environment = fixture.environment.merging(["WORKQ_API_URL": fixture.broker.apiURL]) { $1 }
        let waiting = try WorkqProcess(
            ["list-queues", "--queue", fixture.queue, "--wait", "messages_ready >= 2", "--interval", "100ms"],
            environment: environment)
        try await Task.sleep(for: .milliseconds(300))
        try await fixture.publish(["1", "2"])
        let met = try await waiting.wait(timeout: .seconds(30))
        #expect(met.status == 0 && met.output.isEmpty && met.errors.isEmpty, "\(met)")
        let late = try await fixture.list(
            "--queue", fixture.queue, "--wait", "messages == 0", "--deadline", "10s", "--interval", "100ms")
        #expect(late.status == 75 && late.errors.contains("has messages 2"), "\(late)")
        let never = try await fixture.list("--queue", "nobody", "--wait", "messages == 0", "--deadline", "10s")
        #expect(never.status == 75 && never.errors.contains("no queue \"nobody\""), "\(never)")
        let wrong = try await fixture.list("--wait", "messages==0", "--api-url", "http://127.0.0.1:1")
        #expect(wrong.status == 69, "\(wrong)")
    }

    @Test("--warn and --crit: statuses 0 to 3 and one line with performance data", .needsLiveCounts)
    func check() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        func status(_ words: String...) async throws -> (Int32, String) {
            let result = try await WorkqProcess.run(
                ["list-queues", "--queue", fixture.queue] + words,
                environment: ["WORKQ_URL": fixture.broker.url, "WORKQ_API_URL": fixture.broker.apiURL])
            #expect(result.lines.count == 1 && result.errors.isEmpty, "\(result)")
            return (result.status, result.text)
        }
        let fine = try await status("--warn", "messages > 5", "--crit", "messages > 10")
        #expect(fine == (0, "QUEUES OK - 1 queue | '\(fixture.queue) messages'=2;5;10;0\n"))
        #expect(try await status("--warn", "messages > 1", "--crit", "messages > 10").0 == 1)
        #expect(try await status("--warn", "messages > 1", "--crit", "messages > 1").0 == 2)
        // The worst counts: what is missing doesn't hide it, and is worse than nothing to tell.
        #expect(try await status("--queue", "nobody", "--crit", "messages > 1").0 == 2)
        #expect(try await status("--queue", "nobody", "--crit", "messages > 5").0 == 3)
        let unreachable = try await status("-q", "--crit", "messages > 1", "--api-url", "http://127.0.0.1:1/")
        #expect(unreachable == (3, "QUEUES UNKNOWN - \(fixture.queue): messages unknown\n"))
    }

    @Test("--wait isn't taken in by a quorum queue that still counts none of its tasks")
    func waitForQuorum() async throws {
        let fixture = try Fixture()
        _ = try await fixture.run("publish", "--queue-type", "quorum", fixture.queue, "x")
        let result = try await fixture.list(
            "--queue", fixture.queue, "--wait", "messages == 0", "--deadline", "8s", "--interval", "200ms")
        #expect(result.status == 75 && result.errors.contains("has messages 1"), "\(result)")
    }

    @Test("when it is no terminal, --watch writes a line of JSON a sample, until it is told to end")
    func watchPiped() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let environment = fixture.environment.merging(["WORKQ_API_URL": fixture.broker.apiURL]) { $1 }
        let watch = try WorkqProcess(
            ["list-queues", "--watch", "--interval", "200ms", "--queue", fixture.queue], environment: environment)
        try await eventually("three samples: \(watch.output) \(watch.errors)") {
            watch.output.split(separator: "\n").count >= 3
        }
        try await fixture.publish(["2", "3"])
        try await eventually("the new count and its growth") {
            watch.output.contains("\"messages_ready\":3") && watch.output.contains("\"growth_rate\":0,")
        }
        watch.signal(SIGTERM)
        let result = try await watch.wait()
        #expect(result.status == 143 && result.errors.isEmpty, "\(result)")
        for line in result.lines {
            let sample = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect((sample?["queues"] as? [Any])?.count == 1 && sample?["time"] is Int)
        }
    }

    @Test("without the management plugin named queues are told over AMQP, with a note; others can't be")
    func withoutPlugin() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker(plugins: "[].\n") }
        let fixture = try Fixture(broker)
        try await fixture.publish(["1", "2"])
        let named = try await fixture.list(
            "-s", "--queue", fixture.queue, "--queue", "nobody", "name", "messages_ready", "messages", "consumers")
        #expect(named.status == 65 && named.text == "\(fixture.queue)\t2\t-\t0\n", "\(named)")
        #expect(named.errors.contains("connection refused. Over AMQP only messages_ready and consumers"), "\(named)")
        let all = try await fixture.list()
        #expect(all.status == 69 && all.errors.contains("rabbitmq-plugins enable rabbitmq_management"), "\(all)")
        let known = try await fixture.list(
            "--queue", fixture.queue, "--wait", "messages_ready == 2", "--deadline", "20s", "-q")
        #expect(known.status == 0 && known.errors.isEmpty, "\(known)")
        let unknown = try await fixture.list("--queue", fixture.queue, "--wait", "messages == 2", "-q")
        #expect(unknown.status == 65 && unknown.errors.contains("AMQP can't tell"), "\(unknown)")
        let check = try await fixture.list("--queue", fixture.queue, "--crit", "messages_ready > 1", "-q")
        #expect(check.status == 2, "\(check)")
        let mute = try await fixture.list("--queue", "x", "--url", "amqp://127.0.0.1:1")
        #expect(mute.status == 69 && mute.errors.contains("amqp://127.0.0.1:1"), "\(mute)")
        try await broker.stop()
    }
}
