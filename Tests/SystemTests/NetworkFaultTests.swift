// Networks that go silent, stall or crawl, between the real workq and a real broker.

import Foundation
import TestSupport
import Testing

@Suite("network faults", .serialized, .timeLimit(.minutes(5)))
struct NetworkFaultTests {
    private static let large = [UInt8](repeating: 0x61, count: 32 << 20)
    /// What a step that is bounded by 2 seconds may take on a busy machine, where other tests hold threads up.
    private static let bound = Duration.seconds(30)

    @Test("N4 a worker in a blackhole notices by the heartbeats, comes back, and its running command settles the task")
    func blackholeWhileConsuming() async throws {
        let fixture = try Fixture()
        let command = try HeldCommand()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, captures: true)
        let task = "task of \(fixture.queue)"
        try await fixture.publish([task])
        let worker = try WorkqProcess(
            ["work", fixture.queue, "-v", "--heartbeat", "1", "--connect-timeout", "5s", "--"] + command.words,
            environment: proxy.environment)
        try await command.isStarted()

        proxy.mode = .blackhole
        let start = ContinuousClock.now
        try await worker.says("no heartbeat from the broker. Trying again", within: .seconds(40))
        #expect(ContinuousClock.now - start < Self.bound)
        try await eventually("the broker gives the task up too", within: .seconds(40)) { fixture.ready() == 1 }

