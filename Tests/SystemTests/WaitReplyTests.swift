// publish --wait-reply: a question and its answer, and what is said when there is none.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("publish and wait for the reply", .timeLimit(.minutes(5)))
struct WaitReplyTests {
    @Test("the answer of work --reply comes out as it is, byte for byte")
    func answer() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["first"])
        let worker = try fixture.start("work", "--reply", "--quiet", fixture.queue, "--", "rev")
        try await fixture.holds(0)
        let result = try await fixture.run("publish", "--wait-reply", "30s", fixture.queue, "abc")
        #expect(result.status == 0 && result.text.trimmingCharacters(in: .newlines) == "cba", "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
        // A queue that is created by the question, whose task therefore comes back once.
        let other = fixture.anotherQueue("new")
        let asker = try fixture.start(
            "publish", "--wait-reply", "30s", "--message-id", "m1", other, input: .bytes([0, 255, 10, 0]))
        try await eventually("the queue is there") { fixture.ready(other) == 1 }
        let second = try fixture.start("work", "--reply", "--quiet", "--count", "1", other, "--", "cat")
        let answered = try await asker.wait()
        #expect(answered.status == 0 && answered.output == [0, 255, 10, 0], "\(answered)")
        #expect(try await second.wait().status == 0)
        worker.signal(SIGTERM)
        #expect(try await worker.wait().status == 0)
    }

    @Test("what isn't the answer is passed over, and one without a correlation id is the answer")
    func correlation() async throws {
        let fixture = try Fixture()
        let asker = try fixture.start(
            "publish", "--wait-reply", "30s", "--correlation-id", "c-1", fixture.queue, "task")
        try await eventually("the task is there") { fixture.ready() == 1 }
        let task = try #require(try await fixture.take(1).first)
        #expect(task.properties.correlationID == "c-1" && task.properties.messageID != nil)
        let address = try #require(task.properties.replyTo)
        #expect("\(address)".hasPrefix("amq.rabbitmq.reply-to."))
        let channel = try fixture.channel()
        for (id, body) in [("c-2", "not this"), (nil, "this"), ("c-1", "nor this")] as [(ShortString?, String)] {
            var properties = MessageProperties()
            properties.correlationID = id
            try channel.publish(
                Array(body.utf8), exchange: "", routingKey: address, mandatory: false, properties: properties)
        }
        let result = try await asker.wait()
        #expect(result.status == 0 && result.text == "this", "\(result)")
        channel.connection.close()
    }

    @Test("without an answer in time it is 75, and the task is confirmed and stays")
    func late() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run("publish", "--wait-reply", "300ms", fixture.queue, "task")
        #expect(result.status == 75 && result.output.isEmpty, "\(result)")
        #expect(
            result.errors.contains("the task is confirmed on queue \"\(fixture.queue)\", but no answer came in 300ms"),
            "\(result)")
        let task = try #require(try await fixture.take(1).first)
        #expect(task.properties.correlationID == task.properties.messageID)
    }

    @Test("heartbeats go on while it waits, and a signal ends the wait at once")
    func signal() async throws {
        let fixture = try Fixture()
        let process = try fixture.start("publish", "--wait-reply", "1h", "--heartbeat", "2s", fixture.queue, "task")
        try await fixture.holds(1)
        // Twice as long as the broker waits for a sign of life.
        try await Task.sleep(for: .seconds(10))
        #expect(process.isRunning)
        process.signal(SIGINT)
        let result = try await process.wait()
        #expect(result.status == 128 + SIGINT && result.output.isEmpty, "\(result)")
        try await fixture.holds(1)
    }

    @Test("an answer that nobody can read any more is 74, and the task's confirm is told")
    func unwritable() async throws {
        let fixture = try Fixture()
        let worker = try fixture.start("work", "--reply", "--quiet", fixture.queue, "--", "cat")
        let command = "'\(WorkqProcess.executable)' publish --wait-reply 30s \(fixture.queue) task"
        let result = try await Shell.run(
            ["sh", "-c", "\(command) 2>&1 >/dev/full; echo $?"], environment: fixture.environment)
        #expect(result.contains("the task is confirmed on") && result.hasSuffix("74\n"), "\(result)")
        worker.signal(SIGTERM)
        _ = try await worker.wait()
    }

    @Test("the connection's end is the end of the wait, with the broker's reason")
    func lost() async throws {
        let fixture = try Fixture()
        let name = "asker-\(fixture.queue)"
        let process = try fixture.start(
            "publish", "--wait-reply", "1h", "--connection-name", name, fixture.queue, "task")
        try await fixture.holds(1)
        try await eventually("the connection is closed") {
            let list = try await fixture.broker.ctl("list_connections", "pid", "client_properties", "--silent")
            guard let line = list.split(separator: "\n").first(where: { $0.contains(name) }),
                let pid = line.split(separator: "\t").first
            else { return false }
            try await fixture.broker.ctl("close_connection", String(pid), "maintenance")
            return true
        }
        let result = try await process.wait(timeout: .seconds(20))
        #expect(result.status == 69 && result.errors.contains("its answer is lost"), "\(result)")
        #expect(result.errors.contains("maintenance"), "\(result)")
    }

    @Test(
        "what doesn't go with one answer is 64 before anything is connected to",
        arguments: [
            ["--lines"], ["--ndjson"], ["--null"], ["--reply-to", "q"], ["--no-confirm"], ["--print-id"],
            ["--unless-queued"], ["--max-depth", "1"], ["--spool", "d"],
        ])
    func refused(options: [String]) async throws {
        let result = try await WorkqProcess.run(
            ["publish", "--wait-reply", "1s", "queue"] + options,
            environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
        #expect(result.status == 64 && result.errors.contains("--wait-reply and \(options[0]) exclude each other"))
    }
}
