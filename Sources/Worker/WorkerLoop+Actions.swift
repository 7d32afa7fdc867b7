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
        var modes = outputModes(job)
        let isAsked = settings.state.isAnswering && delivery.properties.replyTo?.isEmpty == false
        if isAsked { modes.output = .kept(limit: Self.longestAnswer) }
        start(job, launcher, delivery.body, variables, modes)
    }

    private func start(_ job: WorkerState.JobID, batch tasks: [Delivery]) {
        guard let launcher, let batching = settings.state.batching, let first = tasks.first else { return }
        let variables = TaskEnvironment.variables(
            forBatchOf: tasks.count, queue: settings.queues[first.queue].name,
            maximumAttempts: settings.state.retries.maximumAttempts)
        start(job, launcher, batching.input(tasks), variables, outputModes(job))
    }

    private func start(
        _ job: WorkerState.JobID, _ launcher: CommandLauncher, _ body: [UInt8], _ variables: EnvironmentBlock,
        _ modes: (output: ChildOutput.Mode?, errors: ChildOutput.Mode?)
    ) {
        do {
            let child = try launcher.start(
                body: body, variables: variables, output: modes.output, errors: modes.errors)
            children[job] = child
            jobsByProcess[child.pid] = job
        } catch {
            events.append(.ended(job, error.end))
        }
    }

    private func outputModes(_ job: WorkerState.JobID) -> (output: ChildOutput.Mode?, errors: ChildOutput.Mode?) {
        func tag(_ isTagged: Bool) -> String { isTagged ? "\(job): " : "" }
        let both: ChildOutput.Mode
        switch settings.output {
        case .inherited: return (nil, nil)
        case .passed: return (nil, .bytes)
        case .lines(let isTagged, let directory): both = .lines(tag: tag(isTagged), directory: directory)
        case .grouped(let isTagged, let directory): both = .grouped(tag: tag(isTagged), directory: directory)
        }
        return (both, both)
    }
}