        proxy.mode = .pass
        try await worker.says("connected again", within: .seconds(60))
        try await eventually("the task comes a second time") {
            let bytes = Data(proxy.traffic(.toClient).captured)
            guard let first = bytes.range(of: Data(task.utf8)) else { return false }
            return bytes[first.upperBound...].range(of: Data(task.utf8)) != nil
        }
        try command.letGo()
        try await worker.says("is acknowledged")
        try await worker.leave()
        #expect(command.log == "start\nend\n", "\(worker.errors)")
        #expect(fixture.ready() == 0, "\(worker.errors)")
    }

    @Test("N5 a blackhole after some tasks ends a publish in time, with what is confirmed and what is unknown")
    func blackholeWhilePublishing() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", fixture.queue, "--print-id", "--confirm-timeout", "2s"], input: pipe.input,
            environment: proxy.environment)
        try pipe.write("1\n2\n3\n")
        try await publish.confirms(3)
        proxy.mode = .blackhole
        try pipe.write("4\n5\n")
        let (result, time) = try await publish.end(within: .seconds(60))
        #expect(result.status == 3 && time < Self.bound, "\(time) \(result)")
        #expect(result.errors.contains("3 confirmed, 2 unknown (the broker may have them)"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 4"), "\(result)")
    }

    @Test("N5 a publish whose connection died while it waited for input says so, and loses count of nothing")
    func blackholeWhileIdle() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", fixture.queue, "--print-id", "--confirm-timeout", "2s", "--heartbeat", "1"],
            input: pipe.input, environment: proxy.environment)
        try pipe.write("1\n2\n3\n")
        try await publish.confirms(3)
        proxy.mode = .blackhole
        let (result, time) = try await publish.end(within: .seconds(60))
        #expect(result.status == 3 && time < Self.bound, "\(time) \(result)")
        #expect(result.errors.contains("no heartbeat") && result.errors.contains("3 confirmed"), "\(result)")
        #expect(result.errors.contains("the first one not confirmed is task 4"), "\(result)")
    }

    @Test("M7 a second interrupt waits for no more confirms, and says that the outcome is unknown")
    func impatience() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", fixture.queue, "--print-id", "--confirm-timeout", "10m", "--heartbeat", "0"],
            input: pipe.input, environment: proxy.environment)
        try pipe.write("1\n")
        try await publish.confirms(1)
        proxy.mode = .swallow
        let sent = proxy.traffic(.toUpstream).read
        try pipe.write("2\n")
        try await eventually("the second task is on its way") { proxy.traffic(.toUpstream).read > sent }
        publish.signal(SIGINT)
        try await Task.sleep(for: .seconds(3))
        #expect(isAlive(publish.pid))
        publish.signal(SIGINT)
        let result = try await publish.wait()
        #expect(result.status == 128 + SIGINT, "\(result)")
        #expect(result.errors.contains("1 confirmed") && result.errors.contains("unknown"), "\(result)")
    }

    @Test(
        "N5 N6 a large task into a network that stops taking it ends in time, as unknown",
        arguments: [
            TCPProxy.Mode.blackhole, .stallRead(.toUpstream), .throttle(bytesPerTick: 1, tick: .milliseconds(10)),
        ])
    func largeTask(fault: TCPProxy.Mode) async throws {
        let fixture = try Fixture()
        // Slow enough to be caught in the middle.
        let proxy = try TCPProxy(
            upstreamPort: fixture.broker.port, mode: .throttle(bytesPerTick: 16_384, tick: .milliseconds(5)))
        let publish = try WorkqProcess(
            ["publish", fixture.queue, "--confirm-timeout", "2s"], input: .bytes(Self.large),
            environment: proxy.environment)
        try await eventually("a part of the task is sent") { proxy.traffic(.toUpstream).read > 1 << 20 }
        proxy.mode = fault
        let (result, time) = try await publish.end(within: .seconds(60))
        #expect(proxy.traffic(.toUpstream).read < Self.large.count, "the fault came too late")
        #expect(result.status == 76 && time < Self.bound, "\(time) \(result)")
        #expect(result.errors.contains("The outcome is unknown"), "\(result)")
        #expect(fixture.ready() ?? 0 == 0)
    }

    @Test("P9 a task that takes longer to send than a confirm may take is sent once, and confirmed")
    func slowSend() async throws {
        let fixture = try Fixture()
        // 8 MB at 1 MB/s, and hardly anything fits in between.
        let proxy = try TCPProxy(
            upstreamPort: fixture.broker.port, mode: .throttle(bytesPerTick: 100_000, tick: .milliseconds(100)),
            bufferSize: 64 << 10)
        // At first there is no queue, and the broker sends all of the task back.
        for options in [[], ["--retry-for", "60s"], []] {
            let publish = try WorkqProcess(
                ["publish", fixture.queue, "-v", "--confirm-timeout", "5s"] + options,
                input: .bytes(Array(repeating: 0x78, count: 8_000_000)), environment: proxy.environment)
            let (result, time) = try await publish.end(within: .seconds(60))
            #expect(result.status == 0 && time > .seconds(6), "\(time) \(result)")
        }
        #expect(fixture.ready() == 3 && proxy.connectionCount == 3)
    }

    @Test("N5 a large task that is read and never answered is 76 by the confirm timeout, and unknown")
    func swallowed() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(
            upstreamPort: fixture.broker.port, mode: .throttle(bytesPerTick: 16_384, tick: .milliseconds(5)))
        let publish = try WorkqProcess(
            ["publish", fixture.queue, "--confirm-timeout", "6s"], input: .bytes(Self.large),
            environment: proxy.environment)
        try await eventually("a part of the task is sent") { proxy.traffic(.toUpstream).read > 1 << 20 }
        proxy.mode = .swallow
        let (result, time) = try await publish.end(within: .seconds(60))
        #expect(result.status == 76 && time < Self.bound, "\(time) \(result)")
        #expect(result.errors.contains("no confirm in 6s. The outcome is unknown"), "\(result)")
    }

    @Test("N5 a blackhole from the start is 69 within the connect timeout")
    func blackholeFromTheStart() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, mode: .blackhole)
        for arguments in [["publish", "q", "x"], ["work", "q", "--", "true"]] {
            let process = try WorkqProcess(
                arguments + ["--connect-timeout", "1s"].prefix(arguments.contains("--") ? 0 : 2),
                environment: ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:\(proxy.port)/?connection_timeout=1000"])
            let (result, time) = try await process.end(within: .seconds(60))
            #expect(result.status == 69 && time < Self.bound, "\(time) \(result)")
            #expect(result.errors.contains("no answer in time"), "\(result)")
        }
    }

    @Test("N7 a worker notices by the heartbeats that only its half of the connection is left")
    func halfOpenWorker() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let worker = try WorkqProcess(
            ["work", fixture.queue, "--heartbeat", "1", "--", "sh", "-c", "cat >> \"$0\"", folder.path("done")],
            environment: proxy.environment)
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        proxy.mode = .halfClose
        try await eventually("the broker has forgotten the worker") { fixture.consumers() == 0 }
        let start = ContinuousClock.now
        try await worker.says("no heartbeat", within: .seconds(40))
        #expect(ContinuousClock.now - start < Self.bound)
        proxy.mode = .pass
        try await fixture.publish(["task"])
        // Twice where a busy machine makes heartbeats of a second late.
        do {
            try await eventually("the task is done", within: .seconds(60)) { folder.read("done").hasPrefix("task") }
        } catch {
            Issue.record("\(error), but \"\(folder.read("done"))\" and \(worker.errors)")
        }
        try await worker.leave()
        try await fixture.holds(0)
    }

    @Test("N7 a publish whose broker is gone without a word ends by the confirm timeout, as unknown")
    func halfOpenPublish() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", fixture.queue, "--print-id", "--confirm-timeout", "2s"], input: pipe.input,
            environment: proxy.environment)
        try pipe.write("1\n")
        try await publish.confirms(1)
        proxy.mode = .halfClose
        try pipe.write("2\n")
        let (result, time) = try await publish.end(within: .seconds(60))
        #expect(result.status == 3 && time < Self.bound, "\(time) \(result)")
        #expect(result.errors.contains("1 confirmed, 1 unknown"), "\(result)")
        try await fixture.holds(1)
    }

    @Test("N10 over a line of 400 bytes a second workq logs in and publishes, or gives up by the connect timeout")
    func slowLogin() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(
            upstreamPort: fixture.broker.port, mode: .throttle(bytesPerTick: 4, tick: .milliseconds(10)))
        let impatient = try WorkqProcess(
            ["publish", fixture.queue, "x", "--connect-timeout", "500ms"], environment: proxy.environment)
        let (late, time) = try await impatient.end(within: .seconds(60))
        #expect(late.status == 69 && late.errors.contains("no answer in time"), "\(late)")
        #expect(time < Self.bound)
        let result = try await WorkqProcess.run(
            ["publish", fixture.queue, "x", "--connect-timeout", "60s"], environment: proxy.environment)
        #expect(result.status == 0, "\(result)")
        try await fixture.holds(1)
    }

    @Test("N10 a delivery that takes five heartbeats to arrive keeps its connection and is done in full")
    func slowDelivery() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let worker = try WorkqProcess(
            ["work", "-v", fixture.queue, "--heartbeat", "3", "--count", "1", "--", "cksum"],
            environment: proxy.environment)
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        proxy.mode = .throttle(bytesPerTick: 33, tick: .milliseconds(10))
        try await fixture.publish([String(repeating: "a", count: 50_000)])
        let result = try await worker.wait(timeout: .seconds(60))
        #expect(result.status == 0 && result.text == "2172474258 50000\n", "\(result)")
        #expect(!result.errors.contains("Trying again"), "\(result)")
        try await fixture.holds(0)
    }
}
