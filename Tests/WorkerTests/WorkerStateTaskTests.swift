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

    @Test("W21 a task whose copy can't be sent rests and keeps its place until the copy is sent again, after a pause")
    func failureRests() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.end(1, .exited(1)) == ["copy 1: in 1000ms attempt 2"])
        #expect(worker.deliver(9) == [])
        #expect(worker.take(.copyFailed(1)) == [])
        #expect(worker.reports == [.copyFailed(WorkerTranscript.delivery(1))])
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.deliver(2) == [])
        #expect(worker.take(.tick, after: .milliseconds(999)) == [])
        #expect(worker.take(.tick, after: .milliseconds(1)) == ["copy 1: in 1000ms attempt 2"])
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1", "start 2: task 9"])
    }

    @Test("W21 the pause doubles from a second to a minute while tasks fail, and a success resets it")
    func growingPause() {
        var worker = WorkerTranscript.connected()
        var tag: UInt64 = 0
        func failOnce() -> Duration {
            tag += 1
            #expect(worker.deliver(tag) == ["start \(tag): task \(tag)"])
            #expect(worker.failWithoutCopy(Int(tag)) == [])
            let pause = worker.untilDeadline
            return pause
        }
        #expect(failOnce() == .seconds(1))
        for seconds in [2, 4, 8, 16, 32, 60, 60, 60] {
            #expect(worker.tick() == ["copy 1: in 1000ms attempt 2"])
            #expect(worker.take(.copyFailed(1)) == [])
            #expect(worker.untilDeadline == .seconds(seconds))
        }
        _ = worker.tick()
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
        #expect(failOnce() == .seconds(1))
    }

    @Test("W13 a command that crashed has failed like any other")
    func otherFailures() {
        for end in [JobEnd.signalled(11), .signalled(15), .exited(255)] {
            var worker = WorkerTranscript.connected()
            _ = worker.deliver(1)
            #expect(worker.end(1, end) == ["copy 1: in 1000ms attempt 2"])
        }
    }

    @Test(
        "W12, R15 a command that couldn't be started burns no attempt: no command starts for a while, then again in order"
    )
    func notStarted() {
        var worker = WorkerTranscript.connected { $0.jobs = 3 }
        for tag in 1...3 { _ = worker.deliver(UInt64(tag)) }
        #expect(worker.end(1, .notStarted("no processes")) == [])
        #expect(worker.reports == [.startFailed(reason: "no processes", pause: .seconds(1))])
        #expect(worker.end(2, .notStarted("no processes")) == [])
        #expect(worker.reports == [], "one pause for one cause")
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.tick() == ["start 4: task 1", "start 5: task 2"])
        // The end of another command may give back what was short.
        #expect(worker.end(4, .notStarted("no processes")) == [])
        #expect(worker.untilDeadline == .seconds(2))
        #expect(worker.end(5) == ["ack 2", "start 6: task 1"])
        var stopping = WorkerTranscript.connected()
        _ = stopping.deliver(1)
        _ = stopping.end(1, .notStarted("no processes"))
        #expect(stopping.take(.stopRequested) == ["cancelConsumer", "give back 1", "finish done"])
    }

    /// A delivery that says which attempt it is.
    private static func attempt(_ number: Int32, tag: UInt64) -> WorkerState.Event {
        var delivery = WorkerTranscript.delivery(tag)
        delivery.properties.headers = ["x-workq-attempt": .int32(number)]
        return .delivered(delivery)
    }

    @Test("W15 a failed attempt goes, as a copy, to wait longer each time, and after the last to the dead letters")
    func attempts() {
        var worker = WorkerTranscript.connected { $0.retries.maximumAttempts = 6 }
        let expected = ["in 1000ms", "in 10000ms", "in 60000ms", "in 600000ms", "in 600000ms"]
        for (index, wait) in expected.enumerated() {
            let number = index + 1
            _ = worker.take(Self.attempt(Int32(number), tag: UInt64(number)))
            #expect(worker.end(number, .exited(1)) == ["copy \(number): \(wait) attempt \(number + 1)"])
            #expect(worker.take(.copyConfirmed(number)) == ["ack \(number)"])
        }
        _ = worker.take(Self.attempt(6, tag: 6))
        #expect(worker.end(6, .exited(1)) == ["copy 6: dead attempt 6"])
        #expect(worker.take(.copyConfirmed(6)) == ["ack 6"])
        #expect(worker.state.tally[.deadLetter] == 1 && worker.state.tally[.retry] == 5)
    }

    @Test("the original is acknowledged only after its copy was confirmed, and its place is taken until then")
    func copyFirst() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.end(1, .exited(1))
        #expect(worker.deliver(2) == [])
        #expect(worker.take(.copyConfirmed(7)) == [])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1", "start 2: task 2"])
        #expect(worker.take(.copyConfirmed(1)) == [])
    }

    @Test("75 is tried later without counting, 65 is dead-lettered at once, and --on-exit changes what ends mean")
    func verdicts() throws {
        var worker = WorkerTranscript.connected()
        _ = worker.take(Self.attempt(3, tag: 1))
        #expect(worker.end(1, .exited(75)) == ["copy 1: in 1000ms attempt 3"])
        _ = worker.take(.copyConfirmed(1))
        _ = worker.deliver(2)
        #expect(worker.end(2, .exited(65)) == ["copy 2: dead attempt 1"])

        let table = try #require(VerdictTable(changes: "3=ack,0=reject,signal=dead-letter,*=requeue"))
        var changed = WorkerTranscript.connected { $0.verdicts = table }
        _ = changed.deliver(1)
        #expect(changed.end(1, .exited(3)) == ["ack 1"])
        _ = changed.deliver(2)
        #expect(changed.end(2, .exited(0)) == ["reject 2"])
        _ = changed.deliver(3)
        #expect(changed.end(3, .signalled(9)) == ["copy 3: dead attempt 1"])
        _ = changed.take(.copyConfirmed(3))
        _ = changed.deliver(4)
        #expect(changed.end(4, .exited(1)) == ["copy 4: in 1000ms attempt 1"])
    }

    @Test("a command that takes too long is told to end, later killed, and has failed; one that still succeeds hasn't")
    func timeout() {
        var worker = WorkerTranscript.connected {
            $0.timeout = .seconds(10)
            $0.killAfter = .seconds(3)
        }
        _ = worker.deliver(1)
        #expect(worker.untilDeadline == .seconds(10))
        #expect(worker.tick() == ["TERM 1"])
        #expect(worker.reports == [.timedOut(1, WorkerTranscript.delivery(1))])
        #expect(worker.untilDeadline == .seconds(3))
        #expect(worker.tick() == ["KILL 1"])
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.end(1, .signalled(9)) == ["copy 1: in 1000ms attempt 2"])
        guard case .ended(1, _, .timedOut, .retry, _, _)? = worker.reports.first else {
            Issue.record("\(worker.reports)")
            return
        }
        _ = worker.take(.copyConfirmed(1))
        _ = worker.deliver(2)
        #expect(worker.tick() == ["TERM 2"])
        #expect(worker.end(2, .exited(0)) == ["ack 2"])
    }

    @Test("W12 a command that can't be run at all: its task and those that wait go back, and the worker ends")
    func unusable() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.deliver(2)
        #expect(
            worker.end(1, .unusable("no such file"))
                == ["cancelConsumer", "give back 1", "give back 2", #"finish commandUnusable("no such file")"#])
    }

    @Test("W12 a command that vanished: those that still run may finish before the worker ends")
    func unusableWithOthersRunning() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        _ = worker.deliver(1)
        _ = worker.deliver(2)
        #expect(worker.end(2, .unusable("gone")) == ["cancelConsumer", "give back 2"])
        #expect(worker.end(1) == ["ack 1", #"finish commandUnusable("gone")"#])
    }

    @Test("W11 when the output fails, what wasn't written to the end goes back, and the worker ends")
    func outputFailed() {
        var worker = WorkerTranscript.connected {
            $0.jobs = 2
            $0.mode = .print
        }
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
        for tag in 1...2 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        // Before any of the three is acknowledged: the broker would send another one for it.
        #expect(worker.deliver(3) == ["cancelConsumer"])
        #expect(worker.deliver(4) == ["give back 4"])
        #expect(worker.end(1) == ["ack 1", "start 3: task 3"])
        #expect(worker.deliver(5) == ["give back 5"])
        #expect(worker.end(3) == ["ack 3"])
        #expect(worker.end(2) == ["ack 2", "finish done"])
    }

    @Test("W11 commands whose output is lost are ended, and their tasks go back")
    func commandOutputFailed() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.take(.outputFailed(28)) == ["cancelConsumer", "TERM 1"])
        #expect(worker.end(1, .signalled(15)) == ["give back 1", "finish outputFailed(28)"])
    }

    @Test("with a count, the worker waits for the copy of a last task that fails")
    func countWithFailure() {
        var worker = WorkerTranscript.connected { $0.count = 1 }
        #expect(worker.deliver(1) == ["cancelConsumer", "start 1: task 1"])
        #expect(worker.end(1, .exited(1)) == ["copy 1: in 1000ms attempt 2"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1", "finish done"])
    }

    @Test("what the broker refuses for good ends the worker with the reason, once commands have finished")
    func refused() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        #expect(worker.take(.refused(WorkerTranscript.error(.accessRefused))) == ["cancelConsumer"])
        #expect(worker.end(1) == ["ack 1", "finish broker 403"])
    }
}
