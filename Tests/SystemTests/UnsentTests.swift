// The file of tasks that weren't confirmed: running the same command on it finishes the job.

import Foundation
import TestSupport
import Testing

@Suite("unsent tasks", .serialized, .timeLimit(.minutes(5)))
struct UnsentTests {
    private static let patience = Duration.seconds(30)

    @Test(
        "N1 after a lost connection the file has exactly what wasn't confirmed, in form and order",
        arguments: [("--lines", "\n"), ("--null", "\0")])
    func lostConnection(option: String, separator: String) async throws {
        let folder = try TemporaryFolder()
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            try peer.expectTasks(1)
            try peer.ack(1)
            try peer.expectTasks(3)
            try peer.ack(3)
        }
        let text = (1...500).map { "\($0)\(separator)" }.joined()
        // The window keeps the peer from getting more than it expects.
        let result = try await WorkqProcess.run(
            ["publish", option, "queue", "--no-create", "--window", "3", "--unsent", folder.path("rest")],
            input: .text(text), environment: peer.environment)
        #expect(result.status == 3 && result.errors.contains("the tasks that were not confirmed are in"), "\(result)")
        let rest = folder.read("rest")
        #expect(rest == "2\(separator)" + (4...500).map { "\($0)\(separator)" }.joined(), "\(rest.prefix(50))")
        try await peer.finish(within: Self.patience)
    }

    @Test("M9 refused and unread tasks are there, in a file that is the input itself, until all is done")
    func refused() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try fixture.channel().declareQueue(
            .init(fixture.queue), type: .classic,
            arguments: ["x-max-length": .int32(3), "x-overflow": .text("reject-publish")])
        let numbers = (1...20).map(String.init)
        let file = try folder.write(numbers.map { $0 + "\n" }.joined(), to: "tasks")
        var seen: [String] = []
        for _ in 0..<20 {
            let result = try await fixture.run(
                "publish", "--lines", fixture.queue, "--window", "1", "--unsent", file, input: .file(file))
            seen += try await fixture.run("work", fixture.queue, "--drain").lines
            if result.status == 0 { break }
            #expect(result.status == 3, "\(result)")
        }
        #expect(seen == numbers)
    }

    @Test("M5 a record that is malformed is there as it stood, with all that follows")
    func malformed() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let rest = "{\"bad\": 1}\n{ \"body\" : \"é\" }\nnonsense without an end"
        let result = try await fixture.run(
            "publish", "--ndjson", fixture.queue, "--unsent", folder.path("rest"),
            input: .text("{\"body\":\"1\"}\n\(rest)"))
        #expect(result.status == 3 && folder.read("rest") == rest, "\(result)")
    }

    @Test("a broker that can't be reached leaves everything in the file, and a single task too")
    func unreachable() async throws {
        let folder = try TemporaryFolder()
        let nobody = ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:1"]
        let lines = try await WorkqProcess.run(
            ["publish", "-l", "q", "--unsent", folder.path("lines")], input: .text("1\n2\n"), environment: nobody)
        #expect(lines.status == 69 && folder.read("lines") == "1\n2\n", "\(lines)")
        let single = try await WorkqProcess.run(
            ["publish", "q", "--unsent", folder.path("one")], input: .text("a\nb"), environment: nobody)
        #expect(single.status == 69 && folder.read("one") == "a\nb", "\(single)")
    }

    @Test("M7 an interrupt leaves the rest of the input in the file, a second one ends the reading")
    func interrupted() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let pipe = try TaskPipe()
        let publish = try fixture.start(
            "publish", "--lines", fixture.queue, "--unsent", folder.path("rest"), input: pipe.input)
        try pipe.write("1\n2\n3")
        try await eventually("two tasks are there") { fixture.ready() == 2 }
        publish.signal(SIGINT)
        try await publish.says("interrupted")
        try pipe.write("\n4\nhalf a ta")
        try await eventually("the rest is read") {
            folder.files.contains { $0.hasSuffix(".tmp") && folder.read($0) == "3\n4\n" }
        }
        try await publish.signalAgain(SIGINT)
        let result = try await publish.wait()
        // Half a task would be published as a whole one by whoever goes on with the file.
        #expect(result.status == 130 && folder.read("rest") == "3\n4\n", "\(result) \(folder.read("rest"))")
        #expect(result.errors.contains("the rest of the input is missing from"), "\(result)")
    }

    @Test("a file that can't be written is 73 before anything is sent; success leaves it alone")
    func unwritable() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        for path in [folder.path("none/rest"), "/dev/null", folder.path] {
            let result = try await fixture.run("publish", fixture.queue, "x", "--unsent", path)
            #expect(result.status == 73, "\(result)")
        }
        #expect(fixture.ready() == nil)
        let file = try folder.write("old", to: "rest")
        #expect(try await fixture.run("publish", fixture.queue, "x", "--unsent", file).status == 0)
        #expect(folder.read("rest") == "old" && folder.files == ["rest"])
    }
}

extension TemporaryFolder {
    /// The names of all files.
    var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}
