// publish --file: a task from a file, byte for byte.

import Foundation
import TestSupport
import Testing

@Suite("publish file", .timeLimit(.minutes(5)))
struct PublishFileTests {
    @Test("M2 --file publishes all that is in a file, as one task, and leaves standard input alone")
    func bytes() async throws {
        let fixture = try Fixture()
        var generator = SeededGenerator(seed: 7)
        let body = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &generator) } + [10, 0, 10]
        let folder = try TemporaryFolder()
        try Data(body).write(to: URL(fileURLWithPath: folder.path("task")))
        let result = try await fixture.run(
            "publish", "--file", folder.path("task"), fixture.queue, input: .text("not this"))
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(try await fixture.take(1).first?.body == body)
    }

    @Test("--file - is standard input, with an exchange too")
    func standardInput() async throws {
        let fixture = try Fixture()
        #expect(try await fixture.run("publish", "--file", "-", fixture.queue, input: .text("one\ntwo")).status == 0)
        let result = try await fixture.run(
            "publish", "--exchange=", "--routing-key", fixture.queue, "--file=-", input: .text("three"))
        #expect(result.status == 0, "\(result)")
        #expect(try await fixture.take(2).map { String(decoding: $0.body, as: UTF8.self) } == ["one\ntwo", "three"])
    }

    @Test("a pipe serves as a file, and an empty file only with --allow-empty")
    func pipeAndEmpty() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try #require(mkfifo(folder.path("pipe"), 0o600) == 0)
        let process = try fixture.start("publish", "--file", folder.path("pipe"), fixture.queue)
        // Opening waits for the reader.
        try Data("through".utf8).write(to: URL(fileURLWithPath: folder.path("pipe")))
        #expect(try await process.wait().status == 0)
        let empty = try folder.write("", to: "empty")
        let refused = try await fixture.run("publish", "--file", empty, fixture.queue)
        #expect(refused.status == 66 && refused.errors.contains("nothing in \(empty)"), "\(refused)")
        #expect(try await fixture.run("publish", "--file", empty, "--allow-empty", fixture.queue).status == 0)
        #expect(try await fixture.take(2).map(\.body.count) == [7, 0])
    }

    @Test("a file that can't be read is 66, and two bodies are 64, before anything is connected to")
    func refused() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x", to: "task")
        let rows: [(arguments: [String], status: Int32, message: String)] = [
            (["--file", folder.path("missing"), "q"], 66, "cannot open \(folder.path("missing"))"),
            (["--file", folder.path, "q"], 66, "cannot read \(folder.path)"),
            (["--file", file, "q", "task"], 64, "TASK and --file"),
            (["--file", file, "--exchange=x", "task"], 64, "TASK and --file"),
            (["--file", file, "--lines", "q"], 64, "--file and --lines exclude each other"),
            (["--file", file, "--ndjson", "q"], 64, "--file and --ndjson exclude each other"),
            (["--file=", "q"], 64, "--file must be a file's path"),
        ]
        for row in rows {
            let result = try await WorkqProcess.run(
                ["publish"] + row.arguments, environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"])
            #expect(result.status == row.status && result.errors.contains(row.message), "\(result)")
        }
    }
}
