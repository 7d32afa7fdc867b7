// What most system tests begin with: the broker, a queue of the test's own, and ways to look at it.

import Broker
import Foundation
import TestSupport
import Testing

/// A queue name that no other test uses, on a broker, and workq pointed at that broker.
final class Fixture {
    let broker: ThrowawayBroker
    let queue: String
    private var extraQueues: [String] = []

    init(_ broker: ThrowawayBroker? = nil) throws {
        self.broker = try broker ?? ThrowawayBroker.shared.get()
        queue = "test-\(UUID().uuidString.prefix(8))"
    }

    deinit {
        guard let channel = try? channel() else { return }
        for name in [queue, "\(queue).dead"] + extraQueues { channel.delete(name) }
    }

    /// With time for a login to a broker that hundreds of other tests keep busy.
    var environment: [String: String] {
        ["WORKQ_URL": "\(broker.url)?connection_timeout=30000", "WORKQ_API_URL": broker.apiURL]
    }

    /// Another queue that is removed with the test.
    func anotherQueue(_ suffix: String) -> String { removed("\(queue)-\(suffix)") }

    /// The retry queue for a delay, removed with the test.
    func retryQueue(_ delay: String) -> String { removed("\(queue).retry.\(delay)") }

    private func removed(_ name: String) -> String {
        if !extraQueues.contains(name) { extraQueues.append(name) }
        return name
    }

    func run(
        _ arguments: String..., input: WorkqProcess.Input = .nothing, environment: [String: String] = [:],
        timeout: Duration = .seconds(60)
    ) async throws -> WorkqProcess.Result {
        try await WorkqProcess.run(
            arguments, input: input, environment: self.environment.merging(environment) { $1 }, timeout: timeout)
    }

    func start(
        _ arguments: String..., input: WorkqProcess.Input = .nothing, environment: [String: String] = [:]
    ) throws -> WorkqProcess {
        try WorkqProcess(arguments, input: input, environment: self.environment.merging(environment) { $1 })
    }

    /// Publishes tasks and makes sure that they are there.
    func publish(_ tasks: [String]) async throws {
        let text = tasks.map { $0 + "\n" }.joined()
        let result = try await run("publish", "--lines", queue, input: .text(text))
        try #require(result.status == 0, "\(result)")
    }

    /// Tasks ready on the queue; nil when there is no such queue.
    func ready(_ name: String? = nil) -> Int? {
        (try? channel().status(ofQueue: ShortString(name ?? queue)))?.ready
    }

    /// Waits until so many tasks are ready: the broker puts back what a worker gave back a moment after the worker
    /// left.
    func holds(_ count: Int) async throws {
        try await eventually("\(count) tasks are ready on \(queue)") { ready() == count }
    }

    func consumers(_ name: String? = nil) -> Int {
        (try? channel().status(ofQueue: ShortString(name ?? queue)))?.consumers ?? 0
    }

    /// A channel of the test's own, on a node of its broker's cluster if need be.
    func channel(on node: ThrowawayBroker? = nil) throws -> Channel {
        var parameters = ConnectionParameters(
            nodes: [.init(host: "127.0.0.1", port: UInt16((node ?? broker).port), usesTLS: false)], vhost: "/",
            login: .plain(username: "guest", password: Secret("guest")), connectionName: "test")
        parameters.connectTimeout = .seconds(30)
        return try Channel(on: Connection.open(parameters))
    }
}

extension Channel {
    /// Removes a queue, quietly: rabbitmqctl takes seconds and workq may be what is under test.
    fileprivate func delete(_ queue: String) {
        _ = try? deleteQueue(ShortString(queue))
    }
}

extension WorkqProcess {
    /// Waits until the process has written `text` to standard error.
    func says(_ text: String, within timeout: Duration = .seconds(60)) async throws {
        try await eventually("\"\(text)\" on standard error, which has: \(errors)", within: timeout) {
            errors.contains(text)
        }
    }
}

/// Whether a process with this id is alive (a zombie isn't).
func isAlive(_ pid: pid_t) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
}
