// What the worker does, and whether it may.

import Broker
import Posix

@testable import Worker

extension SimulatedWorld {
    mutating func take(_ event: WorkerState.Event) {
        // What is being printed is given back when printing fails, or takes too long at the end.
        let mayEndRunning: Bool
        let mayAbandon: Bool
        switch event {
        case .outputFailed: (mayEndRunning, mayAbandon) = (settings.mode == .print, false)
        case .tick: (mayEndRunning, mayAbandon) = (settings.mode == .print, true)
        // A worker that has killed its commands doesn't wait for them when it is told to leave once more.
        case .stopRequested: (mayEndRunning, mayAbandon) = (settings.mode == .print || hasKilled, true)
        case .copyFailed: (mayEndRunning, mayAbandon) = (false, true)
        default: (mayEndRunning, mayAbandon) = (false, false)
        }
        now = now + .milliseconds(1)
        let wasWorking = state.isWorking
        for action in state.handle(event, now: now) {
            if hasFinished { faults.append("\(action) after the end") }
            if case .delivered = event, wasWorking, state.isWorking {
                switch action {
                case .giveBack: faults.append("takes more than it may")
                default: break
                }
            }
            perform(action, mayEndRunning: mayEndRunning, mayAbandon: mayAbandon)
        }
        // Printed tasks have no process that could end later, and may be given back later: by copies that fail.
        if mayEndRunning, state.runningCount == 0 {
            running = [:]
            for (tag, delivery) in broker.unsettled where delivery.place != .waiting {
                broker.unsettled[tag]?.place = .ended
            }
        }
        if running.count != state.runningCount { faults.append("\(state.runningCount) running") }
        if isAskedForCount {
            isAskedForCount = false
            take(.readyCount(broker.ready.count))
        }
    }

    private mutating func perform(_ action: WorkerState.Action, mayEndRunning: Bool, mayAbandon: Bool) {
        switch action {
        case .connect:
            if broker.isConnected { faults.append("connects twice") }
            isConnecting = true
        case .start(let job, let delivery): start(job, [delivery])
        case .startBatch(let job, let deliveries):
            if deliveries.count > 1 { reached.insert("batch") }
            start(job, deliveries)
        case .acknowledge(let tag): acknowledge(tag)
        case .copy(let id, let copy):
            if copies.contains(where: { $0.id == id }) { faults.append("copies task \(id) twice at once") }
            if copy.fate == .back { reached.insert("given back by a copy") }
            copies.append((id, copy))
            let tag = copy.delivery.deliveryTag
            // The tag may be of an earlier session.
            if let found = broker.unsettled[tag], found.place == .waiting,
                found.message.task == Self.task(copy.delivery)
            {
                broker.unsettled[tag]?.place = .ended
            }
        case .reject: faults.append("rejects, which nobody asked for")
        case .giveBack(let tag):
            reached.insert("giveBack")
            if let message = settle(tag, mayEndRunning: mayEndRunning), broker.putBack(message), !mayAbandon {
                faults.append("task \(message.task) is given back until it is dropped")
            }
        case .startConsumer(let count):
            if !broker.startConsumer(count) { faults.append("consumes twice") }
        case .cancelConsumer:
            if !broker.endConsumer() { faults.append("ends a consumer twice") }
        case .countReady: isAskedForCount = true
        case .terminate(let job), .kill(let job):
            reached.insert(action == .kill(job) ? "kill" : "terminate")
            if action == .kill(job) { hasKilled = true }
            if running[job] == nil { faults.append("signals job \(job), which isn't running") }
        case .report(.cameBack(let job, let delivery)):
            reached.insert("adopted")
            broker.unsettled[delivery.deliveryTag]?.place = .running(job)
        case .report(.settledLate(let delivery, _)):
            reached.insert("settled late")
            broker.unsettled[delivery.deliveryTag]?.place = .ended
        case .finish(let ending): finish(ending, mayEndRunning: mayEndRunning)
        case .report: break
        }
    }

    private mutating func start(_ job: Int, _ deliveries: [Delivery]) {
        if running.count >= settings.jobs { faults.append("more than \(settings.jobs) jobs") }
        if Set(deliveries.map(\.queue)).count > 1 { faults.append("a batch of several queues") }
        let queue = deliveries.first?.queue ?? 0
        let waiting = broker.unsettled.values.filter { $0.place == .waiting }
        if waiting.contains(where: { broker.queue(of: $0.message.task) > queue }) {
            reached.insert("first of an earlier queue")
        }
        let isOvertaking = waiting.contains { $0.isFirst && broker.queue(of: $0.message.task) < queue }
        if isOvertaking, settings.batching == nil {
            faults.append("starts a task of queue \(queue) before one of an earlier queue")
        }
        for delivery in deliveries {
            guard let found = broker.unsettled[delivery.deliveryTag], found.place == .waiting else {
                return faults.append("starts delivery \(delivery.deliveryTag), which isn't waiting")
            }
            running[job, default: []].append(found.message.task)
            broker.unsettled[delivery.deliveryTag]?.place = .running(job)
        }
    }

    private mutating func acknowledge(_ tag: UInt64) {
        reached.insert("acknowledge")
        guard let message = settle(tag, mayEndRunning: false) else { return }
        if !hasSucceeded.contains(message.task), !copied.contains(message.task) {
            faults.append("task \(message.task) is acknowledged without success")
        }
    }

    /// The message that a settled delivery held; nil, and a fault, when it can't be settled.
    private mutating func settle(_ tag: UInt64, mayEndRunning: Bool) -> SimulatedBroker.Message? {
        guard let found = broker.settle(tag) else {
            faults.append("settles \(tag), which isn't outstanding")
            return nil
        }
        if case .running = found.place, !mayEndRunning { faults.append("settles \(tag), which is running") }
        return found.message
    }

    private mutating func finish(_ ending: WorkerState.Ending, mayEndRunning: Bool) {
        hasFinished = true
        if !running.isEmpty, !mayEndRunning { faults.append("ends while jobs run") }
        if broker.isConnected, !broker.unsettled.isEmpty {
            faults.append("ends with \(broker.unsettled.count) deliveries unsettled")
        }
        guard settings.leavesWhenEmpty, settings.count == nil, !wasStopped, ending == .done else { return }
        reached.insert("drained")
        if !broker.ready.isEmpty { faults.append("leaves before the queue is empty") }
    }
}
