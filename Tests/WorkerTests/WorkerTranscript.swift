// Lets tests of the state machine read like a play: an event, and what the worker does about it.

import Broker
import Posix
import TestSupport

@testable import Worker

/// A worker's state with a clock that only the test moves.
struct WorkerTranscript {
    private(set) var state: WorkerState
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    /// What the last event made the worker tell.
    private(set) var reports: [WorkerState.Report] = []
    /// Whether the broker starts and ends consumers as soon as it is asked to.
    var brokerAnswers = true

    init(_ change: (inout WorkerState.Settings) -> Void = { _ in }) {
        var settings = WorkerState.Settings()
        settings.queues = ["q"]
        change(&settings)
        state = WorkerState(settings: settings, now: now, generator: SeededGenerator(seed: 42))
    }

    /// A worker that has just connected.
    static func connected(_ change: (inout WorkerState.Settings) -> Void = { _ in }) -> WorkerTranscript {
        var worker = WorkerTranscript(change)
        _ = worker.connect()
        return worker
    }

    /// Lets time pass and an event happen; what the worker does about it, without its reports.
    mutating func take(_ event: WorkerState.Event, after pause: Duration = .zero) -> [String] {
        now = now + pause
        reports = []
        return play(event)
    }

    /// Connects, and starts the consumer when one is asked for; what else the worker does.
    mutating func connect() -> [String] {
        take(.connected).filter { !$0.hasPrefix("startConsumer") }
    }

    private mutating func play(_ event: WorkerState.Event) -> [String] {
        var lines: [String] = []
        var answers: [WorkerState.Event] = []
        for action in state.handle(event, now: now) {
            switch action {
            case .report(let report):
                reports.append(report)
                continue
            case .startConsumer: answers.append(.consuming)
            case .cancelConsumer: answers.append(.consumerStopped)
            default: break
            }
            lines.append(Self.line(action))
        }
        guard brokerAnswers else { return lines }
        for answer in answers { lines += play(answer) }
        return lines
    }

    /// Lets time pass until the worker wants to be asked again.
    mutating func tick() -> [String] {
        take(.tick, after: max(untilDeadline, .zero))
    }

    mutating func deliver(
        _ tag: UInt64, id: String? = nil, redelivered: Bool = false, body: String = "body", count: Int64? = nil,
        returns: Int32? = nil, after pause: Duration = .zero
    ) -> [String] {
        let delivery = Self.delivery(
            tag, id: id, redelivered: redelivered, body: body, count: count, returns: returns)
        return take(.delivered(delivery), after: pause)
    }

    mutating func end(
        _ job: Int, _ end: JobEnd = .exited(0), answer: String? = nil, after pause: Duration = .zero
    ) -> [String] {
        take(.ended(job, end, CommandOutput(answer: answer.map { Array($0.utf8) })), after: pause)
    }

    mutating func lose(_ code: BrokerError.Code = .connectionLost) -> [String] {
        take(.connectionLost(Self.error(code)))
    }

    /// A command that fails, whose task's copy can't be sent either: the task rests.
    mutating func failWithoutCopy(_ job: Int) -> [String] {
        let lines = end(job, .exited(1)).filter { !$0.hasPrefix("copy \(job): in ") }
        return lines + take(.copyFailed(job))
    }

    /// Loses the connection and gets a new one at the first attempt.
    mutating func reconnect() -> [String] {
        lose() + tick() + connect()
    }

    /// How long until the worker wants a tick.
    var untilDeadline: Duration { state.nextDeadline - now }

    static func error(_ code: BrokerError.Code = .connectionLost) -> BrokerError {
        BrokerError("stay connected", code, scope: .connection, "gone")
    }

    /// The message id is `m` and the tag unless another is given; `count` is what a quorum queue says from the second
    /// time on that it delivers a task, `returns` what a worker noted that put it back to be watched.
    static func delivery(
        _ tag: UInt64, id: String? = nil, redelivered: Bool = false, body: String = "body", attempt: Int32? = nil,
        count: Int64? = nil, returns: Int32? = nil
    ) -> Delivery {
        var properties = MessageProperties()
        properties.messageID = ShortString(id ?? "m\(tag)")
        var headers = FieldTable()
        if let attempt { headers["x-workq-attempt"] = .int32(attempt) }
        if let returns { headers["x-workq-returns"] = .int32(returns) }
        if let count { headers["x-delivery-count"] = .int64(count) }
        if !headers.isEmpty { properties.headers = headers }
        return Delivery(
            consumerTag: "c", deliveryTag: tag, redelivered: redelivered || count != nil, exchange: "", routingKey: "q",
            properties: properties, body: Array(body.utf8))
    }

    /// From a publisher who would like to choose what the command runs with.
    static var hostileDelivery: Delivery {
        var delivery = delivery(1)
        delivery.properties.headers = [
            "LD_PRELOAD": .text("/evil.so"), "PATH": .text("/evil"), "A=1\nPATH": .text("/evil"),
            "BASH_ENV": .text("/evil"),
            "NUL\0PATH": .text("a\0PATH=/evil"),
        ]
        return delivery
    }

    private static func line(_ action: WorkerState.Action) -> String {
        switch action {
        case .start(let job, let delivery): "start \(job): task \(delivery.deliveryTag)"
        case .startBatch(let job, let tasks): "start \(job): tasks \(tasks.map(\.deliveryTag))"
        case .acknowledge(let tag): "ack \(tag)"
        case .giveBack(let tag): "give back \(tag)"
        case .reject(let tag): "reject \(tag)"
        case .copy(let job, let copy): "copy \(job): \(line(copy.fate)) attempt \(copy.attempt)"
        case .terminate(let job): "TERM \(job)"
        case .kill(let job): "KILL \(job)"
        case .startConsumer(let prefetch): "startConsumer \(prefetch)"
        case .finish(let ending): "finish \(line(ending))"
        default: "\(action)"
        }
    }

    private static func line(_ fate: RetryPolicy.Fate) -> String {
        switch fate {
        case .later(let delay): "in \(delay.milliseconds)ms"
        case .deadLetter: "dead"
        case .back: "back"
        case .watched(let returns): "back, watched after \(returns) returns,"
        case .moved(let destination): "to \(destination)"
        case .answered(let answer): "answer \(String(decoding: answer, as: UTF8.self))"
        }
    }

    private static func line(_ ending: WorkerState.Ending) -> String {
        switch ending {
        case .brokerFailed(let error): "broker \(error.code.rawValue)"
        default: "\(ending)"
        }
    }
}
