// `--check`: the way to the broker and what the command would need there, without doing any of it.

import Broker
import Management
import Options
import Posix
import Publisher

/// Connects in stages, each a line with its time; the exit status is that of the first stage that failed.
///
/// Nothing is changed: rights are asked for by requests that the broker refuses for another reason once the right is
/// there, and the right to publish by a message that no queue takes.
struct ConnectionCheck {
    private let command: String
    private let needs: [CheckedNeed]
    private let options: ConnectionOptions
    private let context: CommandContext
    private let report: CheckReport

    init(of command: String, _ values: some ConnectingValues, in context: CommandContext) {
        self.command = command
        needs = values.needs
        options = values.connection
        self.context = context
        report = CheckReport(context)
    }

    /// Throws what keeps it from beginning, and what keeps it from being read.
    func run() throws(CommandError) -> ExitStatus {
        if let reason = needs.lazy.compactMap(\.invalidity).first {
            throw CommandError(.usage, "\(command): \(reason)")
        }
        var parameters = try options.parameters(for: command, in: context)
        parameters.requestTimeout = parameters.connectTimeout
        // Each node: one that answers must not hide one that doesn't.
        let connections = parameters.nodes.map { node in
            NodeCheck(node: node, parameters: parameters, report: report).run(wallClock: context.wallClock())
        }
        if let connection = connections.lazy.compactMap(\.self).first {
            describe(connection)
            check(needs, on: connection, parameters)
        }
        checkAPI(parameters)
        for connection in connections { connection?.close() }
        if let error = report.writeFailure { throw error }
        return report.failure ?? .done
    }

    // MARK: - The broker

    private func describe(_ connection: Connection) {
        let version = connection.brokerVersion
        let cluster = connection.clusterName
        report.add(.fine, "broker", version + (cluster.isEmpty ? "" : ", cluster \(cluster)"))
        let heartbeat = connection.heartbeat.map { "heartbeats every \($0.shortText)" } ?? "no heartbeats"
        let channels = connection.channelMax == 0 ? "" : ", \(connection.channelMax) channels"
        report.add(.fine, "limits", "\(heartbeat), frames of \(connection.frameMax) bytes\(channels)")
        guard connection.isRabbitMQ,
            let major = version.dropFirst("RabbitMQ ".count).split(separator: ".").first.flatMap({ Int($0) })
        else { return }
        let size = major >= 4 ? "16" : "128"
        report.add(.fine, "limits", "tasks of up to \(size) MiB, unless max_message_size says otherwise")
        if major >= 4 {
            report.add(
                .fine, "limits",
                "quorum queues give a task up after 20 returns, unless their delivery limit says otherwise")
        }
    }

    private func check(_ needs: [CheckedNeed], on connection: Connection, _ parameters: ConnectionParameters) {
        report.begin()
        do throws(BrokerError) {
            let channel = try Channel(on: connection)
            for need in needs { try check(need, on: channel, until: .now + parameters.connectTimeout) }
        } catch {
            report.fail("right", CommandError(error))
        }
    }

    /// Throws when the connection is gone, and the needs that follow can't be checked.
    private func check(_ need: CheckedNeed, on channel: Channel, until end: Instant) throws(BrokerError) {
        switch need {
        case .queue(let name, let isCreated): try checkQueue(name, isCreated: isCreated, on: channel, until: end)
        case .exchange(let name):
            let isThere = try stage("exchange", "\"\(name)\" is there") { () throws(BrokerError) in
                try channel.checkExchange(ShortString(name))
            }
            if isThere { report.add(.unknown, "right", "write to exchange \"\(name)\": only publishing would tell") }
        case .read(let name):
            try checkRight("read from queue \"\(name)\"", on: channel) { () throws(BrokerError) in
                try channel.checkReading(from: ShortString(name))
            }
        case .configure(let name):
            try checkRight("configure queue \"\(name)\"", on: channel) { () throws(BrokerError) in
                try channel.checkConfiguring(ShortString(name))
            }
        case .write: try checkWriting(on: channel, until: end)
        case .managementAPI: break
        }
    }

