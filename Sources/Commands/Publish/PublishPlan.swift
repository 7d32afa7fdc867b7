// What a publish is to do, checked before anything is connected to.

import Broker
import Management
import Options
import Posix
import Publisher

/// The options of a publish put together, with everything found that can't work.
struct PublishPlan {
    let common: CommonOptions
    let form: InputSource.Form
    /// The operand.
    let task: [UInt8]?
    /// What holds the task; nil for standard input.
    let file: String?
    let skipsEmpty: Bool
    let allowsEmpty: Bool
    let printsIDs: Bool
    let format: PublishCommand.Format
    /// How long to wait for the answer; nil for not at all.
    let replyTime: Duration?
    /// Where tasks go, and what they have in common.
    let route: Route
    let messageID: ShortString?
    /// By which the answer is known: the task's, or where it has none its message id, as workers take it.
    let correlationID: ShortString?
    let timestamp: UInt64?
    let maximumDepth: Int?
    let spool: String?
    let unsentFile: String?
    let settings: PublishState.Settings
    /// Which broker's vhost the tasks are for.
    let place: () -> SpoolSegment.Place
    /// Where the management API is, for the guards; throws what is wrong with the options for it.
    let api: () throws(CommandError) -> ManagementAPI
    /// The user that the broker knows this publish by; nil where only the broker knows.
    let login: String?

    /// Whether tasks must be kept as they stood in the input until they are confirmed.
    var keepsInputForm: Bool { unsentFile != nil }

    init(
        _ values: PublishCommand.Values, _ parameters: ConnectionParameters, in context: CommandContext
    ) throws(CommandError) {
        let (destination, task) = try Self.destination(values)
        common = values.common
        form = values.form
        self.task = task.map { Array($0.utf8) }
        file = values.file == "-" ? nil : values.file
        skipsEmpty = values.skipsEmpty
        allowsEmpty = values.allowsEmpty
        printsIDs = values.printsIDs
        format = values.format
        replyTime = values.replyTime
        var ids = MessageIDs()
        messageID = values.properties.messageID ?? (replyTime == nil ? nil : ids.next().text)
        correlationID = values.properties.correlationID ?? messageID
        timestamp = values.properties.timestamp
        maximumDepth = values.maximumDepth
        spool = values.spool
        unsentFile = values.unsentFile
        settings = Self.settings(values)
        place = { Self.place(values, parameters) }
        api = { () throws(CommandError) in
            let parameters = try values.connection.managementParameters(login: parameters.login, in: context)
            do throws(ManagementError) {
                return try ManagementAPI(parameters)
            } catch {
                throw CommandError(error, of: PublishCommand.name)
            }
        }
        if case .plain(let name, _) = parameters.login { self.login = name } else { self.login = nil }
        do throws(BrokerError) {
            var properties = Self.properties(values)
            if replyTime != nil {
                properties.replyTo = .directReplyTo
                properties.correlationID = correlationID
            }
            route = try Route(to: destination, properties: properties)
            properties.messageID = messageID
            if let reason = properties.invalidity(frameMax: Connection.greatestFrameMax) {
                throw BrokerError("publish", .invalidInput, scope: .client, reason)
            }
        } catch {
            throw CommandError(error)
        }
    }

    static func settings(_ values: PublishCommand.Values) -> PublishState.Settings {
        var settings = PublishState.Settings()
        settings.waitsForConfirms = values.confirms
        // A broker that isn't pressed takes up to a quarter of a second to write and confirm, and the window must hold
        // what goes meanwhile.
        let perSecond = values.interval.map { Int(1_000_000_000 / max(1, $0.nanoseconds)) } ?? 0
        settings.window = values.window ?? min(max(settings.window, perSecond), Int(UInt16.max))
        settings.interval = values.interval
        settings.confirmTimeout = values.confirmTimeout
        settings.retryFor = values.retryFor
        return settings
    }

    static func place(_ values: PublishCommand.Values, _ parameters: ConnectionParameters) -> SpoolSegment.Place {
        let nodes = Set(parameters.nodes.map(\.description)).sorted().joined(separator: ",")
        return SpoolSegment.Place(cluster: values.spoolName ?? nodes, vhost: parameters.vhost)
    }

    private static func usage(_ message: String) -> CommandError { CommandError(.usage, "publish: \(message)") }

    /// Finds what can't be meant, which needs to know nothing else.
    static func check(_ values: PublishCommand.Values) throws(CommandError) {
        // The one operand is the task where an exchange is named, so no row can say this.
        guard try destination(values).task == nil || values.form == .one && values.file == nil else {
            throw usage("TASK and --file, --lines, --null or --ndjson exclude each other")
        }
    }

    /// Where to, and the task if there is one among the operands.
    private static func destination(
        _ values: PublishCommand.Values
    ) throws(CommandError) -> (Destination, task: String?) {
        guard values.exchange == nil, values.routingKey == nil else {
            guard values.second == nil else {
                throw usage("QUEUE and --exchange or --routing-key exclude each other")
            }
            let destination = Destination(
                exchange: ShortString(values.exchange ?? ""), routingKey: ShortString(values.routingKey ?? ""))
            return (destination, values.first)
        }
        guard let name = values.first else { throw usage("QUEUE is missing. Try 'workq publish --help'") }
        let format = ValueFormat.targetQueue
        guard let queue = format.parse(name) else {
            throw usage("QUEUE must be \(format.expectation()), not \"\(name)\"")
        }
        let creates = Destination.Queue(
            type: values.queueType,
            arguments: try FieldTable(ofNewQueue: values.queueArguments, for: PublishCommand.name))
        let destination = Destination.queue(
            queue, creates: values.createsQueue ? creates : nil, delay: values.delay)
        guard destination.firstRoutingKey.bytes.count <= ShortString.maximumCount else {
            throw usage("QUEUE is too long, \"\(destination.firstRoutingKey)\" would have more than 255 bytes")
        }
        return (destination, values.second)
    }

    /// What all tasks have, but for message id and timestamp.
    private static func properties(_ values: PublishCommand.Values) -> MessageProperties {
        var properties = values.properties
        properties.messageID = nil
        properties.timestamp = nil
        if !values.headers.isEmpty {
            var headers = FieldTable()
            for field in values.headers { headers[field.name] = field.value }
            properties.headers = headers
        }
        return properties
    }
}
