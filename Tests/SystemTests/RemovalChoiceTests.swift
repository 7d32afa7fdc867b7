// Which queues purge and delete take, and what has to be said or answered before they do.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("purge and delete: what is chosen", .serialized, .timeLimit(.minutes(5)))
struct RemovalChoiceTests {
    @Test("O5 --match takes the queues that match and no others, and needs --yes where nobody can be asked")
    func match() async throws {
        let fixture = try Fixture()
        let names = ["b", "a", "ab", "\u{1B}[2J"].map { fixture.anotherQueue($0) }
        for name in names { try fixture.channel().declareQueue(ShortString(name), type: .classic) }
        let pattern = "^\(fixture.queue)-[^b]*$"
        let refused = try await fixture.run("delete", "--match", pattern)
        #expect(refused.status == 64 && refused.errors.contains("--yes"), "\(refused)")
        let lines = "\(fixture.queue)-\\x1b[2J\t0\n\(names[1])\t0\n"
        let dry = try await fixture.run("delete", "--match", pattern, "--dry-run")
        #expect(dry.status == 0 && dry.text == lines, "\(dry)")
        let terminal = try Terminal()
        let process = try fixture.start("purge", "--match", pattern, input: terminal.input)
        let purged = try await process.wait()
        #expect(purged.status == 0 && purged.text == lines, "\(purged)")
        let done = try await fixture.run("delete", "--match", pattern, "--yes")
        #expect(done.status == 0 && done.text == lines, "\(done)")
        #expect(names.map { fixture.ready($0) } == [0, nil, 0, nil])
        let none = try await fixture.run("delete", "--match", pattern, "--yes")
        #expect(none.status == 65 && none.errors.contains("no queue matches"), "\(none)")
        #expect(try await fixture.run("delete", "--match", pattern, "--yes", "--if-exists").status == 0)
        let blind = try await fixture.run(
            "delete", "--match", ".", "--yes", names[0], environment: ["WORKQ_API_URL": "http://127.0.0.1:1"])
        #expect(blind.status == 69 && blind.output.isEmpty && fixture.ready(names[0]) == 0, "\(blind)")
        let broken = try await fixture.run("delete", "--match", "(", "--yes")
        #expect(broken.status == 64 && broken.errors.contains("regular expression"), "\(broken)")
    }

    @Test("with --expect nothing is purged unless the count is right")
    func expectation() async throws {
        let fixture = try Fixture()
        let other = fixture.anotherQueue("other")
        try await fixture.publish(["1", "2"])
        #expect(try await fixture.run("publish", other, "3").status == 0)
        try await eventually("three are there") { fixture.ready() == 2 && fixture.ready(other) == 1 }
        let refused = try await fixture.run("purge", fixture.queue, other, "--expect", "2")
        #expect(refused.status == 65 && refused.output.isEmpty, "\(refused)")
        #expect(refused.errors.contains("2 tasks expected, 3 ready"), "\(refused)")
        #expect(fixture.ready() == 2)
        let missing = try await fixture.run("purge", fixture.queue, "\(other)-missing", "--expect", "2")
        #expect(missing.status == 65 && missing.output.isEmpty && fixture.ready() == 2, "\(missing)")
        let done = try await fixture.run("purge", fixture.queue, other, "--expect", "3")
        #expect(done.status == 0 && fixture.ready() == 0, "\(done)")
    }

    @Test("a dry run shows the same lines and does nothing", arguments: ["purge", "delete"])
    func dryRun(command: String) async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        try await fixture.holds(2)
        let result = try await fixture.run(command, fixture.queue, "\(fixture.queue)-missing", "--dry-run")
        #expect(result.status == 3 && result.text == "\(fixture.queue)\t2\n", "\(result)")
        #expect(result.errors.contains("nothing was \(command)d"), "\(result)")
        #expect(fixture.ready() == 2)
    }

    @Test("O5 on a terminal it is asked first, with counts, and only a yes does it", arguments: ["purge", "delete"])
    func question(command: String) async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        try await fixture.holds(2)
        for answer in ["n", "", "yesterday"] {
            let terminal = try Terminal()
            let process = try fixture.start(command, fixture.queue, input: terminal.input)
            try await process.says("[y/N]")
            try terminal.type(answer)
            let result = try await process.wait()
            #expect(result.status == 65 && result.output.isEmpty, "\(result)")
            let row = result.errors.split(separator: "\n").first { $0.hasPrefix(fixture.queue) } ?? ""
            #expect(row.split(separator: " ").prefix(2) == [Substring(fixture.queue), "2"], "\(result)")
            #expect(result.errors.contains("nothing was \(command)d"), "\(result)")
        }
        #expect(fixture.ready() == 2)
        let terminal = try Terminal()
        let process = try fixture.start(command, fixture.queue, input: terminal.input)
        try await process.says("[y/N]")
        try terminal.type("Yes")
        let result = try await process.wait()
        #expect(result.status == 0 && result.text == "\(fixture.queue)\t2\n", "\(result)")
    }

    @Test("O5 --yes answers on a terminal, and without one nothing is asked", arguments: ["purge", "delete"])
    func answered(command: String) async throws {
        let fixture = try Fixture()
        let terminal = try Terminal()
        for input in [terminal.input, .nothing] {
            try await fixture.publish(["1"])
            try await fixture.holds(1)
            let result = try await fixture.run(command, "--yes", fixture.queue, input: input)
            #expect(result.status == 0 && !result.errors.contains("[y/N]"), "\(result)")
        }
        guard command == "purge" else { return }
        let empty = try await fixture.run("purge", fixture.queue, input: terminal.input)
        #expect(!empty.errors.contains("[y/N]"), "\(empty)")
    }
}