    /// Asks for a right by a request that RabbitMQ refuses in any case; other brokers might do as they are told.
    private func checkRight(
        _ text: String, on channel: Channel, _ question: () throws(BrokerError) -> Void
    ) throws(BrokerError) {
        guard channel.connection.isRabbitMQ else {
            return report.add(.unknown, "right", "\(text): only RabbitMQ tells without doing it")
        }
        try stage("right", text, question)
    }

    /// Runs a question, and says what it came to, which is false for a failure. Throws when the connection is gone.
    @discardableResult
    private func stage(
        _ name: String, _ text: String, _ question: () throws(BrokerError) -> Void
    ) throws(BrokerError) -> Bool {
        do throws(BrokerError) {
            try question()
            report.add(.fine, name, text, at: .now)
            return true
        } catch {
            guard error.scope != .connection else { throw error }
            report.fail(name, CommandError(error))
            return false
        }
    }

    private func checkQueue(
        _ name: String, isCreated: Bool, on channel: Channel, until end: Instant
    ) throws(BrokerError) {
        do throws(BrokerError) {
            let status = try channel.status(ofQueue: ShortString(name))
            let tasks = status.ready == 1 ? "1 task is ready" : "\(status.ready) tasks are ready"
            let consumers = status.consumers == 1 ? "1 consumer" : "\(status.consumers) consumers"
            report.add(.fine, "queue", "\"\(name)\": \(tasks), \(consumers)", at: .now)
        } catch {
            guard error.scope == .channel else { throw error }
            try channel.open()
            guard error.code == .notFound, !error.isRetriable, isCreated else {
                return report.fail("queue", CommandError(error))
            }
            report.add(.note, "queue", "\"\(name)\" isn't there; \(command) creates it", at: .now)
            try check(.configure(name), on: channel, until: end)
        }
    }

    /// Sends a message that no queue takes, and a question behind it. A broker that is short of memory or disk says so
    /// to who publishes, and doesn't get to the question.
    private func checkWriting(on channel: Channel, until end: Instant) throws(BrokerError) {
        let right = "write to exchange \"amq.default\""
        var ids = MessageIDs()
        let nowhere = ShortString("workq-check-\(ids.next().text)")
        try channel.publish(
            [], exchange: "", routingKey: nowhere, mandatory: true, properties: MessageProperties())
        try channel.sendStatusRequest(ofQueue: nowhere)
        var isAllowed = false
        while let event = try channel.connection.nextEvent(until: end) {
            switch event {
            case .returned:
                isAllowed = true
                report.add(.fine, "right", right, at: .now)
            case .channelClosed(var error):
                if !isAllowed {
                    error.operation = "publish by queue name"
                    if error.code == .accessRefused { error.neededPermission = right }
                    report.fail("right", CommandError(error))
                }
                return try channel.open()
            case .connectionClosed(let error): throw error
            case .blocked(let reason):
                return report.fail("alarm", CommandError(.temporaryFailure, "the broker takes no tasks: \(reason)"))
            default: continue
            }
        }
        report.add(.unknown, "right", "\(right): the broker doesn't answer", at: .now)
    }

    // MARK: - The management API

    private func checkAPI(_ parameters: ConnectionParameters) {
        report.begin()
        do throws(CommandError) {
            let api = try options.managementParameters(login: parameters.login, in: context)
            do throws(ManagementError) {
                let overview = try ManagementAPI(api).overview(by: .now + api.connectTimeout)
                report.add(
                    .fine, "api",
                    "\(overview.endpoint), RabbitMQ \(overview.brokerVersion), plugin \(overview.pluginVersion)",
                    at: .now)
            } catch {
                throw CommandError(error, of: command)
            }
        } catch {
            if needs.contains(.managementAPI) {
                report.fail("api", error)
            } else {
                report.add(.note, "api", error.message, at: .now)
            }
        }
    }
}
