// A cluster in two parts, seen from the smaller one, and a worker that everybody takes for dead.

import Foundation
import TestSupport
import Testing

extension Cluster {
    /// Cuts a node off: it refuses the others' connections, and they refuse its.
    fileprivate func isolate(_ node: ThrowawayBroker) async throws {
        try await node.ctl(
            "eval",
            "[begin erlang:set_cookie(N, apart), erlang:disconnect_node(N) end || N <- \(otherNames(than: node))].")
    }

    /// Lets the nodes find each other again.
    fileprivate func rejoin(_ node: ThrowawayBroker) async throws {
        try await node.ctl("eval", "[erlang:set_cookie(N, erlang:get_cookie()) || N <- \(otherNames(than: node))].")
    }

    /// As a list of Erlang's.
    private func otherNames(than node: ThrowawayBroker) -> String {
        "[" + nodes.filter { $0 !== node }.map { "'\($0.node)'" }.joined(separator: ", ") + "]"
    }
}

@Suite("partitions", .serialized, .timeLimit(.minutes(10)))
struct PartitionTests {
    @Test("C4 R22 a node without the others confirms nothing; publish goes on through these, and nothing is lost")
    func minority() async throws {
        let cluster = try await onOwnThread { try Cluster() }
        let lonely = cluster.nodes[0]
        let fixture = try Fixture(lonely)
        // A queue's first leader is where it was declared.
        let created = try await fixture.run("publish", "--queue-type", "quorum", fixture.queue, "1")
        #expect(created.status == 0, "\(created)")
        let pipe = try TaskPipe()
        let publish = try cluster.start(
            "publish", "--lines", fixture.queue, "--confirm-timeout", "5s", "--retry-for", "5m", "-v",
            input: pipe.input)
        try pipe.write("2\n")
        try await eventually("the second task is there") { fixture.ready() == 2 }
        try await cluster.isolate(lonely)

        let alone = try await fixture.run("publish", "--confirm-timeout", "5s", fixture.queue, "alone")
        #expect(alone.status == 76 && alone.errors.contains("The outcome is unknown"), "\(alone)")
        let drain = try await fixture.run("work", fixture.queue, "--drain")
        #expect(drain.status == 75 && drain.errors.contains("has it lost its majority?"), "\(drain)")
        try pipe.write("3\n4\n")
        try pipe.close()
        let result = try await publish.wait(timeout: .seconds(200))
        #expect(result.status == 0 && result.errors.contains("3 tasks confirmed"), "\(result)")

        try await cluster.rejoin(lonely)
        let drained = try await Fixture(cluster.nodes[1]).run("work", fixture.queue, "--drain")
        #expect(drained.status == 0, "\(drained)")
        let numbers = drained.lines.compactMap { Int($0) }
        #expect(Set(numbers) == [1, 2, 3, 4], "\(drained)")
        #expect(Set(drained.lines).isSubset(of: ["1", "2", "3", "4", "alone"]), "\(drained)")
        try await cluster.stop()
    }

    @Test("W27 a worker suspended for longer than its heartbeats connects again, and its command settles the task")
    func suspended() async throws {
        let fixture = try Fixture()
        let command = try HeldCommand()
        try await fixture.publish(["task"])
        let worker = try WorkqProcess(
            ["work", "-v", fixture.queue, "--heartbeat", "1", "--"] + command.words,
            environment: fixture.environment)
        try await command.isStarted()
        worker.signal(SIGSTOP)
        try await eventually("the broker has given the worker up", within: .seconds(60)) { fixture.ready() == 1 }
        worker.signal(SIGCONT)
        try await worker.says("connected again", within: .seconds(60))
        try await worker.says("which has come back", within: .seconds(60))
        try command.letGo()
        try await worker.says("is acknowledged")
        try await worker.leave()
        #expect(command.log == "start\nend\n", "\(worker.errors)")
        try await fixture.holds(0)
    }
}
