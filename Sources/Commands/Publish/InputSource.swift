// The tasks that a publish is given: its operand, or standard input in one of its forms.

import Broker
import Posix
import Publisher
import Worker

/// Tasks from the command line or standard input.
final class InputSource: TaskSource {
    /// How tasks are given.
    enum Form {
        /// The operand, or all of standard input.
        case one
        case lines
        case nullSeparated
        /// A JSON object a line.
        case records

        /// What stands behind each task; nil when there is only one.
        var separator: UInt8? {
            switch self {
            case .one: nil
            case .lines, .records: UInt8(ascii: "\n")
            case .nullSeparated: 0
            }
        }
    }

    /// No broker takes more in one message (`max_message_size`).
    static let sizeLimit = 512 << 20
    /// A record may hold that in Base64, and its properties.
    private static let lineLimit = sizeLimit / 3 * 4 + (1 << 20)

    private let plan: PublishPlan
    private let context: CommandContext
    private var reader: TaskReader
    /// Where the only task is read from instead of standard input.
    private var file: Descriptor?
    /// The only task, where there is one.
    private var single: [UInt8]?
    private var ids = MessageIDs()
    private var lastNumber = 0
    /// Lines read, those included that are no tasks.
    private var line = 0
    /// The line that was found malformed.
    private var rejected: [UInt8]?

    init(_ plan: PublishPlan, in context: CommandContext) {
        self.plan = plan
        self.context = context
        reader = TaskReader(
            context.standardInput, separator: plan.form.separator,
            limit: plan.form == .records ? Self.lineLimit : Self.sizeLimit)
        single = plan.task
    }

    /// Reads a single task to its end. A task that can't be read shouldn't trouble a broker, so this comes first.
    func prepare() throws(CommandError) {
        guard plan.task == nil else { return }
        if let file = plan.file { try open(file) }
        if plan.file == nil, context.isTerminal(context.standardInput), !plan.common.isQuiet {
            context.say("reading from the terminal; Ctrl-D ends the input")
        }
        do throws(TaskSourceFailure) {
            while plan.form == .one, single == nil {
                // Whoever shares it may have made it non-blocking.
                var pollSet = PollSet()
                pollSet.add(reader.descriptor, events: POLLIN)
                pollSet.wait(timeout: -1)
                try read()
                single = try nextBytes()
            }
        } catch .unreadable(let number) where plan.file != nil {
            throw Self.failure(.read, plan.file ?? "", SystemError(number))
        } catch {
            throw CommandError(error)
        }
        // More often than an empty task it is the end of a pipeline whose beginning failed.
        if single == [], !plan.allowsEmpty {
            let place = plan.file.map { "in \($0)" } ?? "on standard input"
            throw CommandError(.noInput, "nothing \(place); '' as TASK or --allow-empty publishes an empty task")
        }
    }

    private func open(_ path: String) throws(CommandError) {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, O_RDONLY)
            reader = TaskReader(file.number, separator: nil, limit: Self.sizeLimit)
            self.file = consume file
        } catch {
            throw Self.failure(.open, path, error)
        }
    }

    private static func failure(_ deed: FileError.Deed, _ path: String, _ cause: SystemError) -> CommandError {
        CommandError(.noInput, FileError(deed, path, cause).message)
    }

    var isExhausted: Bool { single == nil && (plan.task != nil || reader.isExhausted) && rejected == nil }

    var descriptor: Int32? { plan.task != nil || plan.form == .one || reader.isAtEnd ? nil : reader.descriptor }

    func read() throws(TaskSourceFailure) {
        do throws(TaskReader.Failure) {
            try reader.read()
        } catch {
            throw Self.failure(error)
        }
    }

    func next() throws(TaskSourceFailure) -> OutgoingTask? {
        if let body = single.take() { return task(body) }
        while rejected == nil, let bytes = try nextBytes() {
            line += 1
            if bytes.isEmpty, plan.skipsEmpty { continue }
            guard plan.form == .records else { return task(bytes) }
            do throws(TaskRecord.Malformed) {
                return try task(ofLine: bytes)
            } catch {
                rejected = bytes
                throw .malformed(line: line, reason: error.reason)
            }
        }
        return nil
    }

    func confirm(_ task: OutgoingTask) {}
    func refuse(_ task: OutgoingTask, _ reason: Refusal) {}

    private func nextBytes() throws(TaskSourceFailure) -> [UInt8]? {
        guard plan.task == nil else { return nil }
        do throws(TaskReader.Failure) {
            return try reader.next()
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ failure: TaskReader.Failure) -> TaskSourceFailure {
        switch failure {
        case .unreadable(let number): .unreadable(number)
        case .tooLong: .tooLong(limit: sizeLimit)
        }
    }

    // MARK: - Making tasks

    private func task(_ body: [UInt8]) -> OutgoingTask {
        lastNumber += 1
        return OutgoingTask(
            number: lastNumber, route: plan.route, body: body, id: plan.messageID.map(MessageID.given) ?? ids.next(),
            timestamp: plan.timestamp ?? context.wallClock())
    }

    /// A task with properties of its own. What the line doesn't say comes from the options.
    private func task(ofLine line: [UInt8]) throws(TaskRecord.Malformed) -> OutgoingTask {
        let record = try TaskRecord(line: line)
        try check(record.properties)
        var task = task(record.body)
        var properties = record.properties.completed(by: plan.route.properties)
        if record.absent.contains("message_id") {
            properties.messageID = nil
            task.id = .given("")
        } else if let id = properties.messageID {
            task.id = .given(id)
        } else {
            properties.messageID = task.id.text
        }
        if record.absent.contains("delivery_mode") { properties.deliveryMode = nil }
        properties.timestamp =
            record.absent.contains("timestamp") ? nil : properties.timestamp ?? task.timestamp
        // Names of headers may be as odd as a broker takes them: a backup holds what others have published.
        if let reason = properties.invalidity(frameMax: Connection.greatestFrameMax, arePassedOn: true) {
            throw TaskRecord.Malformed(reason: reason)
        }
        task.particulars = Particulars(properties, inputForm: plan.keepsInputForm ? line : nil)
        return task
    }

    /// Finds what the broker would refuse, together with all that is under way.
    private func check(_ properties: MessageProperties) throws(TaskRecord.Malformed) {
        if let user = properties.userID, let login = plan.login, user != ShortString(login) {
            throw TaskRecord.Malformed(
                reason: "user_id is \"\(user)\", and the broker only takes that of the login, \"\(login)\"")
        }
        if properties.expiration != nil, plan.route.destination.delay != nil {
            throw TaskRecord.Malformed(reason: "expiration and --delay exclude each other")
        }
    }

    // MARK: - What is left

    /// Hands everything that no task was made of to `write`, as it stands in the input, and reads to the end for it as
    /// long as `mustGoOn` says so between two reads. Half a task is never written. Returns why something is missing.
    func copyRest(
        while mustGoOn: (Int32) -> Bool, to write: ([UInt8]) throws(CommandError) -> Void
    ) throws(CommandError) -> String? {
        if let single = single.take() { try write(single) }
        guard plan.form != .one else { return nil }
        if let line = rejected.take() { try write(line + [UInt8(ascii: "\n")]) }
        try write(reader.takeTasks())
        while !reader.isAtEnd {
            guard mustGoOn(reader.descriptor) else { return "interrupted" }
            do throws(TaskSourceFailure) {
                try read()
            } catch {
                return CommandError(error).message
            }
            try write(reader.takeTasks())
        }
        try write(reader.takeBuffered())
        return nil
    }
}
