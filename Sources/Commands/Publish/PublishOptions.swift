// The options of workq publish.

import Broker
import JSON
import Options
import Publisher

extension PublishCommand {
    /// `--format`: what is printed in the end.
    enum Format: String, CaseIterable {
        case text, json
    }

    struct Values: SubcommandValues {
        var common = CommonOptions()
        var connection = ConnectionOptions()
        /// QUEUE and TASK, or only TASK where an exchange is named.
        var first: String?
        var second: String?
        /// `--file`; `-` is standard input.
        var file: String?
        var form = InputSource.Form.one
        var skipsEmpty = false
        var allowsEmpty = false
        var printsIDs = false
        var format = Format.text
        /// How long to wait for the answer.
        var replyTime: Duration?
        // Where to.
        var exchange: String?
        var routingKey: String?
        var createsQueue = true
        var queueType: QueueType?
        var queueArguments: [FieldTable.Field] = []
        var delay: Duration?
        var maximumDepth: Int?
        // Properties.
        var headers: [FieldTable.Field] = []
        /// Without headers, which are put together.
        var properties = persistent
        // Confirms, and what to do without them.
        var confirms = true
        var window: Int?
        /// The least time between two tasks.
        var interval: Duration?
        var confirmTimeout = Duration.seconds(30)
        var retryFor: Duration?
        var spool: String?
        var spoolName: String?
        var flushesOnly = false
        var unsentFile: String?

        private static let persistent: MessageProperties = {
            var properties = MessageProperties()
            properties.deliveryMode = 2
            return properties
        }()
    }

    static var inputOptions: [Option<Values>] {
        [
            .value(
                "--file", of: .file(), into: \.file, default: "standard input",
                "publish what is in FILE as one task; - is standard input"),
            .flag("-l", "--lines", sets: \.form, to: .lines, "read a task a line from standard input"),
            .flag(
                "-0", "--null", sets: \.form, to: .nullSeparated, "read tasks separated by NUL from standard input"),
            .flag(
                "--ndjson", sets: \.form, to: .records, "read a task a line as a JSON object from standard input",
                details: "What a line doesn't say comes from the options; headers are put together. See below for the "
                    + "form of a task."),
            .flag("--skip-empty", sets: \.skipsEmpty, to: true, "publish no task for an empty line"),
            .flag(
                "--allow-empty", sets: \.allowsEmpty, to: true,
                "publish an empty task when there is nothing on standard input or in FILE",
                details: "Without it that is an error (66), since more often the program before in the pipeline failed."
            ),
            .flag(
                "--print-id", sets: \.printsIDs, to: true, "print the message id of each task once it is confirmed",
                details: "On standard output, a line each, in the order of the tasks."),
            .value(
                "--format", of: .choice("FORMAT"), into: \.format,
                "print a receipt on standard output; text is none",
                details: "With `json` it is one object on one line, once all is over, whatever the outcome: `queue`, "
                    + "or `exchange` and `routing_key`; `status`, the exit status; how many tasks are `confirmed`, "
                    + "`sent_unconfirmed` (`--no-confirm`), `returned` as unroutable, `refused` for now, `unknown`, "
                    + "and `spooled`; `delivered_from_spool`, those of before; `skipped`, whether `--max-depth` or "
                    + "`--unless-queued` kept the tasks back; `first_unconfirmed`, the number of a task from 1, and "
                    + "the `reason`, both null when all went well; `seconds`. With `--print-id` it begins with "
                    + "`message_ids`. A command line or an input that can't be used has no receipt."),
            .value(
                "--wait-reply", of: .duration(.milliseconds(1) ... .seconds(31_557_600)), into: \.replyTime,
                default: "not at all", "wait so long for a worker's answer, and print it",
                details: "The counterpart of `work --reply`: the task names this very connection as its `reply-to`, "
                    + "and the answer's body goes to standard output as it is. The time counts from the task's "
                    + "confirm. Without an answer in time the status is 75, and the task stays where it is: "
                    + "publishing it again would make another one."),
        ]
    }

