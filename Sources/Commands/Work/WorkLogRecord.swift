// The worker's log as JSON, for programs that read logs.

import Broker
import JSON
import Worker

/// One event of the log. Absent values are left out; the names of keys are the manual's, and stay.
struct WorkLogRecord: Equatable {
    var event: String
    /// Which of the worker's queues; nil where it is about all of them.
    var queue: Int?
    var job: Int?
    /// How many tasks a batch has.
    var tasks: Int?
    var messageID: String?
    var attempt: Int?
    var redelivered: Bool?
    /// How a command ended.
    var result: String?
    var status: Int32?
    var signal: Int32?
    var reason: String?
    var verdict: String?
    /// How many tasks ended how, by verdict.
    var verdicts: [String: Int]?
    var seconds: Double?
    var error: String?
    /// The AMQP reply code of an error.
    var code: Int?
    var pauseSeconds: Double?
    var started: WallTime?
    var connected: Bool?
    var paused: Bool?
    var running: Int?
    var waiting: Int?
    var held: Int?
    var message: String?
    var exitStatus: Int32?

    init(_ event: String) {
        self.event = event
    }

    /// Words for people.
    init(message: String) {
        self.init("message")
        self.message = message
    }

    /// The event as a line of JSON, with its newline.
    func line(queues: [String], at time: WallTime = .now) -> String {
        var line: [UInt8] = []
        line.appendJSON(.object(members(queues: queues, at: time)))
        return String(decoding: line, as: UTF8.self) + "\n"
    }

    /// Sorted by key, without what is absent.
    private func members(queues: [String], at time: WallTime) -> [JSONMember] {
        let name = (queue ?? (queues.count == 1 ? 0 : nil)).map { queues[$0] }
        let verdicts = verdicts.map { verdicts in
            JSONValue.object(
                verdicts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) })
        }
        let members: [(String, JSONValue?)] = [
            ("attempt", JSONValue(attempt)), ("code", JSONValue(code)), ("connected", JSONValue(connected)),
            ("error", JSONValue(error)), ("event", JSONValue(event)), ("exit_status", JSONValue(exitStatus)),
            ("held", JSONValue(held)), ("job", JSONValue(job)), ("message", JSONValue(message)),
            ("message_id", JSONValue(messageID)), ("pause_seconds", JSONValue(pauseSeconds)),
            ("paused", JSONValue(paused)), ("queue", JSONValue(name)),
            ("queues", name == nil ? .array(queues.map { JSONValue($0) }) : nil), ("reason", JSONValue(reason)),
            ("redelivered", JSONValue(redelivered)), ("result", JSONValue(result)), ("running", JSONValue(running)),
            ("seconds", JSONValue(seconds)), ("signal", JSONValue(signal)), ("started", JSONValue(started?.text)),
            ("status", JSONValue(status)), ("tasks", JSONValue(tasks)), ("time", JSONValue(time.text)),
            ("verdict", JSONValue(verdict)), ("verdicts", verdicts), ("waiting", JSONValue(waiting)),
        ]
        return members.compactMap { key, value in value.map { JSONMember(key, $0) } }
    }
}

