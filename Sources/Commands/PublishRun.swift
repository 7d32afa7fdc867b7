// One `publish`: reads, sends and waits for confirms, all at the same time.

import Broker
import Worker

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The work of a `publish` on one connection.
///
/// At most a window of tasks is unconfirmed and none is kept after it is sent, so memory stays the same however many
/// there are. The first task's outcome is awaited before the second is sent: when the queue has to be created, that
/// can't change the order of tasks.
final class PublishRun {
    /// A task on its way.
    private struct Task {
        /// From 1, in the order of input.
        var number: Int
        var messageID: ShortString
        var size: Int
        var isSecondTry = false
    }

    /// No broker takes more in one message (`max_message_size`).
    private static let sizeLimit = 512 << 20
    /// Unconfirmed bytes, beyond which the window is closed whatever its count.
    private static let windowBytes = 8 << 20
    /// How many tasks are sent before looking whether the broker said something.
    private static let burst = 32

    private let values: PublishCommand.Values
    private let context: CommandContext
    private let routingKey: ShortString
    private var reader: TaskReader?
    private var single: [UInt8]?
    private var messageIDs = MessageIDs()
    private var properties = MessageProperties()
    private var lastNumber = 0
    private var unconfirmedBytes = 0
    /// When a task was last settled, or sent while none was unconfirmed: the confirm time-out counts from then.
    private var lastProgress = Instant.now
    /// Whether some task is known to have been routed, so that the queue exists.
    private var isRouted = false
    private var blockedReason: String?
    private var report = PublishReport()
    private var publisher: ConfirmingPublisher<Task>?
    /// Returned tasks that are sent once more, when the queue is created.
    private var resend: [(task: Task, returned: ReturnedMessage)] = []
    private var signals: SignalPipe?
    private var pollSet = PollSet()

    init(_ values: PublishCommand.Values, in context: CommandContext) {
        self.values = values
        self.context = context
        routingKey = ShortString(values.queue)
        properties.deliveryMode = values.isPersistent ? 2 : 1
    }

    private var isStream: Bool { values.input != .one }

    /// Publishes everything and says what failed.
    func publish(with parameters: ConnectionParameters) throws(CommandError) -> ExitStatus {
        try prepareInput()
        do throws(BrokerError) {
            let connection = try Connection.open(parameters)
            publisher = try ConfirmingPublisher<Task>(on: connection, confirms: values.confirms)
            sendAll(on: connection)
            if !report.hasTrouble { connection.close() }
        } catch {
            throw CommandError(error)
        }
        if let message = report.message(destination: "queue \"\(values.queue)\"", isStream: isStream) {
            context.say(message)
        } else if values.common.isVerbose {
            context.say(
                "\(report.confirmed) task\(report.confirmed == 1 ? "" : "s") confirmed on queue \"\(values.queue)\"")
        }
        return report.status()
    }

    // MARK: - Input

    /// Whatever must be known before connecting: a task that can't be read shouldn't trouble a broker.
    private func prepareInput() throws(CommandError) {
        if let task = values.task {
            single = Array(task.utf8)
            return
        }
        if context.isTerminal(context.standardInput), !values.common.isQuiet {
            context.say("reading from the terminal; Ctrl-D ends the input")
        }
        let separator: UInt8? =
            switch values.input {
            case .one: nil
            case .lines: UInt8(ascii: "\n")
            case .nullSeparated: 0
            }
        var reader = TaskReader(context.standardInput, separator: separator, limit: Self.sizeLimit)
        do throws(TaskReader.Failure) {
            if isStream {
                signals = SignalPipe(catching: [SIGINT, SIGTERM])
                self.reader = reader
            } else {
                while single == nil {
                    try reader.read()
                    single = try reader.next()
                }
            }
        } catch {
            switch error {
            case .unreadable(let number): throw CommandError(.noInput, Self.unreadable(number))
            case .tooLong:
                throw CommandError(.refused, "the task is longer than \(Self.sizeLimit) bytes, which no broker takes")
            }
        }
    }

    private static func unreadable(_ number: Int32) -> String {
        "cannot read standard input: \(SystemError.text(number))"
    }

    /// The next task, nil when there is none yet or none any more.
    private func nextTask() -> [UInt8]? {
        if let task = single {
            single = nil
            return task
        }
        do throws(TaskReader.Failure) {
            while let task = try reader?.next() {
                if task.isEmpty, values.skipsEmpty { continue }
                return task
            }
        } catch {
            report.note(.tooLong(limit: Self.sizeLimit), lastNumber + 1)
        }
        return nil
    }

    /// Whether everything there was to read has been sent.
    private var isInputExhausted: Bool {
        single == nil && reader?.isExhausted ?? true
    }

    private func readInput() {
        do throws(TaskReader.Failure) {
            try reader?.read()
        } catch {
            if case .unreadable(let number) = error { report.note(.unreadable(Self.unreadable(number))) }
        }
    }

    // MARK: - Sending

    private func sendAll(on connection: Connection) {
        do throws(BrokerError) {
            try sendUntilSettled(on: connection)
            if !values.confirms, !report.hasTrouble {
                try publisher?.channel.synchronize()
                try receive(from: connection)
            }
        } catch {
            // Past the login a time-out leaves the outcome of what was sent unknown, however it came about.
            report.note(error.code == .timedOut ? .timedOut(error.message) : .broker(named(error)))
        }
        report.leaveUnknown(publisher?.unconfirmed.map(\.number) ?? [])
        if !isInputExhausted { report.stop(before: lastNumber + 1) }
    }

