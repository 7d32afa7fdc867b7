// One producer of a bench.

import Broker
import Posix

/// Sends numbered messages on a connection of its own, and notes when each is confirmed.
final class BenchProducer {
    /// What threads share of a producer.
    struct Task: Sendable {
        let plan: BenchPlan
        /// From 0.
        let number: Int
        let post: ThreadAccount
        /// Opens when all threads are ready; its moment is the run's start.
        let start: Latch
        /// Opens when no more should be sent.
        let stop: Latch

        func run() {
            workq_wait_exactly()
            let producer = BenchProducer(self)
            let ending = producer.run()
            let unconfirmed = producer.unconfirmed
            let lateness = producer.lateness
            post.report { tally in
                tally.unconfirmed = unconfirmed
                tally.lateness = lateness
                tally.ending = ending
            }
        }
    }

    /// A message on its way.
    private struct Sent {
        var sequence: UInt64
        var intended: Instant
    }

    /// How many messages are sent before looking whether the broker said something.
    private static let burst = 32
    private static var noMessageID: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    private let task: Task
    private let plan: BenchPlan
    private var body: [UInt8]
    private var template: MessageTemplate?
    private var publisher: ConfirmingPublisher<Sent>?
    private var times: BenchTimes
    private var schedule: SendSchedule?
    private var nextSequence: UInt64 = 1
    /// Messages of the measured part that may still be sent; nil when time decides.
    private var measuredLeft: Int?
    private var hasSentAll = false
    private var blockedReason: String?
    private var lastProgress = Instant.now
    private var pollSet = PollSet()
    /// Numbers that the broker refused or returned.
    private var refused: Set<UInt64> = []
    // What happened since the account was last brought up to date.
    private var settled = 0
    private var nacked = 0
    private var returned = 0
    /// In nanoseconds.
    private var latencies: [Int64] = []
    private var measured = MeasuredFlow()

    private init(_ task: Task) {
        self.task = task
        plan = task.plan
        body = Array(repeating: 0x2E, count: max(task.plan.size, BenchMessage.size))
        times = BenchTimes(task.plan, start: .never)
        measuredLeft = task.plan.share(of: task.number)
        latencies.reserveCapacity(task.plan.window)
    }

    private var unconfirmed: Set<UInt64> {
        refused.union(publisher?.unconfirmed.map(\.sequence) ?? [])
    }

    private var lateness: [UInt64: Int64] {
        let now = Instant.now
        let measured = (publisher?.unconfirmed ?? []).filter { $0.intended >= times.measureStart }
        return Dictionary(measured.map { ($0.sequence, now.nanoseconds - $0.intended.nanoseconds) }) { first, _ in first
        }
    }

    private func run() -> BenchEnding {
        do throws(BrokerError) {
            var properties = MessageProperties()
            properties.deliveryMode = plan.isPersistent ? 2 : 1
            template = try MessageTemplate(
                exchange: "", routingKey: ShortString(plan.queue), properties: properties)
            let connection = try Connection.open(plan.connection)
            publisher = try ConfirmingPublisher(on: connection)
            task.post.report { $0.isReady = true }
            while !task.start.isOpen {
                guard !task.stop.isOpen else { return .done }
                try receive(from: connection)
                wait(on: connection, gates: [task.start, task.stop], until: .never)
            }
            begin()
            let ending = try sendAll(on: connection)
            // A broker that doesn't read would not hear the goodbye.
            if ending == .done { connection.close() }
            return ending
        } catch {
            bringUpToDate()
            return .failed(error)
        }
    }

    private func begin() {
        times = BenchTimes(plan, start: task.start.openedAt)
        schedule = times.schedule(of: task.number, plan)
        lastProgress = .now
        // More producers than messages.
        if measuredLeft == 0 { hasSentAll = true }
    }

