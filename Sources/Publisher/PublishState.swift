// Decides what a publish does next. Everything it is told comes in by calls, so all of it can be tested without a
// broker.

import Broker
import Posix

/// The way of all tasks of a source to the broker. Pure.
///
/// Each task that was read is in one stage: waiting (`waiting`), in flight (`inFlight`), confirmed (a count), or
/// refused with its reason (`refused`). In the end, what was in flight or is waiting and may be on the broker is
/// unknown. At most a window of tasks is in flight, so memory stays the same however many there are. A task goes alone
/// when it is the first on its route (creating a queue then can't change the order), or when the broker might close the
/// channel over it.
package struct PublishState {
    /// How long a broker may hold up tasks that are to go at a rate for the rate still to be that of the whole.
    private static let slack = Duration.milliseconds(500)
    /// Bytes in flight beyond which the window is closed whatever its count.
    private static let windowBytes = 8 << 20
    /// What the last attempt of an outage has to connect, and then for its answer.
    private static let lastPatience = Duration.seconds(2)

    let settings: Settings
    var routes = RouteTable()
    var waiting = WaitingTasks()
    var inFlight = InFlight()
    private(set) var refused: [(task: OutgoingTask, reason: Refusal)] = []
    package private(set) var confirmedCount = 0
    /// The number of the last task that was read.
    package private(set) var readCount = 0
    /// What ends the publish. What is in flight is still waited for.
    package internal(set) var trouble: Trouble?

    /// The number of the connection, from 1.
    var session = 0
    package var hasConnectedBefore: Bool { session > 0 }
    package internal(set) var isConnected = false
    var nextAttempt = Instant(nanoseconds: .min)
    var outage: Outage
    /// Whether there is no more input.
    private(set) var isInputOver = false
    /// Whether a task was refused for now. Then no more is sent until the others' outcome is known.
    var hasNacked = false
    var blockedReason: String?
    /// When a task was last settled, sent while none was in flight, or seen to be on its way: the confirm is due from
    /// then.
    var lastProgress = Instant(nanoseconds: 0)
    /// When the next task may be sent; nil for as soon as can be.
    private var pace: Pace?
    private var wasInterrupted = false
    /// Whether a second signal asked to wait no more.
    package private(set) var isImpatient = false
    var notices: [Notice] = []

    package init(_ settings: Settings, generator: any RandomNumberGenerator = SystemRandomNumberGenerator()) {
        self.settings = settings
        outage = Outage(retryFor: settings.retryFor, generator: generator)
        pace = settings.interval.map { Pace(interval: $0, slack: Self.slack) }
    }

    // MARK: - What to do

    /// Whether the source should be asked for a task. Mutating, since each call would make a copy of all else.
    package var wantsTask: Bool {
        mutating get {
            waiting.isEmpty && trouble == nil && !isInputOver && isConnected && (isWindowOpen || blockedReason != nil)
        }
    }

    /// Takes a task from the source. True when it is to be sent at once, as most are: it counts as sent from here on.
    package mutating func read(_ task: OutgoingTask, _ now: Instant) -> Bool {
        routes.add(task.route)
        readCount = task.number
        if inFlight.count == 0 { lastProgress = now }
        if waiting.isEmpty, isWindowOpen, trouble == nil, !goesAlone(task), preparation(task) == nil,
            routes.refusal(task.route) == nil, isItsTurn(task, now)
        {
            send(task, alone: false, now)
            return true
        }
        if let refusal = routes.refusal(task.route) {
            refused.append((task, refusal))
        } else {
            waiting.add(task)
        }
        return false
    }

    /// The source has no more tasks.
    package mutating func endInput() {
        isInputOver = true
    }

    /// The next task to be sent at once; nil when there is none, or when it must wait. It counts as sent from here on.
    package mutating func nextToSend(_ now: Instant) -> OutgoingTask? {
        guard !waiting.isEmpty, let task = waiting.first, isFree(task), isItsTurn(task, now) else { return nil }
        if inFlight.count == 0 { lastProgress = now }
        waiting.removeFirst()
        send(task, alone: goesAlone(task), now)
        return task
    }

    private mutating func send(_ task: OutgoingTask, alone: Bool, _ now: Instant) {
        if !task.wasReturned { pace?.went(now) }
        inFlight.add(settings.keepsTasks ? task : task.withoutBody, alone: alone)
    }

    /// What to do when no task can be sent and the broker has said nothing new.
    package mutating func next(_ now: Instant) -> Step {
        guard isConnected else {
            guard trouble == nil, hasMore else { return .end }
            guard now >= nextAttempt else { return .pause(until: nextAttempt) }
            return .connect(by: max(outage.end, now + Self.lastPatience))
        }
        guard !isImpatient else { return .end }
        if inFlight.count == 0 || !settings.waitsForConfirms, blockedReason == nil, let task = waiting.first,
            isDue(task), let preparation = preparation(task)
        {
            return .prepare(task.route, preparation)
        }
        if !settings.waitsForConfirms, blockedReason == nil, inFlight.isUnsynchronized, inFlight.isReserved || !hasMore
        {
            return .synchronize
        }
        guard hasMore || isWaitingForConfirms else { return .end }
        if hasNacked, inFlight.count == 0 {
            lost(named(BrokerError("publish", .nacked, scope: .connection, BrokerError.nackText)), now)
            return next(now)
        }
        guard now < deadline else {
            giveUpWaiting(now)
            return next(now)
        }
        return .wait(until: min(deadline, nextTurn), forInput: wantsTask)
    }

    /// Whether there is something to send now or later. In trouble only what was sent before is sent again.
    private var hasMore: Bool {
        if let first = waiting.first { return isDue(first) }
        return trouble == nil && !isInputOver
    }

    private var isWaitingForConfirms: Bool {
        inFlight.count > 0 && (settings.waitsForConfirms || inFlight.hasReturned || inFlight.isUnsynchronized)
    }

    private func isDue(_ task: OutgoingTask) -> Bool { trouble == nil || task.mayBeThere || task.wasReturned }

    private var isWindowOpen: Bool {
        guard isConnected, blockedReason == nil, !hasNacked, !inFlight.isReserved else { return false }
        return !settings.waitsForConfirms || inFlight.count < settings.window && inFlight.bytes < Self.windowBytes
    }

    private func goesAlone(_ task: OutgoingTask) -> Bool {
        task.isSuspect || !routes.isProven(task.route)
            || task.size > Self.windowBytes && settings.waitsForConfirms
    }

    /// Whether the pace lets the task go. One that came back was on no queue and has had its turn.
    private func isItsTurn(_ task: OutgoingTask, _ now: Instant) -> Bool {
        guard let pace else { return true }
        return task.wasReturned || pace.isDue(now)
    }

    /// When the pace lets the first waiting task go; never when it waits for something else.
    private var nextTurn: Instant {
        guard let pace, let task = waiting.first, isFree(task) else { return .never }
        return pace.next
    }

    /// Whether nothing but the pace keeps the first waiting task back.
    private func isFree(_ task: OutgoingTask) -> Bool {
        isWindowOpen && isDue(task) && (!goesAlone(task) || inFlight.count == 0) && preparation(task) == nil
    }

    private func preparation(_ task: OutgoingTask) -> Route.Preparation? {
        routes.preparation(task.route, session: session)
    }

    // MARK: - Time

    /// When what is under way is overdue, or an alarm has lasted too long. A broker that says it is blocked is waited
    /// for as long as one that is away: sending the same tasks again would only make duplicates.
    private var deadline: Instant {
        guard blockedReason == nil else {
            return inFlight.count > 0 || !waiting.isEmpty ? lastProgress + patience : .never
        }
        guard inFlight.count > 0, settings.waitsForConfirms || inFlight.hasReturned else { return .never }
        return lastProgress + min(patience, max(outage.end - lastProgress, Self.lastPatience))
    }

    private var patience: Duration {
        blockedReason == nil ? settings.confirmTimeout : max(settings.confirmTimeout, settings.retryFor ?? .zero)
    }

    /// What was sent is still on its way to the broker, or back: the time for the confirm begins when it is there.
    package mutating func isUnderWay(_ now: Instant) {
        if blockedReason == nil { lastProgress = now }
    }

    private mutating func giveUpWaiting(_ now: Instant) {
        if let blockedReason {
            trouble = trouble ?? .blocked(reason: blockedReason, patience)
            disconnected()
        } else if settings.retryFor == nil || trouble != nil {
            trouble = trouble ?? .silent(settings.confirmTimeout)
            disconnected()
        } else {
            let waited = Duration.milliseconds((now - lastProgress).milliseconds)
            let text = "no confirm in \(min(settings.confirmTimeout, waited).shortText)"
            lost(named(BrokerError("publish", .timedOut, scope: .channel, text)), now)
        }
    }

    // MARK: - What happened to tasks

    /// Takes the broker's word. Tasks that are confirmed by it go to `confirmed`.
    package mutating func take(_ event: BrokerEvent, _ now: Instant, confirmed: (OutgoingTask) -> Void) {
        switch event {
        case .channelClosed(let error), .connectionClosed(let error):
            return lost(error, now)
        case .blocked(let reason):
            if blockedReason == nil { lastProgress = now }
            blockedReason = reason
            notices.append(.blocked(reason: reason))
            return
        case .unblocked:
            blockedReason = nil
        default:
            // Apart meanwhile, since what is settled changes all else.
            var account = inFlight
            inFlight = InFlight()
            let result = Result { () throws(BrokerError) in
                try account.take(event) { settle($0, $1, confirmed) }
            }
            inFlight = account
            waiting.sort()
            if case .failure(let error) = result { return lost(error, now) }
        }
        lastProgress = now
    }

    private mutating func settle(
        _ task: OutgoingTask, _ outcome: PublisherConfirms<OutgoingTask>.Outcome, _ confirmed: (OutgoingTask) -> Void
    ) {
        switch outcome {
        case .confirmed:
            routes.prove(task.route)
            outage.progressed()
            confirmedCount += 1
            confirmed(task)
        case .nacked where settings.retryFor != nil && routes.refusal(task.route) == nil:
            // It is sent again, as after an outage.
            var task = task
            task.wasNacked = true
            hasNacked = true
            waiting.add(task)
        case .nacked: refuse(task, .nacked)
        case .returned(let returned):
            var task = task
            task.body = returned.body
            guard task.route.canCreate, !task.wasReturned else { return refuse(task, .returned(text: returned.text)) }
            routes.missesQueue(task.route)
            task.wasReturned = true
            waiting.add(task)
        }
    }

    mutating func refuse(_ task: OutgoingTask, _ reason: Refusal) {
        refused.append((task, reason))
        if reason.concernsDestination || !settings.goesOnAfterRefusals { close(task.route, reason) }
    }

    /// Sends nothing more to a destination that refuses, or nothing at all.
    mutating func close(_ route: Route, _ reason: Refusal) {
        guard settings.goesOnAfterRefusals else { return end(.refused(reason)) }
        routes.refuse(route, reason)
        for task in waiting.remove(where: { $0.route === route }) { refused.append((task, reason)) }
    }

    /// The tasks that were refused since the last call, for whoever keeps them.
    package mutating func takeRefused() -> [(task: OutgoingTask, reason: Refusal)] {
        defer { refused = [] }
        return refused
    }

    // MARK: - What else happened

    /// A signal came. The first one ends reading and sending, the second one all waiting.
    package mutating func interrupt(_ signal: Int32) {
        isImpatient = wasInterrupted
        wasInterrupted = true
        end(.interrupted(signal))
    }

    /// Nothing more is read or sent; what is in flight is waited for.
    package mutating func end(_ trouble: Trouble) {
        self.trouble = self.trouble ?? trouble
    }
}
