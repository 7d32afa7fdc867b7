// Connections that break at a chosen byte, between the real workq and a real broker.

import Foundation
import TestSupport
import Testing

@Suite("network cuts", .serialized, .timeLimit(.minutes(5)))
struct NetworkCutTests {
    /// More than one frame holds.
    private static let taskSize = 140_000
    private static let frameSize = 131_072

    @Test("N8 a connection cut anywhere in a delivery: no command sees a part of the task, and every task is done")
    func cutInsideDelivery() async throws {
        let (sum, size) = try await deliver(cutAt: nil)
        try #require(sum.hasSuffix(" \(Self.taskSize)\n") && size > Self.taskSize, "\(sum) in \(size) bytes")
        // Every part of the method and the header, both sides of where the first body frame ends, and the rest.
        let start = size - Self.taskSize - 2 * AMQPFrame.overhead
        let boundary = start + Self.frameSize
        let positions =
            Array(stride(from: 0, through: start + 16, by: 9)) + [boundary - 1, boundary, boundary + 1, boundary + 7]
            + [20_000, 70_000, 131_000, size - 2, size - 1]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    for index in stride(from: lane, to: positions.count, by: 4) {
                        let fault: TCPProxy.Mode =
                            index.isMultiple(of: 2)
                            ? .cut(after: positions[index], .toClient) : .reset(after: positions[index], .toClient)
                        let (result, _) = try await deliver(cutAt: fault)
                        #expect(result == sum, "\(fault) of \(size)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Lets a worker do one task whose delivery meets a fault, and returns the checksums that its commands saw, and the
    /// bytes of the delivery when there was no fault.
    private func deliver(cutAt fault: TCPProxy.Mode?) async throws -> (sums: String, size: Int) {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        let worker = try WorkqProcess(
            ["work", fixture.queue, "--", "sh", "-c", "cksum >> \"$0\"", folder.path("sums")],
            environment: proxy.environment)
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        try await proxy.becomesQuiet()
        let before = proxy.traffic(.toClient).forwarded
        if let fault { proxy.mode = fault }
        try await fixture.publish([String(repeating: "task ", count: Self.taskSize / 5)])
        if let fault {
            try await eventually("the connection breaks: \(fault)") { worker.errors.contains("Trying again") }
            proxy.mode = .pass
        }
        try await eventually("the task is done: \(String(describing: fault))", within: .seconds(40)) {
            folder.read("sums").hasSuffix("\n")
        }
        let size = proxy.traffic(.toClient).forwarded - before
        try await worker.leave()
        try await fixture.holds(0)
        return (folder.read("sums"), size)
    }

    @Test(
        "N9 a connection cut at any byte of the login and of the first publish is 69 or 76, or 0 once it is confirmed",
        arguments: [TCPProxy.Direction.toClient, .toUpstream])
    func cutInsideLogin(direction: TCPProxy.Direction) async throws {
        let fixture = try Fixture()
        let measuring = try TCPProxy(upstreamPort: fixture.broker.port)
        let whole = try await publish(fixture, measuring)
        try #require(whole.result.status == 0, "\(whole.result)")
        let size = measuring.traffic(direction).forwarded
        try #require((200..<3_000).contains(size))
        var confirmed = 0
        for position in Array(stride(from: 0, to: size, by: 9)) + [size + 1_000] {
            let fault: TCPProxy.Mode =
                position.isMultiple(of: 2) ? .cut(after: position, direction) : .reset(after: position, direction)
            let proxy = try TCPProxy(upstreamPort: fixture.broker.port, mode: fault)
            let (result, time) = try await publish(fixture, proxy)
            #expect([0, 69, 76].contains(result.status), "\(fault) of \(size): \(result)")
            #expect(time < .seconds(30), "\(fault): \(time)")
            #expect((result.status == 0) == result.errors.isEmpty, "\(fault) of \(size): \(result)")
            if result.status == 0 { confirmed += 1 }
        }
        // Nothing that workq called confirmed is missing; what was cut off may be there or not.
        #expect(confirmed > 0 && fixture.ready() ?? 0 > confirmed, "\(confirmed) and \(fixture.ready() ?? 0)")
    }

    private func publish(
        _ fixture: Fixture, _ proxy: TCPProxy
    ) async throws -> (result: WorkqProcess.Result, time: Duration) {
        let process = try WorkqProcess(
            ["publish", fixture.queue, "task", "--connect-timeout", "10s", "--confirm-timeout", "10s"],
            environment: proxy.environment)
        return try await process.end(within: .seconds(60))
    }

    @Test("N9 a worker that can't log in at its start is 69, one that could once keeps trying")
    func cutReconnects() async throws {
        let fixture = try Fixture()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port, mode: .cut(after: 300, .toClient))
        let first = try await WorkqProcess.run(
            ["work", fixture.queue, "--", "true"], environment: proxy.environment, timeout: .seconds(30))
        #expect(first.status == 69, "\(first)")
        proxy.mode = .pass
        let worker = try WorkqProcess(["work", "-v", fixture.queue, "--", "true"], environment: proxy.environment)
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        proxy.mode = .reset(after: 0, .toClient)
        try await worker.says("Trying again")
        for fault in [TCPProxy.Mode.cut(after: 300, .toClient), .reset(after: 100, .toUpstream)] {
            let breaks = worker.count(of: "Trying again")
            proxy.mode = fault
            try await eventually("it tries in vain") { worker.count(of: "Trying again") > breaks }
        }
        proxy.mode = .pass
        try await worker.says("connected again", within: .seconds(60))
        try await worker.leave()
    }

    @Test("W22 an acknowledgement that gets lost: the task runs again, and is acknowledged then")
    func lostAcknowledgement() async throws {
        let fixture = try Fixture()
        let command = try HeldCommand()
        let proxy = try TCPProxy(upstreamPort: fixture.broker.port)
        try await fixture.publish(["task"])
        let worker = try WorkqProcess(
            ["work", "-v", fixture.queue, "--"] + command.words, environment: proxy.environment)
        try await command.isStarted()
        proxy.mode = .stallRead(.toUpstream)
        try command.letGo()
        try await worker.says("is acknowledged")
        proxy.mode = .reset(after: 0, .toUpstream)
        try await worker.says("Trying again")
        try await fixture.holds(1)
        proxy.mode = .pass
        try await eventually("the task runs again") { command.log == "start\nend\nstart\nend\n" }
        try await eventually("it is acknowledged") { worker.count(of: "is acknowledged") == 2 }
        try await worker.leave()
        #expect(fixture.ready() == 0, "\(worker.errors)")
    }

    @Test("W18 a queue deleted under its worker is created and consumed again, and the log says what happened")
    func deletedQueue() async throws {
        let fixture = try Fixture()
        let folder = try TemporaryFolder()
        let worker = try fixture.start("work", fixture.queue, "--", "sh", "-c", "cat >> \"$0\"", folder.path("done"))
        for round in 1...2 {
            try await eventually("the worker consumes") { fixture.consumers() == 1 }
            _ = try fixture.channel().deleteQueue(.init(fixture.queue))
            try await eventually("the worker says so") { worker.count(of: "the queue was deleted") == round }
            try await eventually("it is connected again") { worker.count(of: "connected again") == round }
        }
        try await fixture.publish(["task"])
        try await eventually("the task is done") { folder.read("done") == "task" }
        try await worker.leave()
        try await fixture.holds(0)
    }

    @Test("W18 with --no-create a worker whose queue is deleted leaves with 65")
    func deletedQueueNotCreated() async throws {
        let fixture = try Fixture()
        try await fixture.publish([])
        try fixture.channel().declareQueue(.init(fixture.queue), type: .classic)
        let worker = try fixture.start("work", "--no-create", fixture.queue, "--", "true")
        try await eventually("the worker consumes") { fixture.consumers() == 1 }
        _ = try fixture.channel().deleteQueue(.init(fixture.queue))
        let result = try await worker.wait(timeout: .seconds(30))
        #expect(result.status == 65 && result.errors.contains("no queue '\(fixture.queue)'"), "\(result)")
        #expect(fixture.ready() == nil)
    }
}
