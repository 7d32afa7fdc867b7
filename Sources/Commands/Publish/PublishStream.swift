// Sends the tasks of one source and waits for their confirms, all at the same time, over one connection or several.

import Broker
import Posix
import Worker

/// The way of all tasks of a source to the broker.
///
/// At most a window of tasks is unconfirmed, so memory stays the same however many there are. On each route the first
/// task's outcome is awaited before the second is sent: when a queue has to be created, that can't change the order of
/// tasks. Every task that was taken from the source is at any time either confirmed, or in exactly one of three places:
/// in the publisher's account (sent, not settled), in `pending` (to be sent, or once more) or in `failed`.
final class PublishStream {
    struct Settings {
        var confirms = true
        var window = 1_000
        var confirmTimeout = Duration.seconds(30)
        var retryFor: Duration?
        /// Whether tasks are wanted back that aren't confirmed; without it they are forgotten once sent.
        var keepsTasks = false
    }

    /// Unconfirmed bytes, beyond which the window is closed whatever its count.
    private static let windowBytes = 8 << 20
    /// How many tasks are sent before looking whether the broker said something.
    private static let burst = 128

    let source: any TaskSource
    let link: BrokerLink
    let settings: Settings
    private let context: CommandContext
    let voice: PublishVoice
    let ids: PrintedIDs?
    private let signals: SignalPipe?
    /// What became of the tasks.
    var report = PublishReport()

    /// Set when the broker won't ever take one of the tasks, for what it is: one that is too large, as a rule.
    private(set) var refusal: BrokerError?

    /// Tasks that go before those of the source; the last one is the first to go.
    var pending: [OutgoingTask] = []
    var isPendingSorted = true
    /// Whether some of them were refused for now. Then no more is sent until the others' outcome is known.
    var wasNacked = false
    /// Tasks that the broker doesn't take.
    var failed: [OutgoingTask] = []
    var lastNumber = 0
    var lastRoute: Route?
    var unconfirmedBytes = 0
    /// When a task was last settled, or sent while none was unconfirmed: the confirm time-out counts from then.
    var lastProgress = Instant.now
    var blockedReason: String?
    /// Whether an error came while a queue was made ready, and so isn't a task's fault.
    private var isPreparing = false
    /// The number of the task that the broker closed the channel over, where that is known.
    private(set) var culprit: Int?
    private var wasInterrupted = false
    /// Whether a second signal asked to wait for no more confirms.
    private var isImpatient = false
    private var pollSet = PollSet()

    init(
        _ source: any TaskSource, over link: BrokerLink, _ settings: Settings, in context: CommandContext,
        voice: PublishVoice, ids: PrintedIDs? = nil, signals: SignalPipe? = nil
    ) {
        self.source = source
        self.link = link
        self.settings = settings
        self.context = context
        self.voice = voice
        self.ids = ids
        self.signals = signals
        report.isConfirming = settings.confirms
    }

    /// Tasks that were taken from the source and not confirmed, in its order, once everything has ended.
    var leftovers: [OutgoingTask] {
        (failed + (link.publisher?.unconfirmed ?? []) + pending).sorted { $0.number < $1.number }
    }

    /// Sends everything; what failed is in the report.
    func run() {
        do throws(BrokerError) {
            try link.connect(pause: pause)
            repeat {
                try sendThroughOutages()
                if !settings.confirms, !isImpatient {
                    try link.publisher?.channel.synchronize()
                    try receive()
                }
                // Without confirms a task may come back when all seemed to be done.
            } while !settings.confirms && hasMore
            if !isImpatient { report.confirmAssumed() }
        } catch {
            note(error)
        }
        print { ids throws(CommandError) in try ids.finish() }
        countOpen()
        if !source.isExhausted { report.stop(before: lastNumber + 1) }
    }

    /// Counts what is neither confirmed nor failed.
    private func countOpen() {
        let open = (link.publisher?.unconfirmed ?? []) + pending
        if let first = open.map(\.number).filter({ $0 > 0 }).min() { report.stop(before: first) }
        var sent = open.filter(\.wasSent)
        // A broker that closes the channel over a task has neither that one nor any that came behind it.
        if case .broker(let error) = report.trouble, error.scope != .connection {
            if sent.count + report.assumed == 1 { return report.dropAssumed() }
            if let culprit { sent.removeAll { $0.number >= culprit } }
        }
        report.leaveUnknown(sent.map(\.number))
        report.abandonAssumed()
    }

