// Drives a worker: turns what happens on descriptors into events, and the state machine's actions into calls.

import Broker
import DequeModule

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One worker: a connection, the commands it runs, and the loop around poll(2) that serves both.
///
/// Everything happens on one thread and nothing in the loop waits for a child, so heartbeats go on throughout.
package final class WorkerLoop {
    package struct Settings {
        package var queue: String
        /// Unacknowledged deliveries that the broker may have on the way; 0 for no limit.
        package var prefetchCount: UInt16
        /// The type of the queue where it must be created; nil to leave a missing queue alone.
        package var creates: QueueType?
        package var state: WorkerState.Settings

        package init(queue: String, prefetchCount: UInt16, creates: QueueType?, state: WorkerState.Settings) {
            self.queue = queue
            self.prefetchCount = prefetchCount
            self.creates = creates
            self.state = state
        }
    }

    /// What is done with a task.
    package enum Work {
        case run(CommandLauncher)
        /// Print it, with this byte behind it.
        case print(separator: UInt8)
    }

    private struct Link {
        var connection: Connection
        var channel: Channel
        var consumerTag: ShortString
    }

    /// Events taken from the broker in one turn, so that a flood of deliveries doesn't starve signals and children.
    private static let eventsPerTurn = 64

    private let settings: Settings
    private let parameters: ConnectionParameters
    private let launcher: CommandLauncher?
    private let report: (WorkerState.Report) -> Void
    private let signals: SignalPipe
    private var printer: TaskPrinter
    private var state: WorkerState
    private var link: Link?
    private var children: [WorkerState.JobID: ChildProcess] = [:]
    private var events: Deque<WorkerState.Event> = []
    private var pollSet = PollSet()
    private var ending: WorkerState.Ending?

    package init(
        _ settings: Settings, work: Work, parameters: ConnectionParameters, signals: SignalPipe,
        report: @escaping (WorkerState.Report) -> Void
    ) {
        self.settings = settings
        self.parameters = parameters
        self.signals = signals
        self.report = report
        switch work {
        case .run(let launcher):
            self.launcher = launcher
            printer = TaskPrinter(separator: 0)
        case .print(let separator):
            launcher = nil
            printer = TaskPrinter(separator: separator)
        }
        state = WorkerState(settings: settings.state, now: .now)
    }

    /// Works until there is a reason to leave, and closes the connection in good order.
    package func run() -> WorkerState.Ending {
        perform(.connect)
        while true {
            handleEvents()
            if let ending {
                link?.connection.close()
                return ending
            }
            waitForSomething()
        }
    }

    private func handleEvents() {
        receive()
        if state.nextDeadline <= .now { events.append(.tick) }
        while let event = events.popFirst(), ending == nil {
            for action in state.handle(event, now: .now) { perform(action) }
        }
    }

    // MARK: - From the world to events

    private func waitForSomething() {
        pollSet.removeAll()
        pollSet.add(signals.descriptor, events: POLLIN)
        if let link { pollSet.add(link.connection.descriptor, events: POLLIN) }
        for child in children.values where child.input.isPending {
            pollSet.add(child.input.descriptor, events: POLLOUT)
        }
        // A reader that goes away is noticed also while there is nothing to print.
        if launcher == nil { pollSet.add(TaskPrinter.descriptor, events: printer.isPending ? POLLOUT : 0) }
        pollSet.wait(timeout: timeout)

        if pollSet.isReady(signals.descriptor) { signals.read().forEach(take) }
        for (job, child) in children where child.input.isPending && pollSet.isReady(child.input.descriptor) {
            children[job]?.input.write()
        }
        if launcher == nil, pollSet.isReady(TaskPrinter.descriptor) { print() }
    }

    /// Milliseconds until something is due by itself. Heartbeats are served by reading, twice an interval at least.
    private var timeout: Int32 {
        guard events.isEmpty else { return 0 }
        let now = Instant.now
        let heartbeat = link?.connection.heartbeat.map { now + $0 / 2 } ?? .never
        let deadline = min(state.nextDeadline, heartbeat)
        return deadline == .never ? -1 : deadline.pollTimeout(from: now)
    }

    /// Takes what the broker has sent, without waiting.
    private func receive() {
        guard let link else { return }
        do throws(BrokerError) {
            while events.count < Self.eventsPerTurn, let event = try link.connection.nextEvent() {
                take(event)
                if self.link == nil { return }
            }
        } catch {
            lose(error)
        }
    }

    private func take(_ event: BrokerEvent) {
        switch event {
        case .delivery(let delivery):
            events.append(.delivered(delivery))
        case .consumerCancelled:
            lose(
                BrokerError(
                    "consume from queue \"\(settings.queue)\"", .connectionLost, scope: .channel,
                    "the queue was deleted or lost its leader"))
        case .channelClosed(let error), .connectionClosed(let error):
            lose(error)
        case .acknowledged, .negativelyAcknowledged, .returned, .blocked, .unblocked:
            // Nothing is published on this connection, and an alarm doesn't stop deliveries or acknowledgements.
            break
        }
    }

    /// Drops the connection. Deliveries that are still to be handled belong to it and are void.
    private func lose(_ error: BrokerError) {
        link?.connection.close(timeout: .milliseconds(200))
        link = nil
        events.removeAll { if case .delivered = $0 { true } else { false } }
        events.append(.connectionLost(error))
    }

    private func take(_ signal: Int32) {
        if signal == SIGCHLD {
            for (job, child) in children {
                guard let end = child.reap() else { continue }
                children[job]?.input.close()
                children[job] = nil
                events.append(.ended(job, end))
            }
        } else {
            events.append(.stopRequested)
        }
    }

    private func print() {
        guard printer.isPending else { return events.append(.outputFailed(EPIPE)) }
        switch printer.write() {
        case .done(let jobs): events.append(contentsOf: jobs.map { .ended($0, .exited(0)) })
        case .failed(let number): events.append(.outputFailed(number))
        }
    }

    // MARK: - From actions to the world

    private func perform(_ action: WorkerState.Action) {
        switch action {
        case .connect: connect()
        case .start(let job, let delivery): start(job, delivery)
        case .acknowledge(let tag): onChannel { channel throws(BrokerError) in try channel.acknowledge(tag) }
        case .requeue(let tag): onChannel { channel throws(BrokerError) in try channel.reject(tag, requeue: true) }
        case .giveBack(let tag): onChannel { channel throws(BrokerError) in try channel.giveBack(tag) }
        case .cancelConsumer:
            guard let tag = link?.consumerTag else { return }
            onChannel { channel throws(BrokerError) in try channel.cancel(tag) }
        case .countReady: countReady()
        case .terminate(let job): children[job]?.signalGroup(SIGTERM)
        case .kill(let job): children[job]?.signalGroup(SIGKILL)
        case .report(let what): report(what)
        case .finish(let reason): ending = reason
        }
    }

    private func onChannel(_ call: (Channel) throws(BrokerError) -> Void) {
        guard let link else { return }
        do {
            try call(link.channel)
        } catch {
            lose(error)
        }
    }

    private func connect() {
        do {
            link = try openLink()
            events.append(.connected)
        } catch {
            events.append(.connectionLost(error))
        }
    }

    private func openLink() throws(BrokerError) -> Link {
        let connection = try Connection.open(parameters)
        let channel = try Channel(on: connection)
        let queue = ShortString(settings.queue)
        do {
            return Link(connection: connection, channel: channel, consumerTag: try consume(queue, channel))
        } catch {
            guard error.code == .notFound, let type = settings.creates else { throw error }
            try channel.open()
            try channel.declareQueue(queue, type: type)
            return Link(connection: connection, channel: channel, consumerTag: try consume(queue, channel))
        }
    }

    private func consume(_ queue: ShortString, _ channel: Channel) throws(BrokerError) -> ShortString {
        if settings.prefetchCount > 0 { try channel.setPrefetchCount(settings.prefetchCount) }
        return try channel.consume(queue)
    }

    private func start(_ job: WorkerState.JobID, _ delivery: Delivery) {
        guard let launcher else { return printer.add(job, delivery.body) }
        let variables = TaskEnvironment.entries(for: delivery, queue: settings.queue)
        do {
            children[job] = try launcher.start(body: delivery.body, variables: variables)
        } catch {
            events.append(.ended(job, error.end))
        }
    }

    private func countReady() {
        guard let link else { return }
        do throws(BrokerError) {
            events.append(.readyCount(try link.channel.status(ofQueue: ShortString(settings.queue)).ready))
        } catch {
            if error.scope == .channel, error.code == .accessRefused {
                events.append(.refused(error))
            } else {
                lose(error)
            }
        }
    }
}
