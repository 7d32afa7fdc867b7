// Quorum queues count deliveries and drop a task at their limit: what a worker does so that none gets there.

import Broker
import Testing

@testable import Worker

@Suite("Worker: delivery limits") struct DeliveryLimitTests {
    @Test(
        "R3 a task that came back so often that it may have killed its workers is put back to be watched",
        arguments: [(1, 1, 2), (2, 1, 2), (3, 2, 3), (5, 3, 5), (10, 5, 10)])
    func suspect(maximum: Int, trusted: Int64, greatest: Int) {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = maximum }
        #expect(worker.deliver(1, count: trusted > 1 ? trusted - 1 : nil) == ["start 1: task 1"])
        #expect(worker.end(1) == ["ack 1"])
        let watched = "copy 2: back, watched after \(trusted) returns, attempt 1"
        #expect(worker.deliver(2, count: trusted) == [watched])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2"])
        // The copy, and when workers have died of it.
        #expect(worker.deliver(3, returns: Int32(trusted)) == ["start 2: task 3"])
        #expect(worker.end(2) == ["ack 3"])
        let deaths = Int64(greatest) - trusted
        for count in 1..<max(2, deaths) where deaths > 1 {
            #expect(worker.deliver(UInt64(3 + count), count: count, returns: Int32(trusted)).count == 1)
            #expect(worker.end(Int(2 + count)) == ["ack \(3 + count)"])
        }
        let last = worker.deliver(90, count: deaths, returns: Int32(trusted))
        #expect(last.count == 1 && last[0].hasSuffix(": dead attempt \(greatest)"), "\(last)")
        guard case .ended(_, _, .workerKilled, .deadLetter, _, _)? = worker.reports.first else {
            Issue.record("\(worker.reports)")
            return
        }
    }

    @Test("R3 what only prints or moves tasks watches none")
    func printer() {
        var printer = WorkerTranscript.connected { $0.mode = .print }
        #expect(printer.deliver(1, count: 9) == ["start 1: task 1"])
        #expect(printer.end(1) == ["ack 1"])
        #expect(printer.deliver(2, count: 9, returns: 3) == ["start 2: task 2"])
    }

    @Test("R3 a task that was only looked at keeps all its attempts")
    func lookedAt() {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = 5 }
        #expect(worker.deliver(1, count: 2) == ["start 1: task 1"])
        #expect(worker.end(1, .exited(1)) == ["copy 1: in 1000ms attempt 2"])
        _ = worker.take(.copyConfirmed(1))
        #expect(worker.deliver(2, count: 1, returns: 3) == ["start 2: task 2"])
        #expect(worker.end(2, .exited(1)) == ["copy 2: in 1000ms attempt 2"])
    }

    @Test("R2 R3 a watched task goes back by a copy that is watched on, and one that can't be copied is tried")
    func watched() {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = 3 }
        #expect(worker.deliver(1, count: 2) == ["copy 1: back, watched after 2 returns, attempt 1"])
        #expect(worker.take(.copyFailed(1, isRefused: true)) == ["start 1: task 1"])
        #expect(worker.deliver(2, returns: 2) == [])
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "copy 2: back attempt 1"])
        let copy = TaskCopy(
            delivery: WorkerTranscript.delivery(2, returns: 2), fate: .back, attempt: 1, end: .exited(0))
        #expect(copy.properties(queue: "q", host: "here", time: 5).headers == ["x-workq-returns": .int32(2)])
    }

    @Test("R3 returns that a publisher has made up end no task, nor a worker")
    func madeUpReturns() {
        for returns in [.max, .min, 99] as [Int32] {
            var worker = WorkerTranscript.connected()
            #expect(worker.deliver(1, returns: returns) == ["start 1: task 1"])
        }
    }

    @Test("R3 the attempt is the larger of what workers have noted and what the broker counts")
    func attempts() {
        let cases: [(Int32?, Int64?, Int32?, Int)] = [
            (nil, nil, nil, 1), (3, nil, nil, 3), (3, 1, nil, 3), (2, 4, nil, 5), (nil, 1, nil, 2), (nil, nil, 2, 3),
            (nil, 1, 3, 5), (2, nil, .max, 32_768), (nil, nil, -7, 1),
        ]
        for (noted, count, returns, attempt) in cases {
            let delivery = WorkerTranscript.delivery(1, attempt: noted, count: count, returns: returns)
            #expect(TaskCopy.attempt(of: delivery) == attempt)
        }
        var stale = WorkerTranscript.delivery(1, count: 7)
        stale.redelivered = false
        #expect(TaskCopy.attempt(of: stale) == 1, "the count of another queue")
    }

    @Test("R3 a count that a publisher has made up, however large, ends no worker")
    func madeUpCount() {
        for count in [.max, .max - 1] as [Int64] {
            var worker = WorkerTranscript.connected()
            #expect(worker.deliver(1, count: count) == ["copy 1: back, watched after 3 returns, attempt 1"])
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
        _ = worker.take(.delivered(WorkerTranscript.delivery(4, attempt: 3, count: 2)))
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "give back 3", "copy 4: back attempt 3"])
        #expect(worker.take(.stopRequested, after: .seconds(1)) == ["TERM 1", "TERM 2"])
        #expect(worker.end(1, .signalled(15)) == ["give back 1"])
        #expect(worker.end(2, .signalled(15)) == ["copy 2: back attempt 1"])
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
        #expect(worker.end(1, .signalled(9)) == ["copy 1: back attempt 1"])
        #expect(worker.untilDeadline == .seconds(3))
        #expect(worker.tick() == ["give back 1", "finish done"])
    }

    @Test("a copy goes without what brokers have counted")
    func headers() {
        let delivery = WorkerTranscript.delivery(1, attempt: 2, count: 4, returns: 3)
        for fate in [RetryPolicy.Fate.back, .later(.seconds(1)), .moved(to: "other")] {
            let copy = TaskCopy(delivery: delivery, fate: fate, attempt: 2, end: .exited(1))
            let headers = copy.properties(queue: "q", host: "here", time: 5).headers
            #expect(headers?["x-workq-attempt"] == .int32(2))
            #expect(headers?["x-workq-returns"] == (fate == .back ? .int32(3) : nil))
            #expect(headers?.fields.count == (fate == .back ? 2 : 1))
        }
    }
}