    /// Finds the task over which the broker closed the channel, where its words tell: they name the size of one that is
    /// too large.
    private func findCulprit(_ error: BrokerError) {
        guard error.code == .preconditionFailed, error.scope == .channel else { return }
        let words = error.text.split(separator: " ")
        culprit = link.publisher?.unconfirmed.first { task in words.contains { $0 == "\(task.size)" } }?.number
    }

    private func sendThroughOutages() throws(BrokerError) {
        while true {
            do throws(BrokerError) {
                return try sendUntilSettled()
            } catch {
                guard settings.confirms, !report.hasTrouble, link.isWorthRetrying(error) else { throw error }
                recall()
                try link.reconnect(after: named(error), pause: pause)
                if pending.isEmpty { link.endOutage() }
            }
        }
    }

    /// Takes everything back that isn't confirmed, to send it again.
    private func recall() {
        pending += link.publisher?.unconfirmed ?? []
        pending.sort { $0.number > $1.number }
        unconfirmedBytes = 0
        blockedReason = nil
        wasNacked = false
    }

    private func note(_ error: BrokerError) {
        if error.code == .nacked {
            failNacked()
        } else if link.isWorthRetrying(error), settings.confirms {
            report.note(.gaveUp(named(error)))
        } else {
            // Past the login a time-out leaves the outcome of what was sent unknown, however it came about.
            let isLate = error.code == .timedOut && link.session > 0
            findCulprit(error)
            if !isPreparing, [.preconditionFailed, .contentTooLarge].contains(error.code) { refusal = named(error) }
            report.note(isLate ? .timedOut(error.message) : .broker(named(error)), culprit)
        }
    }

    // MARK: - Sending

    private func sendUntilSettled() throws(BrokerError) {
        while true {
            let reason = try sendBurst()
            try receive()
            voice.progress(sent: lastNumber, confirmed: report.confirmed)
            // What the broker said may have opened the window or brought a task back.
            if reason == .toListen || isWindowOpen && (reason == .windowClosed || hasPending) { continue }
            if isImpatient || unconfirmedCount == 0 && !hasMore { return }
            if wasNacked, unconfirmedCount == 0 {
                throw named(BrokerError("publish", .nacked, scope: .channel, PublishReport.nackText))
            }
            let deadline = confirmDeadline
            guard deadline > .now else { return try giveUpWaiting() }
            waitForSomething(until: deadline)
        }
    }

    /// Whether there is something to send now or later. In trouble only what was sent before is sent again.
    private var hasMore: Bool {
        hasPending || pending.isEmpty && !report.hasTrouble && !source.isExhausted
    }

    private var hasPending: Bool { pending.last.map(isDue) ?? false }

    private func isDue(_ task: OutgoingTask) -> Bool { !report.hasTrouble || task.wasSent || task.wasReturned }

    private var unconfirmedCount: Int { link.publisher?.unconfirmedCount ?? 0 }

    /// Why sending pauses.
    private enum Pause {
        case windowClosed, noInput, toListen
    }

    /// Sends what the window allows and the source has.
    private func sendBurst() throws(BrokerError) -> Pause {
        // The first task, which is often the only one, goes off at once.
        if let pause = try sendNext() { return pause }
        guard hasMore else { return .noInput }
        guard isWindowOpen, let connection = link.connection else { return .windowClosed }
        return try connection.sendTogether { () throws(BrokerError) in
            for _ in 1..<Self.burst {
                if let pause = try sendNext() { return pause }
            }
            return .toListen
        }
    }

    /// Sends one task, or returns why there is none to send.
    private func sendNext() throws(BrokerError) -> Pause? {
        guard isWindowOpen else { return .windowClosed }
        guard let task = nextTask() else { return .noInput }
        if mustWait(task) {
            pending.append(task)
            return .windowClosed
        }
        try send(task)
        return nil
    }

    private var isWindowOpen: Bool {
        unconfirmedCount < settings.window && unconfirmedBytes < Self.windowBytes && !wasNacked
            && pending.last.map(mustWait) != true
    }

    /// Whether a task may be the first but not the second on its route. A large one always goes alone: should the broker
    /// close the channel over its size, no other's outcome is in doubt.
    private func mustWait(_ task: OutgoingTask) -> Bool {
        guard settings.confirms, unconfirmedCount > 0 else { return false }
        return task.size > Self.windowBytes || !task.route.isProven || task.route.asksForQueue(session: link.session)
    }

