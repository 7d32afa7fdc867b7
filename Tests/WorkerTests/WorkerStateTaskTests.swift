// What the worker does with tasks: starting them fairly, settling them rightly, holding back those that fail.

import Broker
import Testing

@testable import Worker

@Suite("Worker: tasks") struct WorkerStateTaskTests {
    @Test("tasks start up to the number of jobs, and W20 those beyond wait for a free place, in their order")
    func fairStart() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        #expect(worker.deliver(1) == ["start 1: task 1"])
        #expect(worker.deliver(2) == ["start 2: task 2"])
        #expect(worker.deliver(3) == [])
        #expect(worker.deliver(4) == [])
        #expect(worker.state.runningCount == 2)
        #expect(worker.end(2) == ["ack 2", "start 3: task 3"])
        #expect(worker.end(1) == ["ack 1", "start 4: task 4"])
        #expect(worker.end(4) == ["ack 4"])
        #expect(worker.end(3) == ["ack 3"])
        #expect(worker.state.runningCount == 0)
    }

    @Test("starts and ends are told, with the verdict and the time it took")
    func reports() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.reports == [.started(1, WorkerTranscript.delivery(1))])
        _ = worker.end(1, after: .seconds(3))
        #expect(
            worker.reports
                == [.ended(1, WorkerTranscript.delivery(1), .exited(0), .acknowledge, elapsed: .seconds(3))])
    }

    @Test("an end that belongs to no running job means nothing")
    func unknownJob() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.end(7) == [])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.end(1) == [])
    }

    @Test("W15 a failed task rests, keeps its place meanwhile, and is requeued when its pause is over")
    func failureRests() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.end(1, .exited(1)) == [])
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.deliver(2) == [])
        #expect(worker.take(.tick, after: .milliseconds(999)) == [])
        #expect(worker.take(.tick, after: .milliseconds(1)) == ["requeue 1", "start 2: task 2"])
        #expect(worker.state.nextDeadline == .never)
    }

    @Test("W15 the pause doubles from a second to a minute while tasks fail, and a success resets it")
    func growingPause() {
        var worker = WorkerTranscript.connected()
        var tag: UInt64 = 0
        func failOnce() -> Duration {
            tag += 1
            #expect(worker.deliver(tag) == ["start \(tag): task \(tag)"])
            #expect(worker.end(Int(tag), .exited(1)) == [])
            let pause = worker.untilDeadline
            #expect(worker.tick() == ["requeue \(tag)"])
            return pause
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] { #expect(failOnce() == .seconds(seconds)) }
        tag += 1
        _ = worker.deliver(tag)
        #expect(worker.end(Int(tag)) == ["ack \(tag)"])
        #expect(failOnce() == .seconds(1))
    }

    @Test("W12, W13 a command that crashed or couldn't be started just now has failed like any other")
    func otherFailures() {
        for end in [JobEnd.signalled(11), .signalled(15), .exited(255), .notStarted("no processes")] {
            var worker = WorkerTranscript.connected()
            _ = worker.deliver(1)
            #expect(worker.end(1, end) == [])
            #expect(worker.tick() == ["requeue 1"])
        }
    }

    @Test("W12 a command that can't be run at all: its task and those that wait go back, and the worker ends")
    func unusable() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.deliver(2)
        #expect(
            worker.end(1, .unusable("no such file"))
                == ["give back 1", "cancelConsumer", "give back 2", #"finish commandUnusable("no such file")"#])
    }

    @Test("W12 a command that vanished: those that still run may finish before the worker ends")
    func unusableWithOthersRunning() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        _ = worker.deliver(1)
        _ = worker.deliver(2)
        #expect(worker.end(2, .unusable("gone")) == ["give back 2", "cancelConsumer"])
        #expect(worker.end(1) == ["ack 1", #"finish commandUnusable("gone")"#])
    }

    @Test("W11 when the output fails, what wasn't written to the end goes back, and the worker ends")
    func outputFailed() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        for tag in 1...3 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        #expect(
            worker.take(.outputFailed(28))
                == ["cancelConsumer", "give back 3", "give back 1", "give back 2", "finish outputFailed(28)"])
        #expect(worker.end(1) == [])
    }

    @Test("with a count, the worker takes so many tasks and gives back the rest")
    func count() {
        var worker = WorkerTranscript.connected {
            $0.jobs = 2
            $0.count = 3
        }
        for tag in 1...4 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        #expect(worker.end(1) == ["ack 1", "start 3: task 3", "cancelConsumer", "give back 4"])
        #expect(worker.deliver(5) == ["give back 5"])
        #expect(worker.end(3) == ["ack 3"])
        #expect(worker.end(2) == ["ack 2", "finish done"])
    }

    @Test("with a count, a last task that fails is requeued without a pause: there is nothing to wait for")
    func countWithFailure() {
        var worker = WorkerTranscript.connected { $0.count = 1 }
        #expect(worker.deliver(1) == ["start 1: task 1", "cancelConsumer"])
        #expect(worker.end(1, .exited(1)) == ["requeue 1", "finish done"])
    }

    @Test("what the broker refuses for good ends the worker with the reason, once commands have finished")
    func refused() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.take(.refused(WorkerTranscript.error(.accessRefused))) == ["cancelConsumer"])
        #expect(worker.end(1) == ["ack 1", "finish broker 403"])
    }
}
