// A private RabbitMQ for tests, through the same script that people use.

import Foundation

/// A node of its own: started when it is made, stopped when the tests end.
///
/// `make matrix` runs the tests against other brokers: `WORKQ_BROKER_ROOT` is another root directory, whose RabbitMQ is
/// started (`throwaway-broker --root`), and `WORKQ_BROKER_SETTINGS` are lines for the rabbitmq.conf of every node.
package final class ThrowawayBroker: Sendable {
    package let directory: String
    package let url: String
    package let apiURL: String
    package let port: Int
    /// As other nodes of its cluster know it.
    package let node: String
    /// RabbitMQ's major version, 3 or 4, on which it depends what some tests can expect.
    package let majorVersion: Int

    /// One node that most tests share, each with queues of its own. `WORKQ_TEST_BROKER` names the folder of one that
    /// the caller starts and stops.
    package static let shared = Swift.Result { try ThrowawayBroker(directory: environment["WORKQ_TEST_BROKER"]) }

    private static let environment = ProcessInfo.processInfo.environment
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("throwaway-broker").path

    /// Starts a node, with `settings` added to its rabbitmq.conf. `plugins` is the content of its enabled_plugins;
    /// without it the management plugin is on. With `peer` the node joins the cluster of that one.
    package init(
        directory: String? = nil, settings: String = "", plugins: String? = nil, joining peer: ThrowawayBroker? = nil
    ) throws {
        let folder = directory ?? FileManager.default.temporaryDirectory.path + "/workq-broker-\(UUID().uuidString)"
        self.directory = folder
        let settings = [settings, Self.environment["WORKQ_BROKER_SETTINGS"] ?? ""].joined(separator: "\n")
        if settings != "\n" {
            try FileManager.default.createDirectory(atPath: folder + "/conf.d", withIntermediateDirectories: true)
            try settings.write(toFile: folder + "/conf.d/test.conf", atomically: false, encoding: .utf8)
        }
        if let plugins {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try plugins.write(toFile: folder + "/enabled_plugins", atomically: false, encoding: .utf8)
        }
        if let peer {
            _ = try Self.run("join", folder, [peer.directory])
        } else {
            _ = try Self.run("start", folder)
        }
        var values: [String: String] = [:]
        for line in try Self.run("env", folder).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { values[parts[0]] = parts[1].trimmingCharacters(in: ["'"]) }
        }
        guard let url = values["WORKQ_URL"], let apiURL = values["WORKQ_API_URL"],
            let port = values["WORKQ_BROKER_PORT"].flatMap(Int.init), let node = values["WORKQ_BROKER_NODE"],
            let major = values["WORKQ_BROKER_VERSION"]?.split(separator: ".").first.flatMap({ Int($0) })
        else { throw Failure("throwaway-broker env printed \(values)") }
        self.url = url
        self.apiURL = apiURL
        self.port = port
        self.node = node
        majorVersion = major
        if directory == nil { BrokersToStop.add(folder) }
    }

    package func stop() async throws { try await run("stop") }
    package func kill() async throws { try await run("kill") }
    package func restart() async throws { try await run("restart") }

    /// Runs rabbitmqctl on the node and returns its output.
    @discardableResult
    package func ctl(_ words: String...) async throws -> String { try await run("ctl", words) }

    /// The script bounds its time itself.
    @discardableResult
    private func run(_ command: String, _ words: [String] = []) async throws -> String {
        try await Shell.run([Self.script, command, directory] + words, timeout: .seconds(600))
    }

    /// Stops the node in `directory` and removes all that it has.
    fileprivate static func remove(_ directory: String) {
        _ = try? run("stop", directory)
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func run(_ command: String, _ directory: String, _ words: [String] = []) throws -> String {
        let root = environment["WORKQ_BROKER_ROOT"].map { ["--root", $0] } ?? []
        return try Shell.runBlocking([script] + root + [command, directory] + words)
    }
}

/// Nodes that are stopped when the process ends.
private enum BrokersToStop {
    private static let directories = Locked<[String]>([])

    static func add(_ directory: String) {
        directories.with { list in
            if list.isEmpty { atexit { BrokersToStop.stopAll() } }
            list.append(directory)
        }
    }

    private static func stopAll() {
        // Those that have joined a node need its folder.
        directories.with { $0.reversed().forEach(ThrowawayBroker.remove) }
    }
}
