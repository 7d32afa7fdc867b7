// What happens around a worker and its commands: terminals, service managers, processes left behind, other consumers,
// impatient brokers. With the real binary on real brokers.

import CRabbitMQ
import Foundation
import Posix
import TestSupport
import Testing

@testable import Broker

@Suite("worker faults", .serialized, .timeLimit(.minutes(10)))
struct WorkerFaultTests {
    /// Runs a worker in a terminal of its own, with Ctrl-C pressed whenever its command has noted one more line in
    /// FOLDER/log, `presses` times; after the first there is FOLDER/pressed. Its status goes to FOLDER/status.
    private static let terminal = #"""
        zmodload zsh/zpty
        cd $FOLDER
        print -r -- 'trap : INT; "$WORKQ" work "$QUEUE" -- sh -c "$COMMAND"; echo $? > status.new; mv status.new status' > run
        : > log
        : > screen
        zpty worker sh ./run
        for ((press = 1; press <= PRESSES; press++)); do
            until (( $(wc -l < log) >= press )); do sleep 0.05; done
            zpty -w -n worker $'\x03'
            if (( press == 1 )); then
                until [[ "$(<screen)" == *leaving* ]]; do
                    while zpty -r -t worker output; do print -rn -- $output >> screen; done
                    sleep 0.05
                done
                # Two within half a second are one.
                sleep 0.7
                : > pressed
            fi
        done
        until [[ -s status ]]; do
            while zpty -r -t worker output; do print -rn -- $output >> screen; done
            sleep 0.05
        done
        zpty -d worker
        """#

    /// What the command noted, and the worker's status.
    private func press(_ presses: Int, _ fixture: Fixture, _ command: String) async throws -> (
        log: String, status: String
    ) {
        let folder = try TemporaryFolder()
        let variables = [
            "FOLDER": folder.path, "WORKQ": WorkqProcess.executable, "QUEUE": fixture.queue, "COMMAND": command,
            "PRESSES": "\(presses)",
        ]
        try await Shell.run(
            ["zsh", "-f", "-c", Self.terminal], environment: fixture.environment.merging(variables) { $1 })
        return (folder.read("log"), folder.read("status").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test("W5 Ctrl-C on a terminal reaches the worker alone: it takes no more, and lets its command finish")
    func oneInterrupt() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let (log, status) = try await press(
            1, fixture, "echo start >> log; until [ -e pressed ]; do sleep 0.1; done; echo end >> log")
        #expect(log == "start\nend\n" && status == "0", "\(log) \(status)")
        try await fixture.holds(1)
    }

    @Test("W5 a second Ctrl-C ends the command, and its task goes back")
    func twoInterrupts() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let command =
            "trap 'echo ended >> log; exit 1' TERM; echo start >> log; "
            + "until [ -e pressed ]; do sleep 0.1; done; echo more >> log; "
            + "while :; do sleep 0.1; done"
        let (log, status) = try await press(2, fixture, command)
        #expect(log == "start\nmore\nended\n" && status == "0", "\(log) \(status)")
        try await fixture.holds(1)
        #expect(fixture.ready("\(fixture.queue).dead") == nil)
    }

    @Test("W6 a service manager that ends worker and command at once: the task goes back and counts no attempt")
    func wholeGroupEnded() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["x"])
        let worker = try fixture.start("work", fixture.queue, "--max-attempts", "1", "--", "sleep", "60")
        try await eventually("the command runs") { worker.children.count == 1 }
        let command = try #require(worker.children.first)
        worker.signal(SIGTERM)
        kill(command, SIGTERM)
        let result = try await worker.wait(timeout: .seconds(20))
        #expect(result.status == 0, "\(result)")
        try await fixture.holds(1)
        #expect(fixture.ready("\(fixture.queue).dead") == nil)
        let again = try await fixture.run(
            "work", fixture.queue, "--max-attempts", "1", "--drain", "--", "sh", "-c", "echo $WORKQ_ATTEMPT")
        // A quorum queue counts the return, and doesn't say what for.
        let attempt = ThrowawayBroker.usualQueueType == .quorum ? "2" : "1"
        #expect(again.status == 0 && again.lines == [attempt], "\(again)")
    }

    @Test("W8 a process that leaves its command's session outlives the task, and is no zombie when it ends")
    func daemon() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        try await fixture.publish(["x"])
        let script = "setsid sleep 3 > /dev/null 2>&1 & echo $! > \"$0\""
        let worker = try fixture.start("work", "-v", fixture.queue, "--", "sh", "-c", script, folder.path("pid"))
        try await worker.says("is acknowledged")
        let daemon = try #require(pid_t(folder.read("pid").trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(isAlive(daemon))
        try await eventually("it is gone, not a zombie") {
            !FileManager.default.fileExists(atPath: "/proc/\(daemon)")
        }
        try await worker.leave()
    }

    @Test("W16 a command longer than the broker's consumer_timeout: explained, survived, not run twice, settled once")
    func deliveryTimeout() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker(settings: "consumer_timeout = 15000\n") }
        // How often channels look at that; there is no setting for it.
        try await broker.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 1000).")
        let fixture = try Fixture(broker)
        let command = try HeldCommand()
        try await fixture.publish(["task"])
        let worker = try WorkqProcess(
            ["work", "-v", fixture.queue, "--"] + command.words, environment: fixture.environment)
        try await command.isStarted()
        try await worker.says("consumer_timeout, 15000 ms (15s); --timeout")
        try await worker.says("connected again")
        // Asking the broker would take its tools seconds, and the next time-out comes after fifteen.
        try await worker.says("which has come back")
        try command.letGo()
        try await worker.says("is acknowledged")
        try await worker.leave()
        #expect(command.log == "start\nend\n", "\(worker.errors)")
        try await fixture.holds(0)
        try await broker.stop()
    }

    @Test("W20 tasks beyond the running one are this worker's until it leaves, and go back then")
    func prefetched() async throws {
        let fixture = try Fixture()
        let command = try HeldCommand()
        try await fixture.publish((1...12).map(String.init))
        let worker = try WorkqProcess(
            ["work", fixture.queue, "--prefetch", "10", "--"] + command.words, environment: fixture.environment)
        try await command.isStarted()
        try await fixture.holds(2)
        try await worker.tells("1 running, 9 waiting")
        worker.signal(SIGTERM)
        try await fixture.holds(11)
        try command.letGo()
        #expect(try await worker.wait().status == 0)
        try await fixture.holds(11)
        #expect(command.log == "start\nend\n")
    }

    @Test("W26 the second worker on a queue with a single active consumer says that it gets nothing, and takes over")
    func singleActiveConsumer() async throws {
        let fixture = try Fixture()
        try fixture.channel().declareQueue(
            ShortString(fixture.queue), type: .classic, arguments: ["x-single-active-consumer": .bool(true)])
        let folder = try TemporaryFolder()
        let workers = try ["a", "b"].map { name in
            try fixture.start(
                "work", "-v", fixture.queue, "--", "sh", "-c", "cat >> \"$0\"; echo >> \"$0\"", folder.path(name))
        }
        try await eventually("both consume") { fixture.consumers() == 2 }
        try await fixture.publish(["1"])
        try await eventually("one has done it") { !(folder.read("a") + folder.read("b")).isEmpty }
        let active = folder.read("a").isEmpty ? 1 : 0
        try await workers[1 - active].says("no task for 10 s; where the queue holds some, other consumers get them")
        try await workers[active].leave()
        try await fixture.publish(["2"])
        let other = ["a", "b"][1 - active]
        try await eventually("the other takes over") { folder.read(other) == "2\n" }
        try await workers[1 - active].leave()
    }

    @Test("W26 a queue that another consumer has for itself is 65, in use, and no missing permission")
    func exclusiveConsumer() async throws {
        let fixture = try Fixture()
        // Quorum queues know no consumer that is alone.
        try fixture.channel().declareQueue(ShortString(fixture.queue), type: .classic)
        try await fixture.publish(["x"])
        let channel = try fixture.channel()
        _ = try channel.connection.request("consume exclusively") { state in
            amqp_basic_consume(
                state, Channel.number, amqp_cstring_bytes(fixture.queue), amqp_bytes_t(), 0, 0, 1, amqp_table_t())
        }
        let result = try await fixture.run("work", fixture.queue, "--", "true")
        #expect(result.status == 65, "\(result)")
        #expect(result.errors.contains("exclusive use") && !result.errors.contains("permission"), "\(result)")
        channel.connection.close()
    }

    @Test("N15 a broker that is away for long is tried ever more slowly, and told once")
    func reconnectStorm() async throws {
        let attempts = Locked<[ContinuousClock.Instant]>([])
        let peer = try ScriptedPeer(timeout: .seconds(60)) { peer in
            try peer.acceptWorker()
            peer.close()
            while true {
                let next = try peer.accept()
                attempts.with { $0.append(.now) }
                next.close()
            }
        }
        let worker = try WorkqProcess(
            ["work", "queue", "--retry-for", "15s", "--", "true"], environment: peer.environment)
        let (result, time) = try await worker.end(within: .seconds(60))
        #expect(result.status == 69, "\(result)")
        #expect(time > .seconds(3) && time < .seconds(40), "\(time)")
        let times = attempts.with { $0 }
        // Pauses of at least 0.25, 0.5, 1, 2, 4 and 8 seconds.
        #expect((2...6).contains(times.count), "\(times.count) attempts")
        #expect(result.errors.components(separatedBy: "Trying again").count <= 3, "\(result)")
    }

    @Test("of several URLs the first node that answers is taken, at the start and after a lost connection")
    func severalNodes() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let folder = try TemporaryFolder()
        let worker = try fixture.start(
            "work", fixture.queue, "--url", "amqp://guest:guest@127.0.0.1:1", "--url",
            "amqp://127.0.0.1:\(proxy.port)", "--url", fixture.broker.url, "--", "sh", "-c",
            "cat >> \"$0\"; echo >> \"$0\"", folder.path("done"))
        try await fixture.publish(["1"])
        try await eventually("the second node is used") { folder.read("done") == "1\n" }
        #expect(proxy.traffic(.toClient).forwarded > 0)
        proxy.mode = .reset(after: 0, .toClient)
        try await worker.says("connected again")
        try await fixture.publish(["2"])
        // The first task comes again, before or after the second, if its acknowledgement was lost.
        try await eventually("the third node is used") { folder.read("done").contains("2\n") }
        try await worker.leave()
    }

    @Test(
        "M15 M16 M18 foreign and hostile tasks: nothing but WORKQ_ variables, no NUL, bytes and newlines as they came")
    func hostileTasks() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let channel = try fixture.channel()
        try channel.declareQueue(ShortString(fixture.queue), type: .classic)
        // M15: nothing but a body.
        try channel.publish(
            [0, 10, 255], exchange: "", routingKey: ShortString(fixture.queue), mandatory: false,
            properties: MessageProperties())
        var properties = MessageProperties()
        properties.messageID = "a\nb; rm -rf /"
        properties.headers = [
            "LD_PRELOAD": .text("/evil.so"), "PATH": .text("/evil"), "BASH_ENV": .text("/evil"), "IFS": .text("x"),
            "nul": .text("a\0PATH=/evil"), "line": .text("one\ntwo"),
        ]
        try channel.publish(
            Array("-rf".utf8), exchange: "", routingKey: ShortString(fixture.queue), mandatory: false,
            properties: properties)
        try await fixture.holds(2)
        let script =
            "env -0 > \"$0.$WORKQ_REDELIVERED.env\"; cat > \"$0.body\"; [ \"$WORKQ_MESSAGE_ID\" ] || exit 0; exec sleep 60"
        let first = try fixture.start("work", fixture.queue, "--", "sh", "-c", script, folder.path("task"))
        func variables(_ file: String) -> [String] {
            folder.read(file).split(separator: "\0").map(String.init)
        }
        try await eventually("the second task runs") { folder.read("task.body") == "-rf" }
        let seen = variables("task.0.env")
        #expect(seen.contains("WORKQ_MESSAGE_ID=a\nb; rm -rf /") && seen.contains("WORKQ_HEADER_LINE=one\ntwo"))
        #expect(seen.contains("WORKQ_HEADER_NUL=aPATH=/evil") && seen.contains("WORKQ_HEADER_LD_PRELOAD=/evil.so"))
        #expect(!seen.contains { $0.hasPrefix("LD_PRELOAD=") || $0.hasPrefix("BASH_ENV=") || $0 == "PATH=/evil" })
        // M18: the same task again, and it says so.
        first.signal(SIGKILL)
        _ = try await first.wait()
        let second = try fixture.start("work", fixture.queue, "--", "sh", "-c", script, folder.path("task"))
        try await eventually("the task comes again") { variables("task.1.env").contains("WORKQ_REDELIVERED=1") }
        #expect(variables("task.1.env").contains("WORKQ_MESSAGE_ID=a\nb; rm -rf /"))
        #expect(variables("task.1.env").contains("WORKQ_ATTEMPT=1"))
        second.signal(SIGTERM)
        try await second.says("leaving")
        try await second.signalAgain(SIGTERM)
        _ = try await second.wait()
    }
}