    /// The next task, nil when there is none yet, none any more, or when no more should be sent.
    private func nextTask() -> OutgoingTask? {
        if let task = pending.last {
            guard isDue(task) else { return nil }
            return pending.removeLast()
        }
        guard !report.hasTrouble else { return nil }
        do throws(TaskSourceFailure) {
            let task = try source.next()
            if let task { lastNumber = task.number }
            return task
        } catch {
            report.note(.input(error), lastNumber + 1)
            return nil
        }
    }

    private func send(_ task: OutgoingTask) throws(BrokerError) {
        var task = task
        lastRoute = task.route
        isPreparing = false
        if unconfirmedCount == 0 { lastProgress = .now }
        do throws(BrokerError) {
            try task.route.prepare(over: link)
        } catch {
            pending.append(task)
            isPreparing = true
            throw error
        }
        let body = task.body
        if !settings.keepsTasks { task.body = [] }
        let wasSent = task.wasSent
        task.wasSent = true
        task.wasNacked = false
        do throws(BrokerError) {
            try publish(task, body)
        } catch {
            guard error.code == .invalidInput else { throw error }
            // Found before a byte went out: the connection and what is under way have nothing to do with it.
            task.wasSent = wasSent
            task.body = body
            failed.append(task)
            refusal = named(error)
            return report.note(.broker(named(error)), task.number)
        }
        unconfirmedBytes += task.size
        if !settings.confirms {
            unconfirmedBytes = 0
            report.assume()
            if !task.wasReturned { print { ids throws(CommandError) in try ids.add(task) } }
        }
    }

    private func publish(_ task: OutgoingTask, _ body: [UInt8]) throws(BrokerError) {
        let route = task.route
        if let properties = task.particulars?.properties {
            try link.publisher?.publish(
                task, body: body, exchange: route.destination.exchange, routingKey: route.destination.firstRoutingKey,
                properties: properties)
        } else {
            try task.id.withBytes { id throws(BrokerError) in
                try link.publisher?.publish(
                    task, body: body, route.template, messageID: id, timestamp: task.timestamp)
            }
        }
    }

    // MARK: - Waiting

    /// When the confirm of what is under way is overdue. A broker that says it is blocked is waited for as long as one
    /// that is away: sending the same tasks again would only make duplicates.
    private var confirmDeadline: Instant {
        guard unconfirmedCount > 0 else { return .never }
        let patience =
            blockedReason == nil ? settings.confirmTimeout : max(settings.confirmTimeout, settings.retryFor ?? .zero)
        return lastProgress + patience
    }

    private func giveUpWaiting() throws(BrokerError) {
        if blockedReason == nil, settings.retryFor != nil {
            throw BrokerError("publish", .timedOut, scope: .connection, timeoutText)
        }
        report.note(.timedOut(timeoutText))
    }

    private var timeoutText: String {
        let timeout = settings.confirmTimeout.shortText
        return blockedReason.map { "blocked by the broker (\($0)), and no confirm in \(timeout)" }
            ?? "no confirm in \(timeout)"
    }

    private func waitForSomething(until deadline: Instant) {
        print { ids throws(CommandError) in try ids.flush() }
        guard let connection = link.connection else { return }
        pollSet.removeAll()
        pollSet.add(connection.descriptor, events: POLLIN)
        let input = isWindowOpen && pending.isEmpty && !report.hasTrouble ? source.descriptor : nil
        if let input { pollSet.add(input, events: POLLIN) }
        if let signals { pollSet.add(signals.descriptor, events: POLLIN) }
        let now = Instant.now
        let heartbeat = connection.heartbeat.map { now + $0 / 2 } ?? .never
        pollSet.wait(timeout: min(deadline, heartbeat, voice.deadline).pollTimeout(from: now))
        if let input, pollSet.isReady(input) { readInput() }
        if let signals, pollSet.isReady(signals.descriptor) { noteSignal() }
    }

    private func readInput() {
        do throws(TaskSourceFailure) {
            try source.read()
        } catch {
            report.note(.input(error))
        }
    }

    private func noteSignal() {
        for signal in signals?.read() ?? [] {
            isImpatient = wasInterrupted
            wasInterrupted = true
            report.note(.interrupted(signal))
        }
    }

    /// Waits between two attempts to connect; false when a signal came.
    private func pause(until end: Instant) -> Bool {
        while !report.hasTrouble, end > .now {
            pollSet.removeAll()
            if let signals { pollSet.add(signals.descriptor, events: POLLIN) }
            pollSet.wait(timeout: end.pollTimeout(from: .now))
            noteSignal()
        }
        return !report.hasTrouble
    }
}