    private func sendUntilSettled(on connection: Connection) throws(BrokerError) {
        while true {
            let pause = try sendBurst()
            try receive(from: connection)
            if pause == .toListen || pause == .windowClosed && isWindowOpen { continue }
            if unconfirmedCount == 0, resend.isEmpty, report.hasTrouble || isInputExhausted { return }
            let deadline = unconfirmedCount > 0 ? lastProgress + values.confirmTimeout : .never
            guard deadline > .now else { return report.note(.timedOut(timeoutText)) }
            waitForSomething(on: connection, until: deadline)
        }
    }

    private var unconfirmedCount: Int { publisher?.unconfirmedCount ?? 0 }

    /// Why sending pauses.
    private enum Pause {
        case windowClosed, noInput, toListen
    }

    /// Sends what the window allows and the input has.
    private func sendBurst() throws(BrokerError) -> Pause {
        for _ in 0..<Self.burst {
            guard isWindowOpen else { return .windowClosed }
            guard let body = nextTask() else { return .noInput }
            lastNumber += 1
            let task = Task(number: lastNumber, messageID: messageIDs.next(), size: body.count)
            properties.messageID = task.messageID
            properties.timestamp = context.wallClock()
            try send(task, body, properties)
        }
        return .toListen
    }

    private var isWindowOpen: Bool {
        let window = isRouted || !values.confirms ? values.window : 1
        return unconfirmedCount < window && unconfirmedBytes < Self.windowBytes && !report.hasTrouble
    }

    private func send(_ task: Task, _ body: [UInt8], _ properties: MessageProperties) throws(BrokerError) {
        if unconfirmedCount == 0 { lastProgress = .now }
        if values.confirms {
            unconfirmedBytes += task.size
        } else {
            report.confirm()
        }
        try publisher?.publish(task, body: body, exchange: "", routingKey: routingKey, properties: properties)
    }

    private func waitForSomething(on connection: Connection, until deadline: Instant) {
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        let input = isWindowOpen && reader?.isAtEnd == false ? reader?.descriptor : nil
        if let input { pollSet.add(input, events: POLLIN) }
        if let signals { pollSet.add(signals.descriptor, events: POLLIN) }
        let now = Instant.now
        let heartbeat = connection.heartbeat.map { now + $0 / 2 } ?? .never
        pollSet.wait(timeout: min(deadline, heartbeat).pollTimeout(from: now))
        if let input, pollSet.isReady(input) { readInput() }
        if let signals, pollSet.isReady(signals.descriptor), let signal = signals.read().first {
            report.note(.interrupted(signal))
        }
    }

    // MARK: - What the broker says

    private func receive(from connection: Connection) throws(BrokerError) {
        while let event = try connection.nextEvent() { try take(event) }
        try resendReturned()
    }

    private func take(_ event: BrokerEvent) throws(BrokerError) {
        switch event {
        case .channelClosed(let error), .connectionClosed(let error):
            throw error
        case .blocked(let reason):
            blockedReason = reason
            if !values.common.isQuiet { context.say("blocked by the broker: \(reason). Waiting") }
        case .unblocked:
            blockedReason = nil
        case .returned(let returned) where !values.confirms:
            report.unconfirm()
            takeBack(Task(number: lastNumber, messageID: "", size: returned.body.count), returned)
        default:
            try publisher?.take(event, matches: { $0.messageID == $1.properties.messageID }, settled: settle)
        }
    }

    private func settle(_ task: Task, _ outcome: PublisherConfirms<Task>.Outcome) {
        unconfirmedBytes -= task.size
        lastProgress = .now
        switch outcome {
        case .confirmed:
            isRouted = true
            report.confirm()
        case .nacked: report.failNacked(task.number)
        case .returned(let returned): takeBack(task, returned)
        }
    }

    /// A task that no queue took is sent once more after the queue is created, unless that has been tried.
    private func takeBack(_ task: Task, _ returned: ReturnedMessage) {
        guard values.createsQueue, !task.isSecondTry else {
            return report.failReturned(task.number, text: returned.text)
        }
        resend.append((task, returned))
    }

    private func resendReturned() throws(BrokerError) {
        guard !resend.isEmpty else { return }
        try publisher?.channel.declareQueue(routingKey, type: values.queueType)
        let messages = resend
        resend = []
        for (task, returned) in messages {
            var task = task
            task.isSecondTry = true
            try send(task, returned.body, returned.properties)
        }
    }

    /// The error in the words of what the user asked for.
    private func named(_ error: BrokerError) -> BrokerError {
        var error = error
        if error.operation == "use the channel" { error.operation = "publish to queue \"\(values.queue)\"" }
        if error.code == .accessRefused, error.neededPermission == nil {
            error.neededPermission = "write to exchange \"amq.default\""
        }
        return error
    }

    private var timeoutText: String {
        let timeout = values.confirmTimeout.shortText
        return blockedReason.map { "blocked by the broker (\($0)), and no confirm in \(timeout)" }
            ?? "no confirm in \(timeout)"
    }
}