    static var destinationOptions: [Option<Values>] {
        [
            .value(
                "--exchange", of: .text("NAME"), into: \.exchange, default: "the default exchange, by queue name",
                "publish to an exchange instead of a queue",
                details:
                    "There is no QUEUE then, and nothing is created: a task that the exchange leads to no queue is "
                    + "an error. An empty NAME is the default exchange."),
            .value(
                "--routing-key", of: .text("KEY"), into: \.routingKey, default: "empty",
                "the routing key, for --exchange"),
            .flag("--no-create", sets: \.createsQueue, to: false, "fail when the queue doesn't exist"),
            .value(
                "--queue-type", of: .choice("TYPE"), into: \.queueType, default: "the vhost's",
                "the type of a queue that is created",
                details: "`quorum` queues are replicated in a cluster. An existing queue keeps its type."),
            .values(
                "--queue-arg", of: .argument, appendingTo: \.queueArguments, "an argument of a queue that is created",
                details:
                    "`x-max-length=1000` is a number and `x-single-active-consumer=true` a truth value; everything "
                    + "else is text unless it is given as JSON, as in `KEY:=JSON`. May be given again."),
            .value(
                "--delay", of: .duration(.milliseconds(1) ... .seconds(3_600_000)), into: \.delay,
                "let workers have the tasks only after so long",
                details: "Until then they wait on `QUEUE.delay.DURATION`, a quorum queue that workq declares and that "
                    + "stays: a queue that expired would take waiting tasks along. It needs the permission to "
                    + "configure queues."
            ),
            .value(
                "--max-depth", of: .count("N", 1...Int.max), into: \.maximumDepth,
                "publish nothing, with status 0, when the queue holds N tasks or more",
                details:
                    "Looked at once, before the first task. All tasks of the queue count: those that are ready, those "
                    + "that a worker has, and those that wait for their `--delay` or to be tried again. What workers "
                    + "have, and the queues of other delays, only the management API knows; where it doesn't answer, a "
                    + "note says so. What workers of a quorum queue have is up to 5 seconds old."),
            .flag(
                "--unless-queued", sets: \.maximumDepth, to: 1,
                "publish nothing, with status 0, when the queue holds a task already",
                details:
                    "The same as `--max-depth 1`: for a task from cron that needs to be done once, however often it "
                    + "is asked for."),
        ]
    }

    static var propertyOptions: [Option<Values>] {
        [
            .values(
                "--header", of: .header, appendingTo: \.headers, "a header; KEY:=JSON for other types than text",
                details: "`--header tries:=3` is a number, `--header 'sizes:=[1,2]'` an array. May be given again."),
            .value(
                "--priority", of: ValueFormat<Int>.count("N", 0...255).map { UInt8($0) }, into: \.properties.priority,
                "the priority"),
            .value(
                "--ttl", of: .timeToLive, into: \.properties.expiration,
                "how long a task may wait on the queue before the broker drops or dead-letters it"),
            .value(
                "--content-type", of: .shortText("TYPE"), into: \.properties.contentType, "the content type"),
            .value(
                "--content-encoding", of: .shortText("NAME"), into: \.properties.contentEncoding,
                "the content encoding"),
            .value("--type", of: .shortText("NAME"), into: \.properties.type, "the message's type"),
            .value("--app-id", of: .shortText("NAME"), into: \.properties.appID, "the application's name"),
            .value(
                "--user-id", of: .shortText("NAME"), into: \.properties.userID,
                "the user who publishes, for workers to see; brokers refuse any but the login"),
            .value(
                "--message-id", of: ValueFormat<String>.name("ID").map { ShortString($0) },
                into: \.properties.messageID,
                default: "a fresh UUID", "the message id, by which workers can recognise a duplicate"),
            .value(
                "--correlation-id", of: .shortText("ID"), into: \.properties.correlationID,
                "the correlation id, for replies"),
            .value(
                "--reply-to", of: .shortText("QUEUE"), into: \.properties.replyTo,
                "the queue that a reply should go to"),
            .value(
                "--timestamp", of: ValueFormat<Int>.count("SECONDS", 0...Int.max).map { UInt64($0) },
                into: \.properties.timestamp,
                default: "now", "when the task was made, in seconds since 1970"),
            .flag(
                "--transient", sets: \.properties.deliveryMode, to: 1,
                "let the broker forget the tasks when it restarts"),
        ]
    }

