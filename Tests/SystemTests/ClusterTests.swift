// What a cluster is for: nodes die, and the work goes on. These tests have three nodes of their own.

import Foundation
import TestSupport
import Testing

@Suite("cluster", .serialized, .timeLimit(.minutes(15)))
struct ClusterTests {
    @Test("C1 publish goes on through another node when its queue's leader is killed, and nothing confirmed is lost")
    func publishing() async throws {
        let cluster = try await onOwnThread { try Cluster() }
        let fixture = try Fixture(cluster.nodes[1])
        let count = 150_000
        let lines = (1...count).map { "\($0)\n" }.joined()
        // A queue's first leader is where it was declared: on the first node.
        let publish = try cluster.start(
            "publish", "--queue-type", "quorum", "--retry-for", "2m", "--lines", fixture.queue, "-v",
            input: .text(lines))
        try await eventually("some tasks are there", within: .seconds(60)) { (fixture.ready() ?? 0) > 0 }
        try await cluster.nodes[0].kill()
        let result = try await publish.wait(timeout: .seconds(180))
        #expect(result.status == 0 && result.errors.contains("Trying again"), "\(result)")
        #expect(result.errors.contains("\(count) tasks confirmed"), "\(result)")

        let drained = try await cluster.start("work", fixture.queue, "--drain").wait(timeout: .seconds(180))
        #expect(drained.status == 0, "\(drained.errors)")
        let sent = (1...count).map { ($0, Checker.Outcome.confirmed) }
        let report = Checker.check(
            sent: Dictionary(uniqueKeysWithValues: sent), seen: drained.lines.compactMap { Int($0) })
        #expect(report.isSound, "\(report)")
        // What was under way when the node died: a window of tasks, once more at most for each new connection.
        #expect(report.duplicateCount <= 2_000, "\(report)")
        try await cluster.stop()
    }

    @Test("C2 a worker outlives ten deaths of its queue's leader, and every task is done")
    func working() async throws {
        let cluster = try await onOwnThread { try Cluster() }
        let fixture = try Fixture(cluster.nodes[0])
        let folder = try TemporaryFolder()
        let worker = try cluster.start(
            "work", fixture.queue, "-v", "-j", "4", "--queue-type", "quorum", "--", "sh", "-c",
            "cat >> \"$0\"; sleep 0.2", folder.path("done"))
        try await worker.says("was created")
        var count = 0
        for _ in 1...10 {
            let tasks = (count + 1...count + 30).map { "\($0)\n\0" }.joined()
            count += 30
            let publish = try cluster.start("publish", "--retry-for", "2m", "-0", fixture.queue, input: .text(tasks))
            let published = try await publish.wait(timeout: .seconds(150))
            #expect(published.status == 0, "\(published)")
            let leader = try await cluster.leader(of: fixture.queue)
            try await leader.kill()
            try await Task.sleep(for: .milliseconds(500))
            try await leader.restart()
        }
        func done() -> Set<Int> { Set(folder.read("done").split(separator: "\n").compactMap { Int($0) }) }
        try await eventually("all tasks are done", within: .seconds(120)) { done() == Set(1...count) }
        try await eventually("all tasks are acknowledged", within: .seconds(60)) { fixture.ready() == 0 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && result.errors.contains("connected again"), "\(result)")
        try await cluster.stop()
    }

    @Test("C3 without the majority of its queue's nodes publish reports no success, and waits for them when it should")
    func minority() async throws {
        let cluster = try await onOwnThread { try Cluster() }
        let fixture = try Fixture(cluster.nodes[0])
        let created = try await fixture.run("publish", "--queue-type", "quorum", fixture.queue, "1")
        #expect(created.status == 0, "\(created)")
        for node in cluster.nodes[1...] { try await node.kill() }
        let refused = try await fixture.run("publish", "--confirm-timeout", "5s", fixture.queue, "2")
        #expect(refused.status == (refused.errors.contains("unknown") ? 76 : 75), "\(refused)")
        #expect(refused.errors.contains("majority") || refused.errors.contains("unknown"), "\(refused)")

        let patient = try fixture.start("publish", "--confirm-timeout", "5s", "--retry-for", "5m", fixture.queue, "3")
        try await patient.says("Trying again")
        for node in cluster.nodes[1...] { try await node.restart() }
        let result = try await patient.wait(timeout: .seconds(330))
        #expect(result.status == 0, "\(result)")
        let drained = try await fixture.run("work", fixture.queue, "--drain")
        #expect(Set(drained.lines).isSuperset(of: ["1", "3"]), "\(drained)")
        try await cluster.stop()
    }
}

/// Three nodes that know each other.
final class Cluster: Sendable {
    let nodes: [ThrowawayBroker]

    init() throws {
        let first = try ThrowawayBroker()
        nodes = [first, try ThrowawayBroker(joining: first), try ThrowawayBroker(joining: first)]
    }

    /// A workq that knows all nodes, the first one first.
    func start(_ words: String..., input: WorkqProcess.Input = .nothing) throws -> WorkqProcess {
        let urls = nodes.flatMap { ["--url", $0.url] }
        return try WorkqProcess(words.prefix(1) + urls + words.dropFirst(), input: input)
    }

    /// The node of a quorum queue's leader, which may have to be elected first.
    func leader(of queue: String) async throws -> ThrowawayBroker {
        var leader: ThrowawayBroker?
        try await eventually("\(queue) has a leader", within: .seconds(60)) {
            let rows = (try? await nodes[0].ctl("-q", "list_queues", "name", "leader")) ?? ""
            let words = rows.split(separator: "\n").map { $0.split(separator: "\t") }
            let name = words.first { $0.count == 2 && $0[0] == queue }?[1]
            leader = nodes.first { $0.node == name ?? "" }
            return leader != nil
        }
        return try #require(leader)
    }

    /// The first node has what the others need.
    func stop() async throws {
        for node in nodes.reversed() { try await node.stop() }
    }
}
