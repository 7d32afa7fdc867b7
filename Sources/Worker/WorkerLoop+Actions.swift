// How a worker's loop carries out what its state machine decides.

import Broker
import Posix

extension WorkerLoop {
    func perform(_ action: WorkerState.Action) {
        switch action {
        case .connect: connect()
        case .start(let job, let delivery): start(job, delivery)
        case .startBatch(let job, let tasks): start(job, batch: tasks)
        case .acknowledge(let tag): settlements.acknowledge(tag)
        case .reject(let tag): settlements.reject(tag)
        case .giveBack(let tag): settlements.giveBack(tag)
        case .copy(let task, let copy): copies.send(CopyPublisher.Letter(task: task, copy: copy))
        case .cancelConsumer:
            inSession { session throws(BrokerError) in try session.stopConsumer() }
        case .startConsumer(let prefetch):
            inSession { session throws(BrokerError) in try session.startConsumer(prefetch: prefetch) }
        case .countReady:
            // The question must not overtake what the broker is to hear before.
            settle()
            inSession { session throws(BrokerError) in try session.countReady() }
        case .terminate(let job): children[job]?.terminate()
        case .kill(let job):
            children[job]?.end()
            giveUpOutput(of: job)
        case .report(let what):
            if let line = logLine(what, lastCopyError) { relay.log(line) }
        case .finish(let reason): ending = reason
        }
    }

    /// When the broker is to be told what became of tasks.
    var nextSettling: Instant {
        settlements.due(waiting: state.waitingCount)
    }

    func settle() {
        for word in settlements.take(now: .now) {
            inSession { session throws(BrokerError) in try session.send(word) }
        }
    }

    private func inSession(_ call: (inout ConsumerSession) throws(BrokerError) -> Void) {
        guard var current = session else { return }
        // What is sent may bring in frames, which then wait in the library while the socket is quiet.
        mayHaveFrames = true
        do throws(BrokerError) {
            try call(&current)
            session = current
        } catch {
            lose(error)
        }
    }

    private func connect() {
        let consumer = ConsumerSession.Settings(
            queues: settings.queues, triesAgain: settings.state.triesAgain, priority: settings.consumerPriority)
        let parameters = parameters()
        copies.use(settings.copyParameters ?? parameters)
        do throws(BrokerError) {
            opening = try Opening { () throws(BrokerError) in try ConsumerSession.open(consumer, parameters) }
        } catch {
            events.append(.connectionLost(error))
        }
    }

    func takeConnection() {
        switch opening?.take() {
        case .success(let new):
            session = new
            mayHaveFrames = true
            events.append(.connected)
        case .failure(let error): events.append(.connectionLost(error))
        case nil: return
        }
        opening = nil
    }

    private func start(_ job: WorkerState.JobID, _ delivery: Delivery) {
        guard let launcher else { return printer.add(job, delivery) }
        let variables = TaskEnvironment.variables(
            for: delivery, queue: settings.queues[delivery.queue].name,
            maximumAttempts: settings.state.retries.maximumAttempts)
        let isAsked = settings.state.isAnswering && delivery.properties.replyTo?.isEmpty == false
        start(job, launcher, delivery.body, variables, isAnswering: isAsked)
    }

    private func start(_ job: WorkerState.JobID, batch tasks: [Delivery]) {
        guard let launcher, let batching = settings.state.batching, let first = tasks.first else { return }
        let variables = TaskEnvironment.variables(
            forBatchOf: tasks.count, queue: settings.queues[first.queue].name,
            maximumAttempts: settings.state.retries.maximumAttempts)
        start(job, launcher, batching.input(tasks), variables)
    }

    private func start(
        _ job: WorkerState.JobID, _ launcher: CommandLauncher, _ body: [UInt8], _ variables: EnvironmentBlock,
        isAnswering: Bool = false
    ) {
        var modes: (output: ChildOutput.Mode?, errors: ChildOutput.Mode?)
        do throws(SystemError) {
            modes = try outputModes(job)
        } catch {
            failOutput(error.number)
            return events.append(.ended(job, .outputLost))
        }
        if isAnswering { modes.output = .kept(limit: Self.longestAnswer) }
        do {
            let child = try launcher.start(
                body: body, variables: variables, output: modes.output, errors: modes.errors)
            children[job] = child
            jobsByProcess[child.pid] = job
        } catch {
            if case .stored(let store) = settings.output { store.discard(job) }
            events.append(.ended(job, error.end))
        }
    }

    private func outputModes(
        _ job: WorkerState.JobID
    ) throws(SystemError) -> (output: ChildOutput.Mode?, errors: ChildOutput.Mode?) {
        func tag(_ isTagged: Bool) -> String { isTagged ? "\(job): " : "" }
        let both: ChildOutput.Mode
        switch settings.output {
        case .inherited: return (nil, nil)
        case .passed: return (nil, .bytes)
        case .stored(let store):
            let files = try store.begin(job)
            return (.file(files.output), .file(files.errors))
        case .lines(let isTagged, let directory): both = .lines(tag: tag(isTagged), directory: directory)
        case .grouped(let isTagged, let directory): both = .grouped(tag: tag(isTagged), directory: directory)
        }
        return (both, both)
    }

    /// Writes down how a command has ended, before anybody hears of it: a task isn't done while that isn't kept.
    func stored(_ event: WorkerState.Event) -> WorkerState.Event {
        guard case .stored(let store) = settings.output, case .ended(let job, let end, _) = event else { return event }
        do throws(SystemError) {
            try store.finish(job, end == .outputLost ? nil : state.report(ofEnd: end, of: job, now: .now))
            return event
        } catch {
            failOutput(error.number)
            return .ended(job, .outputLost)
        }
    }

    /// What commands write may be what they are run for: the worker ends.
    func failOutput(_ number: Int32) {
        outputFailure = number
        events.prepend(.outputFailed(number))
    }
}