    static var confirmOptions: [Option<Values>] {
        [
            .flag(
                "--no-confirm", sets: \.confirms, to: false,
                "don't wait for confirms",
                details: "Status 0 then only means that the tasks were sent and that none came back as unroutable."),
            .value(
                "--window", of: .count("N", 1...65_535), into: \.window,
                default: "\(PublishState.Settings.usualWindow), or what --rate sends in a second",
                "how many tasks may be unconfirmed at a time"),
            .value(
                "--rate", of: .rate, into: \.interval, default: "as many as possible",
                "send at most so many tasks in a time, such as 5/s, 100/m or 1000/h",
                details: "Evenly spread, `60/m` is one each second. What has to wait for the broker for up to half a "
                    + "second is made up for, a longer pause isn't. What is delivered from the spool counts too, and "
                    + "what is sent again after an outage."),
            .value(
                "--confirm-timeout", of: .duration(.milliseconds(100) ... .seconds(86_400)), into: \.confirmTimeout,
                default: "30s", "how long to wait for the broker's confirm",
                details: "Also how long sending may take, and how long an alarm of the broker is waited for."),
            .value(
                "--retry-for", of: .duration(.milliseconds(1) ... .seconds(31_557_600)), into: \.retryFor,
                default: "not at all", "how long to try to reach a broker that is away, or takes no tasks",
                details: "Counted anew for each outage. What the broker hasn't confirmed is sent again, with the same "
                    + "message ids. A broker that is blocked by an alarm is waited for as long, and so is room on a "
                    + "queue that is full and rejects tasks, or the majority of a quorum queue's nodes."),
            .value(
                "--spool", of: .directory(), into: \.spool,
                "keep tasks in DIR when the broker can't be reached, and deliver those that are there first",
                details: "Tasks that are kept count as done: the status is 0, and the next publish with the same DIR "
                    + "delivers them before its own, oldest first. Only an outage makes tasks be kept: a broker that "
                    + "can't be reached, goes away, or doesn't confirm in time. DIR is created when it is missing; "
                    + "several processes may share it. It must be yours, and no place where others can "
                    + "write. What the broker refuses is set aside in it; see THE SPOOL."),
            .value(
                "--spool-name", of: .text("NAME"), into: \.spoolName, default: "the nodes, as --url gives them",
                "the name of the cluster, for tasks in the spool",
                details: "Tasks in a spool are delivered to the cluster and vhost that they were kept for, and to no "
                    + "other. Give a name where the same cluster is reached by different addresses."),
            .flag(
                "--flush", sets: \.flushesOnly, to: true, "deliver what is in the spool, and nothing else"),
            .value(
                "--unsent", of: .file(), into: \.unsentFile,
                "on failure, write the tasks that were not confirmed to FILE, as they stood in the input",
                details: "Running the same command on FILE finishes the job. Tasks whose outcome is unknown are among "
                    + "them. FILE may be the input itself; it is written under another name first and stays as it is "
                    + "when nothing failed."),
        ]
    }
}

extension ValueFormat where Value == ShortString {
    /// A property of at most 255 bytes, which is checked with all others.
    fileprivate static func shortText(_ placeholder: String) -> Self {
        ValueFormat<String>.text(placeholder).map { ShortString($0) }
    }

    /// A duration, as the milliseconds that a broker takes.
    fileprivate static var timeToLive: Self {
        ValueFormat<Duration>.duration(.zero ... .seconds(4_294_800)).map { ShortString(String($0.milliseconds)) }
    }
}

extension ValueFormat where Value == FieldTable.Field {
    /// `--header`.
    fileprivate static var header: Self {
        format { .text($0) }
    }

    /// `--queue-arg`: numbers and truth values are what brokers expect, so they don't need to be asked for.
    static var argument: Self {
        format { value in
            switch value {
            case "true": .bool(true)
            case "false": .bool(false)
            default:
                value.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    ? Int64(value).map { .int64($0) } ?? .text(value) : .text(value)
            }
        }
    }

    private static func format(plain: @escaping (_ value: String) -> FieldValue) -> Self {
        var format = Self("KEY=VALUE", expectation: "KEY=VALUE, or KEY:=JSON") { field($0, plain) }
        format.complaint = { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, parts[0].utf8.last == UInt8(ascii: ":") else { return nil }
            let (key, json) = (String(parts[0].dropLast()).escapedForDisplay, parts[1].escapedForDisplay)
            return "\"\(json)\" behind := isn't JSON of a header; \(key)=\(json) is text"
        }
        return format
    }

    private static func field(_ text: String, _ plain: (_ value: String) -> FieldValue) -> FieldTable.Field? {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let key = text[..<equals]
        let value = String(text[text.utf8.index(after: equals)...])
        let isJSON = key.utf8.last == UInt8(ascii: ":")
        let name = isJSON ? String(key.dropLast()) : String(key)
        guard !name.isEmpty else { return nil }
        guard isJSON else { return FieldTable.Field(name: ShortString(name), value: plain(value)) }
        guard let json = try? JSONReader.value(of: Array(value.utf8)), let field = try? FieldValue(json: json) else {
            return nil
        }
        return FieldTable.Field(name: ShortString(name), value: field)
    }
}
