// When the worker connects again, for how long, and what it tells of that.

import Broker
import Posix
import Testing

@testable import Worker

@Suite("Worker: trying again") struct WorkerStateRetryTests {
    @Test("N15 pauses between attempts grow up to half a minute, and only a connection that lasts resets them")
    func backoff() {
        var worker = WorkerTranscript.connected()
        let ceilings = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].map { Duration.milliseconds($0) }
        for (number, ceiling) in ceilings.enumerated() {
            #expect(worker.lose(.unreachable) == [])
            let pause = worker.untilDeadline
            #expect(pause >= ceiling / 2 && pause <= ceiling)
            let error = WorkerTranscript.error(.unreachable)
            // The same again is no news.
            #expect(
                worker.reports == [number == 0 ? .reconnecting(error, pause: pause) : .stillDown(error, pause: pause)])
            #expect(worker.take(.tick, after: pause - .nanoseconds(1)) == [])
            #expect(worker.take(.tick, after: .nanoseconds(1)) == ["connect"])
        }
        _ = worker.connect()
        _ = worker.lose()
        #expect(worker.untilDeadline >= .seconds(15))
        _ = worker.tick()
        _ = worker.connect()
        _ = worker.take(.tick, after: .seconds(10))
        _ = worker.lose()
        #expect(worker.untilDeadline <= .milliseconds(500))
    }

    @Test("N15 another reason is told, and after a connection the same one again")
    func news() {
        var worker = WorkerTranscript.connected()
        func isNews() -> Bool { worker.reports.contains { if case .reconnecting = $0 { true } else { false } } }
        _ = worker.lose(.connectionLost)
        #expect(isNews())
        _ = worker.tick()
        _ = worker.lose(.unreachable)
        #expect(isNews())
        _ = worker.tick()
        _ = worker.lose(.unreachable)
        #expect(!isNews())
        _ = worker.tick()
        _ = worker.connect()
        _ = worker.lose(.unreachable)
        #expect(isNews())
    }

    @Test("W26 a worker that gets no task says so once, and again after the next task")
    func idleness() {
        var worker = WorkerTranscript.connected { $0.tellsIdleness = true }
        #expect(worker.untilDeadline == .seconds(10))
        for tag in 1...2 {
            #expect(worker.tick() == [])
            #expect(worker.reports == [.idle(.seconds(10))])
            #expect(worker.state.nextDeadline == .never)
            _ = worker.deliver(UInt64(tag))
            #expect(worker.state.nextDeadline == .never)
            _ = worker.end(tag)
            #expect(worker.untilDeadline == .seconds(10))
        }
    }

    @Test("N15 once connected, a worker without a limit tries for ever")
    func forEver() {
        var worker = WorkerTranscript.connected()
        for _ in 0..<1_000 {
            #expect(worker.lose(.unreachable) == [])
            #expect(worker.tick() == ["connect"])
        }
    }

    @Test("with a limit, trying ends with the last error no later than that")
    func retryFor() {
        var worker = WorkerTranscript.connected { $0.retryFor = .seconds(10) }
        let lost = worker.now
        var attempts = 0
        var lines = worker.lose(.unreachable)
        while lines == [], attempts < 100 {
            #expect(worker.tick() == ["connect"])
            attempts += 1
            lines = worker.lose(.unreachable)
        }
        #expect(lines == ["finish broker -2"])
        #expect(attempts >= 3)
        #expect(worker.now - lost <= .seconds(10))
    }

    @Test("the limit counts from each loss anew")
    func retryForAnew() {
        var worker = WorkerTranscript.connected { $0.retryFor = .seconds(1) }
        for _ in 0..<20 {
            #expect(worker.reconnect() == ["connect"])
            _ = worker.take(.tick, after: .seconds(60))
        }
    }

    @Test("a limit of nought leaves at once, after running commands have finished, and settles nothing more")
    func noRetry() {
        var worker = WorkerTranscript.connected { $0.retryFor = .zero }
        _ = worker.deliver(1)
        #expect(worker.lose() == [])
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.end(1) == ["finish broker -4"])
    }

    @Test("the first attempt's failure ends the worker, unless waiting for the broker was asked for")
    func firstAttempt() {
        var worker = WorkerTranscript()
        #expect(worker.lose(.unreachable) == ["finish broker -2"])
        var patient = WorkerTranscript { $0.retryFor = .seconds(60) }
        #expect(patient.lose(.unreachable) == [])
        #expect(patient.tick() == ["connect"])
        #expect(patient.connect() == [])
        #expect(patient.deliver(1) == ["start 1: task 1"])
    }

    @Test("S1 an attempt that fails for a reason that time won't cure ends the worker, the first and any later one")
    func notRetriable() {
        var worker = WorkerTranscript { $0.retryFor = .seconds(60) }
        #expect(worker.lose(.accessRefused) == ["finish broker 403"])
        var later = WorkerTranscript.connected()
        _ = later.lose()
        #expect(later.tick() == ["connect"])
        #expect(later.lose(.accessRefused) == ["finish broker 403"])
    }

    @Test("W16, W18 a connection that worked and broke is tried again whatever the broker's words were")
    func lostForAnyReason() {
        for code in [BrokerError.Code.preconditionFailed, .notFound, .protocolViolation] {
            var worker = WorkerTranscript.connected()
            #expect(worker.lose(code) == [])
            #expect(worker.tick() == ["connect"])
        }
    }

    @Test("R9 a connection lost while leaving is made again, so that what is done can be told to the broker")
    func lostWhileLeaving() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.take(.stopRequested)
        #expect(worker.lose() == [])
        #expect(worker.end(1) == [])
        #expect(worker.take(.tick, after: .seconds(1)) == ["connect"])
        #expect(worker.take(.connected) == ["startConsumer 1"])
        // Another task is kept until then: given back at once, it would come again and again.
        #expect(worker.deliver(1, id: "other") == [])
        #expect(
            worker.deliver(2, id: "m1", redelivered: true) == ["cancelConsumer", "ack 2", "give back 1", "finish done"])
    }

    @Test("R9 tasks that don't come back keep a leaving worker only as long as commands that are told to end")
    func lostForGood() {
        var worker = WorkerTranscript.connected { $0.killAfter = .seconds(3) }
        _ = worker.deliver(1)
        _ = worker.take(.stopRequested)
        _ = worker.lose()
        _ = worker.end(1)
        _ = worker.take(.tick, after: .seconds(1))
        #expect(worker.connect() == [])
        #expect(worker.take(.tick, after: .seconds(2)) == ["cancelConsumer", "finish done"])
        var lonely = WorkerTranscript.connected { $0.killAfter = .seconds(3) }
        _ = lonely.deliver(1)
        _ = lonely.take(.stopRequested)
        _ = lonely.lose()
        _ = lonely.end(1)
        #expect(lonely.take(.tick, after: .seconds(1)) == ["connect"])
        #expect(lonely.take(.tick, after: .seconds(2)) == ["finish broker -4"])
        var impatient = WorkerTranscript.connected { $0.retryFor = .zero }
        _ = impatient.deliver(1)
        _ = impatient.take(.stopRequested)
        _ = impatient.lose()
        #expect(impatient.end(1) == ["finish broker -4"])
    }

    @Test("R16 a copy that is under way when the connection goes settles the task that comes back, once")
    func copyUnderWay() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.end(1, .exited(1))
        _ = worker.reconnect()
        #expect(worker.deliver(7, id: "m1", redelivered: true) == [])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 7"])
        #expect(worker.state.tally == WorkerState.Tally(counts: [.retry: 1]))
    }

    @Test("R19, R22 an idle worker leaves in time also while there is no connection, or no answer, and says which")
    func silence() {
        var down = WorkerTranscript.connected { $0.idleTimeout = .seconds(3) }
        _ = down.lose(.unreachable)
        #expect(down.take(.tick, after: .seconds(3)).suffix(1) == ["finish broker -2"])
        var silent = WorkerTranscript { $0.idleTimeout = .seconds(3) }
        silent.brokerAnswers = false
        #expect(silent.take(.connected) == ["startConsumer 0"])
        #expect(silent.take(.tick, after: .seconds(3)) == ["cancelConsumer", "finish broker -3"])
        var draining = WorkerTranscript { $0.leavesWhenEmpty = true }
        draining.brokerAnswers = false
        _ = draining.take(.connected)
        #expect(draining.untilDeadline == .seconds(10))
        #expect(draining.tick() == ["cancelConsumer", "finish broker -3"])
    }

    @Test("a worker told to stop while it reconnects takes nothing from the new connection but what it waits for")
    func stoppedWhileConnecting() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(1)
        _ = worker.lose()
        #expect(worker.tick() == ["connect"])
        #expect(worker.take(.stopRequested) == [])
        #expect(worker.connect() == [])
        #expect(worker.end(1) == [])
        #expect(worker.deliver(1, id: "m1", redelivered: true) == ["cancelConsumer", "ack 1", "finish done"])
    }
}