    private func sendAll(on connection: Connection) throws(BrokerError) -> BenchEnding {
        while true {
            let pause = try sendBurst()
            try receive(from: connection)
            bringUpToDate()
            if let blockedReason { return .blocked(reason: blockedReason) }
            if case .toListen = pause { continue }
            if unconfirmedCount == 0, hasSentAll || task.stop.isOpen { return .done }
            let deadline = unconfirmedCount > 0 ? lastProgress + plan.patience : .never
            guard deadline > .now else { return .unanswered }
            switch pause {
            case .toListen: continue
            case .windowClosed where isWindowOpen: continue
            case .windowClosed, .nothingLeft: wait(on: connection, gates: [], until: deadline)
            case .untilDue(let due): wait(on: connection, gates: [task.stop], until: min(due, deadline))
            }
        }
    }

    // MARK: - Sending

    /// Why sending pauses.
    private enum Pause {
        case windowClosed, nothingLeft, toListen
        case untilDue(Instant)
    }

    private var unconfirmedCount: Int { publisher?.unconfirmedCount ?? 0 }
    private var isWindowOpen: Bool { unconfirmedCount < plan.window }

    private func sendBurst() throws(BrokerError) -> Pause {
        for _ in 0..<Self.burst {
            guard !hasSentAll, blockedReason == nil, !task.stop.isOpen else { return .nothingLeft }
            guard isWindowOpen else { return .windowClosed }
            let now = Instant.now
            let intended = schedule?.time(of: nextSequence) ?? now
            // What was due in time is sent late too, for a while: left out, it would hide how late the broker was.
            guard intended < times.end, now < (schedule == nil ? times.end : times.latestSend) else {
                hasSentAll = true
                return .nothingLeft
            }
            guard intended <= now else { return .untilDue(min(intended, times.end)) }
            try send(intended: intended, at: now)
        }
        return .toListen
    }

    private func send(intended: Instant, at now: Instant) throws(BrokerError) {
        if unconfirmedCount == 0 { lastProgress = now }
        BenchMessage(
            runID: plan.runID, producer: UInt32(task.number), sequence: nextSequence, intended: intended
        ).write(to: &body)
        let message = Sent(sequence: nextSequence, intended: intended)
        nextSequence += 1
        if let left = measuredLeft, intended >= times.measureStart {
            measuredLeft = left - 1
            hasSentAll = left == 1
        }
        guard let template else { return }
        try publisher?.publish(message, body: body, template, messageID: Self.noMessageID, timestamp: nil)
    }

    /// Waits for the broker, for one of `gates`, or until `deadline`.
    private func wait(on connection: Connection, gates: [Latch], until deadline: Instant) {
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        for gate in gates { pollSet.add(gate.descriptor, events: POLLIN) }
        let heartbeat = connection.heartbeat.map { .now + $0 / 2 } ?? Instant.never
        pollSet.wait(until: min(deadline, heartbeat))
    }

    // MARK: - What the broker says

    private func receive(from connection: Connection) throws(BrokerError) {
        while let event = try connection.nextEvent() {
            switch event {
            case .channelClosed(let error), .connectionClosed(let error): throw error
            case .blocked(let reason): blockedReason = reason
            case .acknowledged, .negativelyAcknowledged, .returned:
                lastProgress = .now
                try publisher?.take(event, matches: matches, settled: settle)
            default: break
            }
        }
    }

    private func matches(_ message: Sent, _ returned: ReturnedMessage) -> Bool {
        BenchMessage(returned.body, runID: plan.runID)?.sequence == message.sequence
    }

    private func settle(_ message: Sent, _ outcome: PublisherConfirms<Sent>.Outcome) {
        switch outcome {
        case .confirmed:
            settled += 1
            measured.record(intended: message.intended, settled: lastProgress, times)
            if message.intended >= times.measureStart {
                latencies.append(lastProgress.nanoseconds - message.intended.nanoseconds)
            }
        case .nacked:
            nacked += 1
            refused.insert(message.sequence)
        case .returned:
            returned += 1
            refused.insert(message.sequence)
        }
    }

    private func bringUpToDate() {
        let sent = Int(nextSequence - 1)
        task.post.note { tally in
            tally.sent = sent
            tally.settled += settled
            tally.nacked += nacked
            tally.returned += returned
            tally.measured = measured
            for latency in latencies { tally.latencies.record(nanoseconds: latency) }
        }
        (settled, nacked, returned) = (0, 0, 0)
        latencies.removeAll(keepingCapacity: true)
    }
}
