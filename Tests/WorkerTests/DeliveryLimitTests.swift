// Quorum queues count deliveries and drop a task at their limit: what a worker does so that none gets there.

import Broker
import Testing

@testable import Worker

@Suite("Worker: delivery limits") struct DeliveryLimitTests {
    @Test(
        "R3 a task that a quorum queue has delivered as often as it may be tried is dead-lettered before it runs again")
    func poison() {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = 3 }
        #expect(worker.deliver(1, count: 2) == ["start 1: task 1"])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.deliver(2, count: 3) == ["copy 2: dead attempt 3"])
        guard case .ended(2, _, .workerKilled, .deadLetter, _, _)? = worker.reports.first else {
            Issue.record("\(worker.reports)")
            return
        }
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2"])
        var printer = WorkerTranscript.connected {
            $0.retries.maximumAttempts = 3
            $0.mode = .print
        }
        #expect(printer.deliver(1, count: 9) == ["start 1: task 1"])
    }

    @Test("R2 R3 one delivery before is none by a dying worker where one attempt is all: it may have been given back")
    func givenBack() {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = 1 }
        #expect(worker.deliver(1, count: 1) == ["start 1: task 1"])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.deliver(2, count: 2) == ["copy 2: dead attempt 2"])
    }

    @Test("R3 the attempt is the larger of what workers have noted and what the broker counts")
    func attempts() {
        for (noted, count, attempt) in [(nil, nil, 1), (3, nil, 3), (3, 1, 3), (2, 4, 5), (nil, 1, 2)]
            as [(Int32?, Int64?, Int)]
        {
            #expect(TaskCopy.attempt(of: WorkerTranscript.delivery(1, attempt: noted, count: count)) == attempt)
        }
        var stale = WorkerTranscript.delivery(1, count: 7)
        stale.redelivered = false
        #expect(TaskCopy.attempt(of: stale) == 1, "the count of another queue")
    }

    @Test("R3 a count that a publisher has made up, however large, ends no worker")
    func madeUpCount() {
        for count in [.max, .max - 1] as [Int64] {
            var worker = WorkerTranscript.connected()
            #expect(worker.deliver(1, count: count) == ["copy 1: dead attempt \(Int32.max)"])
        }
        var worker = WorkerTranscript.connected()
        #expect(worker.deliver(1, count: .min) == ["start 1: task 1"])
    }

    @Test("R1 R2 what was given back once goes back by a copy, and is acknowledged when that is confirmed")
    func copies() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        _ = worker.deliver(1)
        _ = worker.deliver(2, count: 1)
        _ = worker.deliver(3)
        _ = worker.take(.delivered(WorkerTranscript.delivery(4, attempt: 3, count: 4)))
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "give back 3", "copy 4: back attempt 3"])
        #expect(worker.take(.stopRequested, after: .seconds(1)) == ["TERM 1", "TERM 2"])
        #expect(worker.end(1, .signalled(15)) == ["give back 1"])
        #expect(worker.end(2, .signalled(15)) == ["copy 2: back attempt 2"])
        #expect(worker.take(.copyConfirmed(4)) == ["ack 4"])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2", "finish done"])
        #expect(worker.state.tally == WorkerState.Tally(counts: [.giveBack: 4]))
    }

    @Test("R2 a copy that nobody confirms keeps a leaving worker no longer than its commands")
    func bounded() {
        var worker = WorkerTranscript.connected { $0.killAfter = .seconds(3) }
        _ = worker.deliver(1, count: 1)
        _ = worker.take(.stopRequested)
        _ = worker.take(.stopRequested, after: .seconds(1))
        #expect(worker.tick() == ["KILL 1"])
        #expect(worker.end(1, .signalled(9)) == ["copy 1: back attempt 2"])
        #expect(worker.untilDeadline == .seconds(3))
        #expect(worker.tick() == ["give back 1", "finish done"])
    }

    @Test("a copy goes without what brokers have counted")
    func headers() {
        let delivery = WorkerTranscript.delivery(1, attempt: 2, count: 4)
        for fate in [RetryPolicy.Fate.back, .later(.seconds(1)), .moved(to: "other")] {
            let copy = TaskCopy(delivery: delivery, fate: fate, attempt: 2, end: .exited(1))
            let headers = copy.properties(queue: "q", host: "here", time: 5).headers
            #expect(headers == ["x-workq-attempt": .int32(2)])
        }
    }
}
