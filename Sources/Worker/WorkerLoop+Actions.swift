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
        case .copy(let job, let copy): courier.send(job, copy, errors: lastWords[job] ?? [])
        case .cancelConsumer:
            guard let tag = link?.consumerTag else { return }
            onChannel { channel throws(BrokerError) in try channel.sendCancel(tag) }
        case .startConsumer: startConsumer()
        case .countReady: countReady()
        case .terminate(let job): children[job]?.terminate()
        case .kill(let job):
            children[job]?.end()
            giveUpOutput(of: job)
        case .report(let what):
            if case .ended(let job, _, _, let verdict, _) = what, !verdict.isSentOn {
                lastWords[job] = nil
            }
            if case .endedUnheard(let job, _, _, _) = what { lastWords[job] = nil }
            if case .batchEnded(let job, let outcomes, _, _) = what, let words = lastWords.removeValue(forKey: job) {
                shareLastWords(words, job, outcomes)
            }
            if let line = logLine(what, courier.lastError) { relay.log(line) }
        case .finish(let reason): ending = reason
        }
    }

    /// When the broker is to be told what became of tasks.
    var nextSettling: Instant {
        settlements.due(waiting: state.waitingCount)
    }

    func settle() {
        for word in settlements.take(now: .now) {
            onChannel { channel throws(BrokerError) in
                switch word {
                case .acknowledge(let tag): try channel.acknowledge(tag)
                case .acknowledgeAll(let tag): try channel.acknowledge(tag, multiple: true)
                case .reject(let tag): try channel.reject(tag)
                case .giveBack(let tag): try channel.giveBack(tag)
                case .giveBackAll(let tag): try channel.giveBack(tag, multiple: true)
                }
            }
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
        let consumer = ConsumerLink.Settings(
            queue: settings.queue, prefetchCount: settings.prefetchCount, creates: settings.creates)
        do throws(BrokerError) {
            opening = try Opening { [parameters] () throws(BrokerError) in try ConsumerLink.open(consumer, parameters) }
        } catch {
            events.append(.connectionLost(error))
        }
    }

    func takeConnection() {
        switch opening?.take() {
        case .success(let new):
            link = new
            mayHaveFrames = true
            events.append(.connected)
        case .failure(let error): events.append(.connectionLost(error))
        case nil: return
        }
        opening = nil
    }

    private func start(_ job: WorkerState.JobID, _ delivery: Delivery) {
        guard let launcher else { return printer.add(job, delivery.body) }
        let variables = TaskEnvironment.variables(
            for: delivery, queue: settings.queue, maximumAttempts: settings.state.retries.maximumAttempts)
        var modes = outputModes(job)
        let isAsked = settings.state.isAnswering && delivery.properties.replyTo?.isEmpty == false
        if isAsked { modes.output = .kept(limit: Self.longestAnswer) }
        start(job, launcher, delivery.body, variables, modes)
    }

    private func start(_ job: WorkerState.JobID, batch tasks: [Delivery]) {
        guard let launcher, let batching = settings.state.batching else { return }
        let variables = TaskEnvironment.variables(
            forBatchOf: tasks.count, queue: settings.queue,
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

    /// Every task of a batch that failed carries what its command has said.
    private func shareLastWords(_ words: [UInt8], _ job: WorkerState.JobID, _ outcomes: [Verdict: Int]) {
        guard outcomes.keys.contains(where: \.isSentOn) else { return }
        for offset in 0..<outcomes.values.reduce(0, +) { lastWords[job + offset] = words }
    }

    private func outputModes(_ job: WorkerState.JobID) -> (output: ChildOutput.Mode?, errors: ChildOutput.Mode?) {
        switch settings.output {
        case .inherited: (nil, nil)
        case .passed: (nil, .bytes)
        case .lines: (.lines(tag: ""), .lines(tag: ""))
        case .taggedLines: (.lines(tag: "\(job): "), .lines(tag: "\(job): "))
        case .grouped(let isTagged, let directory):
            (
                .grouped(tag: isTagged ? "\(job): " : "", directory: directory),
                .grouped(tag: isTagged ? "\(job): " : "", directory: directory)
            )
        }
    }

    private func startConsumer() {
        guard let link else { return }
        mayHaveFrames = true
        do throws(BrokerError) {
            self.link?.consumerTag = try link.channel.consume(ShortString(settings.queue))
        } catch {
            lose(error)
        }
    }

    private func countReady() {
        guard let link else { return }
        settle()
        mayHaveFrames = true
        do throws(BrokerError) {
            let ready = try link.channel.status(ofQueue: ShortString(settings.queue)).ready
            // Deliveries that came before the answer must be known before it: they disprove that nothing is left.
            while let event = try link.connection.nextEvent() {
                take(event)
                if self.link == nil { return }
            }
            events.append(.readyCount(ready))
        } catch {
            if error.scope == .channel, error.code == .accessRefused {
                events.append(.refused(error))
            } else {
                lose(error)
            }
        }
    }
}
