// How the worker leaves: on a signal, on a second one, and when the queue is proved empty.

import Broker
import Testing

@testable import Worker

@Suite("Worker: leaving") struct WorkerStateLeavingTests {
    @Test("W2 a stop gives back what waits, lets running commands finish, settles them and ends")
    func stopOnce() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        for tag in 1...4 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "give back 3", "give back 4"])
        #expect(worker.reports == [.leaving(running: 2)])
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.end(1, after: .seconds(600)) == ["ack 1"])
        #expect(worker.end(2, .exited(1)) == ["copy 2: in 1000ms attempt 2"])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2", "finish done"])
    }

    @Test("W2 a delivery that was already on its way when the worker stopped goes back at once")
    func lateDelivery() {
        var worker = WorkerTranscript.connected { $0.jobs = 5 }
        _ = worker.deliver(1)
        _ = worker.take(.stopRequested)
        #expect(worker.deliver(2) == ["give back 2"])
        #expect(worker.end(1) == ["ack 1", "finish done"])
    }

    @Test("W2 W21 a copy that rests is sent once more when the worker stops, and the task goes back if that fails")
    func restingTask() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.failWithoutCopy(1)
        _ = worker.deliver(2)
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "give back 2", "copy 1: in 1000ms attempt 2"])
        #expect(worker.take(.copyFailed(1)) == ["give back 1", "finish done"])
    }

    @Test("an idle worker stops at once, connected or not")
    func idle() {
        var worker = WorkerTranscript.connected()
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "finish done"])
        var connecting = WorkerTranscript()
        #expect(connecting.take(.stopRequested) == ["finish done"])
        var down = WorkerTranscript.connected()
        _ = down.lose()
        #expect(down.take(.stopRequested) == ["finish done"])
    }

    @Test("W3, W4 a second stop ends commands with TERM, later with KILL, and gives their tasks back")
    func stopTwice() {
        var worker = WorkerTranscript.connected {
            $0.jobs = 2
            $0.killAfter = .seconds(7)
        }
        for tag in 1...2 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        _ = worker.take(.stopRequested)
        #expect(worker.take(.stopRequested, after: .seconds(1)) == ["TERM 1", "TERM 2"])
        #expect(worker.reports == [.interrupting(running: 2)])
        #expect(worker.untilDeadline == .seconds(7))
        #expect(worker.end(1, .signalled(15)) == ["give back 1"])
        #expect(worker.take(.tick, after: .milliseconds(6_999)) == [])
        #expect(worker.take(.tick, after: .milliseconds(1)) == ["KILL 2"])
        #expect(worker.take(.tick, after: .seconds(60)) == [])
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.end(2, .signalled(9)) == ["give back 2", "finish done"])
    }

    @Test("W3 a command that was told to end and succeeds all the same is acknowledged, one that fails hasn't failed")
    func interruptedEnds() {
        var worker = WorkerTranscript.connected { $0.jobs = 3 }
        for tag in 1...3 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        _ = worker.take(.stopRequested)
        _ = worker.take(.stopRequested, after: .seconds(1))
        #expect(worker.take(.stopRequested, after: .seconds(1)) == [])
        #expect(worker.end(1, .exited(0)) == ["ack 1"])
        #expect(worker.end(2, .exited(143)) == ["give back 2"])
        #expect(worker.end(3, .signalled(15)) == ["give back 3", "finish done"])
    }

    @Test("W6 a command that somebody ended with TERM while the worker leaves was interrupted; it hasn't failed")
    func termByOthers() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        for tag in 1...2 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        _ = worker.take(.stopRequested)
        #expect(worker.end(1, .signalled(15)) == ["give back 1"])
        // A crash is a failure, also now.
        #expect(worker.end(2, .signalled(11)) == ["copy 2: in 1000ms attempt 2"])
        #expect(worker.take(.copyFailed(2)) == ["give back 2", "finish done"])
    }

    @Test("nothing happens any more once the worker has finished")
    func afterFinish() {
        var worker = WorkerTranscript.connected { $0.leavesWhenEmpty = true }
        #expect(worker.take(.stopRequested).last == "finish done")
        let events: [WorkerState.Event] = [
            .connected, .connectionLost(WorkerTranscript.error()), .delivered(WorkerTranscript.delivery(9)),
            .ended(1, .exited(0)),
            .readyCount(0), .copyConfirmed(1), .copyFailed(1), .pauseRequested, .resumeRequested, .statusRequested,
            .refused(WorkerTranscript.error(.accessRefused)), .outputFailed(5), .stopRequested, .tick,
        ]
        for event in events { #expect(worker.take(event, after: .seconds(100)) == []) }
    }

    @Test("W3 with a grace time, commands are ended when it is over, as by a second signal")
    func grace() {
        var worker = WorkerTranscript.connected { $0.grace = .seconds(5) }
        _ = worker.deliver(1)
        _ = worker.take(.stopRequested)
        #expect(worker.untilDeadline == .seconds(5))
        #expect(worker.tick() == ["TERM 1"])
        #expect(worker.end(1, .signalled(15)) == ["give back 1", "finish done"])
    }

    @Test("a copy that nobody confirms keeps a worker only until its commands would be killed")
    func unconfirmedCopy() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.end(1, .exited(1))
        #expect(worker.take(.stopRequested) == ["cancelConsumer"])
        #expect(worker.untilDeadline == .seconds(10))
        #expect(worker.tick() == ["give back 1", "finish done"])
    }

    @Test("an idle time leaves when nothing came for so long, and anything that happens starts it over")
    func idleTime() {
        var worker = WorkerTranscript.connected { $0.idleTimeout = .seconds(30) }
        #expect(worker.untilDeadline == .seconds(30))
        _ = worker.take(.pauseRequested)
        #expect(worker.state.nextDeadline == .never)
        _ = worker.take(.resumeRequested)
        #expect(worker.deliver(1, after: .seconds(29)) == ["start 1: task 1"])
        #expect(worker.take(.tick, after: .seconds(100)) == [])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.untilDeadline == .seconds(30))
        #expect(worker.tick() == ["cancelConsumer", "finish done"])
        #expect(!worker.state.wasStopped)
    }

    @Test("a maximum time leaves when it is over, after running commands have finished")
    func maximumTime() {
        var worker = WorkerTranscript.connected { $0.maximumTime = .seconds(60) }
        _ = worker.deliver(1, after: .seconds(59))
        #expect(worker.tick() == ["cancelConsumer"])
        #expect(worker.end(1, after: .seconds(9)) == ["ack 1", "finish done"])
    }

    @Test("R2 a pause keeps what waits, starts and takes nothing until it ends; running commands go on")
    func pause() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.deliver(2)
        #expect(worker.take(.pauseRequested) == ["cancelConsumer"])
        #expect(worker.take(.pauseRequested) == [])
        #expect(worker.deliver(3) == [])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.take(.resumeRequested) == ["startConsumer 0", "start 2: task 2"])
        #expect(worker.take(.resumeRequested) == [])
        #expect(worker.end(2) == ["ack 2", "start 3: task 3"])
        #expect(worker.take(.pauseRequested) == ["cancelConsumer"])
        #expect(worker.deliver(4) == [])
        #expect(worker.take(.stopRequested) == ["give back 4"])
    }

    @Test("a worker that reconnects while it is paused takes nothing either")
    func pauseAndReconnect() {
        var worker = WorkerTranscript.connected()
        _ = worker.take(.pauseRequested)
        #expect(worker.reconnect() == ["connect"])
        #expect(worker.take(.resumeRequested) == ["startConsumer 0"])
    }

    // MARK: - Draining

    private static func draining(jobs: Int = 1) -> WorkerTranscript {
        .connected {
            $0.leavesWhenEmpty = true
            $0.jobs = jobs
        }
    }

    @Test("draining an empty queue takes two answers of zero")
    func emptyQueue() {
        var worker = Self.draining()
        #expect(worker.take(.tick) == ["countReady"])
        // One question at a time.
        #expect(worker.untilDeadline == .seconds(10))
        #expect(worker.take(.readyCount(0)) == [])
        #expect(worker.take(.tick) == ["countReady"])
        #expect(worker.take(.readyCount(0)) == ["cancelConsumer", "finish done"])
    }

    @Test("draining asks only after a quiet time, and not while anything waits, runs or rests")
    func quietTime() {
        var worker = Self.draining()
        _ = worker.deliver(1)
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.take(.tick, after: .seconds(60)) == [])
        #expect(worker.failWithoutCopy(1) == [])
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.tick() == ["copy 1: in 1000ms attempt 2"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
        _ = worker.deliver(2, id: "m1", redelivered: true)
        #expect(worker.end(2) == ["ack 2"])
        let quiet = worker.untilDeadline
        #expect(quiet > .zero && quiet <= .seconds(1))
        #expect(worker.take(.tick, after: quiet - .milliseconds(1)) == [])
        #expect(worker.take(.tick, after: .milliseconds(1)) == ["countReady"])
    }

    @Test("a delivery between two answers of zero starts the proof over")
    func deliveryBetweenAnswers() {
        var worker = Self.draining()
        _ = worker.take(.tick)
        _ = worker.take(.readyCount(0))
        #expect(worker.deliver(1) == ["start 1: task 1"])
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.tick() == ["countReady"])
        #expect(worker.take(.readyCount(0)) == [])
        #expect(worker.tick() == ["countReady"])
        #expect(worker.take(.readyCount(0)) == ["cancelConsumer", "finish done"])
    }

    @Test("messages that are ready but go to others are asked for again later, and also start the proof over")
    func readyForOthers() {
        var worker = Self.draining()
        _ = worker.take(.tick)
        _ = worker.take(.readyCount(0))
        _ = worker.tick()
        #expect(worker.take(.readyCount(3)) == [])
        #expect(worker.untilDeadline >= .milliseconds(100))
        #expect(worker.tick() == ["countReady"])
        #expect(worker.take(.readyCount(0)) == [])
        #expect(worker.tick() == ["countReady"])
        #expect(worker.take(.readyCount(0)).last == "finish done")
    }

    @Test("an answer of zero from the connection before proves nothing")
    func answersAcrossConnections() {
        var worker = Self.draining()
        _ = worker.take(.tick)
        _ = worker.take(.readyCount(0))
        _ = worker.lose()
        #expect(worker.tick() == ["connect"])
        #expect(worker.state.nextDeadline == .never)
        _ = worker.connect()
        #expect(worker.tick() == ["countReady"])
        #expect(worker.take(.readyCount(0)) == [])
        #expect(worker.tick() == ["countReady"])
    }

    @Test("without --drain nobody asks")
    func notDraining() {
        var worker = WorkerTranscript.connected()
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.take(.tick, after: .seconds(60)) == [])
    }
}