extension WorkLogRecord {
    /// What a worker tells.
    init(_ report: WorkerState.Report, copyError: BrokerError?) {
        switch report {
        case .started(let job, let delivery):
            self.init("start", job, delivery)
        case .batchStarted(let job, let tasks, let queue):
            self.init("start")
            (self.job, self.tasks, self.queue) = (job, tasks, queue)
        case .ended(let job, let delivery, let end, let verdict, let elapsed, _):
            self.init("end", job, delivery)
            note(end, elapsed)
            self.verdict = verdict.rawValue
        case .batchEnded(let job, let outcomes, let end, let elapsed, let queue):
            self.init("end")
            (self.job, self.queue) = (job, queue)
            tasks = outcomes.values.reduce(0, +)
            note(end, elapsed)
            verdicts = Self.names(outcomes)
        case .timedOut(let job, let delivery):
            self.init("timeout", job, delivery)
        case .batchTimedOut(let job, let tasks, let queue):
            self.init("timeout")
            (self.job, self.tasks, self.queue) = (job, tasks, queue)
        case .idle(let time):
            self.init("idle")
            seconds = time.decimalSeconds
        case .reconnecting(let error, let pause), .stillDown(let error, let pause):
            self.init("reconnecting")
            note(error)
            pauseSeconds = pause.decimalSeconds
        case .copyFailed(let delivery):
            self.init("copy-failed", nil, delivery)
            copyError.map { note($0) }
        case .answerReturned(let delivery):
            self.init("answer-returned", nil, delivery)
        case .leaving(let running):
            self.init("leaving")
            self.running = running
        case .interrupting(let running):
            self.init("interrupting")
            self.running = running
        case .status(let status):
            self.init("state")
            (connected, paused) = (status.isConnected, status.isPaused)
            (running, waiting, held) = (status.running, status.waiting, status.held)
            verdicts = Self.names(status.tally.counts)
        case .cameBack(let job, let delivery):
            self.init("came-back", job, delivery)
        case .settledLate(let delivery, let verdict):
            self.init("settled-late", nil, delivery)
            self.verdict = verdict.rawValue
        case .stopped(let job, let signal):
            self.init("stopped")
            (self.job, self.signal) = (job, signal)
        case .startFailed(let reason, let pause):
            self.init("start-failed")
            (self.reason, pauseSeconds) = (reason, pause.decimalSeconds)
        case .queueCreated(let queue):
            self.init("queue-created")
            self.queue = queue
        case .unanswered(let error):
            self.init("unanswered")
            note(error)
        case .unconfirmed(let count, let time):
            self.init("unconfirmed")
            (tasks, seconds) = (count, time.decimalSeconds)
        case .endedUnheard(let job, let delivery, let end, let elapsed):
            self.init("end", job, delivery)
            note(end, elapsed)
            verdict = Verdict.giveBack.rawValue
        case .blocked(let reason):
            self.init("blocked")
            self.reason = reason
        case .unblocked: self.init("unblocked")
        case .connected: self.init("connected")
        case .reconnected: self.init("reconnected")
        case .paused: self.init("paused")
        case .suspended: self.init("suspended")
        case .resumed: self.init("resumed")
        case .linesLost(let count): self.init(message: WorkLog.text(linesLost: count))
        }
    }

    /// What all of it came to.
    init(_ tally: WorkerState.Tally) {
        self.init("summary")
        verdicts = Self.names(tally.counts)
    }

    private init(_ event: String, _ job: WorkerState.JobID?, _ delivery: Delivery) {
        self.init(event)
        (self.job, queue) = (job, delivery.queue)
        messageID = delivery.properties.messageID?.description
        attempt = TaskCopy.attempt(of: delivery)
        redelivered = delivery.redelivered
    }

    private mutating func note(_ end: JobEnd, _ elapsed: Duration) {
        seconds = elapsed.decimalSeconds
        switch end {
        case .exited(let status): (result, self.status) = ("exit", status)
        case .signalled(let signal): (result, self.signal) = ("signal", signal)
        case .timedOut: result = "timeout"
        case .notStarted(let reason), .unusable(let reason): (result, self.reason) = ("not-started", reason)
        case .outputLost: result = "output-lost"
        case .workerKilled: result = "worker-killed"
        case .unfit(let reason): (result, self.reason) = ("unfit", reason)
        }
    }

    private mutating func note(_ error: BrokerError) {
        self.error = error.message
        code = error.code.rawValue > 0 ? error.code.rawValue : nil
    }

    private static func names(_ counts: [Verdict: Int]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }
}

extension Duration {
    /// To the millisecond.
    fileprivate var decimalSeconds: Double { Double(milliseconds) / 1_000 }
}
