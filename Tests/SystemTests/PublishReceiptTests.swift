// publish --format json: what a script is told.

import Foundation
import TestSupport
import Testing

@Suite("publish receipts", .timeLimit(.minutes(5)))
struct PublishReceiptTests {
    /// The only line of standard output, as JSON, checked by Foundation's reader.
    private static func receipt(_ result: WorkqProcess.Result) throws -> [String: Any] {
        try #require(result.text.hasSuffix("}\n") && result.lines.count == 1, "\(result)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
    }

    @Test("all confirmed: the counts, and with --print-id the ids in their order")
    func done() async throws {
        let fixture = try Fixture()
        let plain = try await fixture.run("publish", "--format", "json", fixture.queue, "task")
        let receipt = try Self.receipt(plain)
        #expect(plain.status == 0 && receipt["status"] as? Int == 0 && receipt["queue"] as? String == fixture.queue)
        #expect(receipt["confirmed"] as? Int == 1 && receipt["unknown"] as? Int == 0)
        #expect(receipt["skipped"] as? Bool == false && receipt["seconds"] is Double)
        #expect(receipt["reason"] is NSNull && receipt["first_unconfirmed"] is NSNull && receipt["message_ids"] == nil)
        let many = (1...3_000).map { "{\"body\":\"\",\"message_id\":\"i\\\"\($0)\"}\n" }.joined()
        let stream = try await fixture.run(
            "publish", "--ndjson", "--format=json", "--print-id", fixture.queue, input: .text(many))
        let ids = try Self.receipt(stream)
        #expect(ids["message_ids"] as? [String] == (1...3_000).map { "i\"\($0)" } && ids["confirmed"] as? Int == 3_000)
        let none = try await fixture.run("publish", "--lines", "--format=json", "--print-id", fixture.queue)
        #expect(try Self.receipt(none)["message_ids"] as? [String] == [])
    }

    @Test("a part refused: the numbers, the reason and the status, which is the exit status")
    func partly() async throws {
        let fixture = try Fixture()
        let result = try await fixture.run(
            "publish", "--lines", "--format=json", "--queue-type", "classic", "--queue-arg", "x-max-length=2",
            "--queue-arg", "x-overflow=reject-publish", fixture.queue, input: .text("1\n2\n3\n4\n"))
        let receipt = try Self.receipt(result)
        #expect(result.status == 3 && receipt["status"] as? Int == 3)
        // With confirms together the broker may let one more in than the queue should hold.
        let confirmed = try #require(receipt["confirmed"] as? Int)
        let refused = try #require(receipt["refused"] as? Int)
        #expect(confirmed >= 2 && refused >= 1 && receipt["first_unconfirmed"] is Int)
        #expect((receipt["reason"] as? String)?.contains("nack") == true)
    }

    @Test("unroutable, skipped, kept in the spool, and no broker")
    func others() async throws {
        let fixture = try Fixture()
        let unroutable = try await fixture.run(
            "publish", "--format=json", "--exchange", "amq.direct", "--routing-key", "nowhere", "x")
        let returned = try Self.receipt(unroutable)
        #expect(unroutable.status == 65 && returned["status"] as? Int == 65 && returned["returned"] as? Int == 1)
        #expect(returned["exchange"] as? String == "amq.direct" && returned["routing_key"] as? String == "nowhere")
        try await fixture.publish(["there"])
        let skipped = try await fixture.run("publish", "--format=json", "--unless-queued", fixture.queue, "x")
        #expect(try skipped.status == 0 && Self.receipt(skipped)["skipped"] as? Bool == true)
        let folder = try TemporaryFolder()
        let away = ["WORKQ_URL": "amqp://guest:canary@127.0.0.1:1"]
        let kept = try await fixture.run(
            "publish", "--format=json", "--spool", folder.path("spool"), "--print-id", fixture.queue, "x",
            environment: away)
        let spooled = try Self.receipt(kept)
        #expect(kept.status == 0 && spooled["spooled"] as? Int == 1 && spooled["confirmed"] as? Int == 0)
        #expect((spooled["message_ids"] as? [String])?.count == 1)
        let down = try await fixture.run("publish", "--format=json", fixture.queue, "x", environment: away)
        #expect(try down.status == 69 && Self.receipt(down)["status"] as? Int == 69 && !down.text.contains("canary"))
    }

    @Test("a receipt that can't be written is 74")
    func unwritable() async throws {
        let fixture = try Fixture()
        let command = "'\(WorkqProcess.executable)' publish --format json \(fixture.queue) task"
        let result = try await Shell.run(
            ["sh", "-c", "\(command) 2>&1 >/dev/full; echo $?"], environment: fixture.environment)
        #expect(result.contains("cannot write to standard output") && result.hasSuffix("74\n"), "\(result)")
        try await fixture.holds(1)
    }
}
