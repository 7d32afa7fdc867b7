// Commands that do what nobody expects of them: leave their group, ignore TERM, leave processes behind, read a terminal.

import Foundation
import TestSupport
import Testing

@Suite("commands at the edge", .serialized, .timeLimit(.minutes(5)))
struct CommandEdgeTests {
    @Test("R7 a command that has left its process group is ended all the same")
    func leftGroup() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let result = try await fixture.run(
            "work", fixture.queue, "--timeout", "500ms", "--kill-after", "500ms", "--max-attempts", "1", "--drain",
            "--output", "inherit", "--", "perl", "-e", "setpgrp(0, getpgrp(getppid())); sleep 600")
        #expect(result.status == 1, "\(result)")
    }

    @Test("R7 what ignores TERM in the group of a command that was told to end is killed when the command has ended")
    func stubbornGrandchild() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let script = "sh -c 'trap \"\" TERM; echo $$ > \"$0\"; while :; do sleep 1; done' \"$0\" & wait"
        let result = try await fixture.run(
            "work", fixture.queue, "--timeout", "5s", "--max-attempts", "1", "--drain", "--", "sh", "-c", script,
            folder.path("pid"))
        #expect(result.status == 1, "\(result)")
        let pid = try #require(pid_t(folder.read("pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        try await eventually("it is gone") { !isAlive(pid) }
    }

    @Test("R20 a shell that says that TERM ended its command hasn't failed while the worker leaves")
    func status143() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let worker = try fixture.start(
            "work", fixture.queue, "--", "sh", "-c", "trap 'exit 143' TERM; echo start; while :; do sleep 0.1; done")
        try await eventually("the command runs") { worker.output.contains("start") }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        for child in worker.children { kill(child, SIGTERM) }
        let result = try await worker.wait()
        #expect(result.status == 0 && result.errors.contains("given back"), "\(result)")
        try await fixture.holds(1)
    }

    @Test("R14 processes that commands leave behind go on, and what they print is passed on while the worker lives")
    func daemons() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let count = 300
        try await fixture.publish((1...count).map(String.init))
        // Each waits for the gate, prints, and leaves a mark when it is still there afterwards.
        let script = """
            read -r n
            (until [ -e "$0/go" ]; do sleep 1; done; [ $n -gt 200 ] && echo "late $n"; echo $n >> "$0/marks") &
            """
        let worker = try fixture.start(
            "work", fixture.queue, "-j4", "--", "sh", "-c", script, folder.path(""))
        try await eventually("all tasks are done", within: .seconds(60)) {
            fixture.ready() == 0 && worker.output == "" && worker.isRunning
        }
        try await Task.sleep(for: .seconds(1))
        try folder.write("", to: "go")
        try await eventually("all of them go on", within: .seconds(60)) {
            folder.read("marks").split(separator: "\n").count == count
        }
        try await eventually("what they print arrives") {
            worker.output.split(separator: "\n").count == count - 200
        }
        try await worker.leave()
    }

    @Test("R17 a command has no terminal to read from, and with --output inherit it is told when it is stopped for it")
    func terminal() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        // On a terminal of its own, which script(1) gives it.
        let command = "\(WorkqProcess.executable) work \(fixture.queue) --url \(fixture.broker.url) --count 1"
        let own = try await Shell.run([
            "script", "-qec", "\(command) -- sh -c 'cat < /dev/tty || echo no terminal'", "/dev/null",
        ])
        #expect(own.contains("no terminal"), "\(own)")
        try await fixture.publish(["2"])
        let inherited = try Shell.start([
            "script", "-qec",
            "\(command) --output inherit --timeout 8s --max-attempts 1 -- sh -c 'cat < /dev/tty'", "/dev/null",
        ])
        let result = try await inherited.wait(timeout: .seconds(30))
        #expect(result.text.contains("stopped"), "\(result)")
        try await eventually("the task is dead-lettered") { fixture.ready("\(fixture.queue).dead") == 1 }
    }
}
