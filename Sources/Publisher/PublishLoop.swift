// Does what `PublishState` decides: sends, listens and waits.

import Broker
import Posix

/// The loop around the broker's socket, the input and signals.
package final class PublishLoop {
    /// What the loop tells while it works.
    package struct Listener {
        package var notice: (PublishState.Notice) -> Void
        package var progress: (_ sent: Int, _ confirmed: Int) -> Void
        /// When `progress` should be called again.
        package var progressDeadline: () -> Instant

        package init(
            notice: @escaping (PublishState.Notice) -> Void, progress: @escaping (Int, Int) -> Void,
            progressDeadline: @escaping () -> Instant
        ) {
            self.notice = notice
            self.progress = progress
            self.progressDeadline = progressDeadline
        }
    }

    /// How many tasks, and about how many bytes, are sent before looking whether the broker said something.
    private static let burst = 128
    private static let burstBytes = 256 << 10
    /// How often to look whether what was sent gets on.
    private static let sendingInterval = Duration.milliseconds(100)

    private let source: any TaskSource
    private let session: PublishSession
    private let settings: PublishState.Settings
    private let interruption: Interruption?
    private let ids: PrintedIDs?
    private let listener: Listener
    private var state: PublishState
    private var pollSet = PollSet()

    package init(
        _ source: any TaskSource, over session: PublishSession, _ settings: PublishState.Settings,
        interruption: Interruption?, ids: PrintedIDs? = nil, listener: Listener
    ) {
        self.source = source
        self.session = session
        self.settings = settings
        self.interruption = interruption
        self.ids = ids
        self.listener = listener
        state = PublishState(settings)
    }

    /// Sends everything. The connection stays as it is for whatever comes next.
    package func run() -> PublishState {
        while true {
            let hasSent = sendBurst()
            let hasReceived = receive()
            tell()
            if hasSent || hasReceived { continue }
            switch state.next(.now) {
            case .connect(let end): connect(by: end)
            case .pause(let end):
                session.leave()
                wait(until: end)
            case .prepare(let route, let preparation): prepare(route, preparation)
            case .synchronize: synchronize()
            case .wait(let end, let forInput): wait(until: end, forInput: forInput)
            case .end:
                ids?.finish()
                if let failure = ids?.failure { state.end(.output(failure)) }
                tell()
                if state.isImpatient { session.drop() }
                return state
            }
        }
    }

    // MARK: - Sending

    /// Sends what there is; false when there was nothing.
    private func sendBurst() -> Bool {
        // The first task, which is often the only one, goes off at once.
        guard let first = nextTask(.now) else { return false }
        guard send(first), first.size < Self.burstBytes else { return true }
        let now = Instant.now
        guard let second = nextTask(now) else { return true }
        session.sendTogether {
            var (count, bytes) = (2, second.size)
            guard send(second) else { return }
            while count < Self.burst, bytes < Self.burstBytes, let next = nextTask(now), send(next) {
                count += 1
                bytes += next.size
            }
        }
        return true
    }

    /// Sends a task; false when that failed.
    private func send(_ task: OutgoingTask) -> Bool {
        do throws(BrokerError) {
            try session.publish(task)
        } catch {
            if error.code == .invalidInput { session.withdraw() }
            // The broker may have said why it doesn't read any more.
            if error.code == .timedOut { _ = receive() }
            noteSignals()
            if state.isConnected { state.sendingFailed(task, error, .now) }
            return false
        }
        // A send that had to wait for room is progress, and only what is left of it is still to come.
        if task.size >= Self.burstBytes, session.isSending { state.isUnderWay(.now) }
        if !settings.waitsForConfirms, !task.wasReturned { ids?.add(task) }
        return true
    }

    private func nextTask(_ now: Instant) -> OutgoingTask? {
        if let task = state.nextToSend(now) { return task }
        guard state.wantsTask else { return nil }
        do throws(TaskSourceFailure) {
            if let task = try source.next() {
                if state.read(task, now) { return task }
            } else if source.isExhausted {
                state.endInput()
            }
        } catch {
            state.end(.input(error))
        }
        return state.nextToSend(now)
    }

    private func prepare(_ route: Route, _ preparation: Route.Preparation) {
        do throws(BrokerError) {
            state.prepared(route, hasReopened: try session.prepare(route, preparation))
        } catch {
            noteSignals()
            state.preparationFailed(route, error, .now)
        }
    }

    private func synchronize() {
        do throws(BrokerError) {
            try session.synchronize()
            _ = receive()
            state.synchronized()
        } catch {
            noteSignals()
            state.lost(error, .now)
        }
    }

    // MARK: - Listening

    /// Takes what the broker has said; false when that is nothing.
    private func receive() -> Bool {
        var isNews = false
        do throws(BrokerError) {
            while state.isConnected, let event = try session.nextEvent() {
                isNews = true
                state.take(event, .now) { task in
                    source.confirm(task)
                    if settings.waitsForConfirms { ids?.add(task) }
                }
            }
            if session.hasReceivedMore() { state.isUnderWay(.now) }
        } catch {
            isNews = true
            noteSignals()
            state.lost(error, .now)
        }
        return isNews
    }

    /// Hands on what is new to whoever wants to know.
    private func tell() {
        for notice in state.takeNotices() { listener.notice(notice) }
        if settings.goesOnAfterRefusals {
            for (task, reason) in state.takeRefused() { source.refuse(task, reason) }
        }
        if let failure = ids?.failure, state.trouble == nil { state.end(.output(failure)) }
        listener.progress(state.readCount, state.confirmedCount)
    }

    // MARK: - Waiting

    private func connect(by end: Instant) {
        do throws(BrokerError) {
            if state.hasConnectedBefore { session.leave() }
            if try session.open(by: end) { state.connected(nextTag: session.nextTag) }
        } catch {
            state.lost(error, .now)
        }
        noteSignals()
    }

    private func wait(until end: Instant, forInput: Bool = false) {
        ids?.flush()
        let now = Instant.now
        var deadline = min(end, listener.progressDeadline())
        deadline = min(deadline, session.isSending ? now + Self.sendingInterval : .never)
        pollSet.removeAll()
        if let connection = session.connection {
            pollSet.add(connection.descriptor, events: POLLIN)
            if let heartbeat = connection.heartbeat { deadline = min(deadline, now + heartbeat / 2) }
        }
        let input = forInput ? source.descriptor : nil
        if let input { pollSet.add(input, events: POLLIN) }
        if let interruption { pollSet.add(interruption.descriptor, events: POLLIN) }
        pollSet.wait(timeout: deadline.pollTimeout(from: now))
        if session.hasSentMore() { state.isUnderWay(.now) }
        noteSignals()
        guard let input, pollSet.isReady(input) else { return }
        do throws(TaskSourceFailure) {
            try source.read()
        } catch {
            state.end(.input(error))
        }
    }

    private func noteSignals() {
        guard let interruption else { return }
        for signal in interruption.take() { state.interrupt(signal) }
    }
}
