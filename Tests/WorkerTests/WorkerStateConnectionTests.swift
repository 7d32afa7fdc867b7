// What the worker does with tasks when the connection breaks: nothing stale is settled, nothing runs twice here.

import Broker
import Posix
import Testing

@testable import Worker

@Suite("Worker: connection") struct WorkerStateConnectionTests {
    @Test("N2, N3, W17 with the connection everything waiting or resting is void; late results are never settled")
    func staleResults() {
        var worker = WorkerTranscript.connected { $0.jobs = 3 }
        for tag in 1...4 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        #expect(worker.failWithoutCopy(2) == [])
        #expect(worker.end(1, .exited(1)) == ["copy 1: in 1000ms attempt 2"])
        // Task 1 departs, task 2 rests, task 3 runs, task 4 waits.
        #expect(worker.lose() == [])
        #expect(worker.tick() == ["connect"])
        #expect(worker.connect() == [])
        #expect(worker.reports == [.reconnected])
        // The new connection numbers from 1 again.
        #expect(worker.deliver(1, id: "other") == ["start 4: task 1"])
        #expect(worker.end(3) == [])
        #expect(worker.take(.copyConfirmed(1)) == [])
        #expect(worker.take(.tick, after: .seconds(1)) == [])
        #expect(worker.end(4) == ["ack 1"])
        // What is dealt with isn't tried again when it comes back, and a copy that wasn't sent is sent then.
        #expect(worker.deliver(2, id: "m1", redelivered: true) == ["ack 2"])
        #expect(worker.deliver(3, id: "m3", redelivered: true) == ["ack 3"])
        #expect(worker.deliver(4, id: "m2", redelivered: true) == ["copy 2: in 1000ms attempt 2"])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 4"])
    }

    @Test("W17 while there is no connection, nothing is settled, and running commands still count as jobs")
    func endsWhileDown() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        for tag in 1...2 as ClosedRange<UInt64> { _ = worker.deliver(tag) }
        _ = worker.lose()
        #expect(worker.end(1) == [])
        #expect(worker.reports == [.endedUnheard(1, WorkerTranscript.delivery(1), .exited(0), elapsed: .zero)])
        #expect(worker.state.tally == WorkerState.Tally(), "the task may come back")
        #expect(worker.tick() == ["connect"])
        _ = worker.connect()
        #expect(worker.deliver(1, id: "a") == ["start 3: task 1"])
        #expect(worker.deliver(2, id: "b") == [])
        #expect(worker.end(2) == ["start 4: task 2"])
        #expect(worker.deliver(3, id: "m1", redelivered: true) == ["ack 3"])
        #expect(
            worker.reports == [.settledLate(WorkerTranscript.delivery(3, id: "m1", redelivered: true), .acknowledge)])
        // It went to another worker.
        _ = worker.take(.tick, after: .seconds(5))
        #expect(worker.state.tally == WorkerState.Tally(counts: [.acknowledge: 1, .giveBack: 1]))
    }

    @Test(
        "W16 a task that comes back while its command still runs isn't started twice; the command settles the new copy")
    func adoption() {
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        _ = worker.deliver(5)
        #expect(worker.reconnect() == ["connect"])
        #expect(worker.deliver(1, id: "m5", redelivered: true) == [])
        #expect(worker.reports == [.cameBack(1, WorkerTranscript.delivery(1, id: "m5", redelivered: true))])
        #expect(worker.state.runningCount == 1)
        #expect(worker.end(1) == ["ack 1"])
    }

    @Test("W16 an adopted task that fails is settled under its new tag")
    func adoptedFailure() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(5)
        _ = worker.reconnect()
        _ = worker.deliver(1, id: "m5", redelivered: true)
        #expect(worker.failWithoutCopy(1) == [])
        #expect(worker.tick() == ["copy 1: in 1000ms attempt 2"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
    }

    @Test("W16 an adopted task is void again with the next connection, and can be adopted once more")
    func adoptedTwice() {
        var worker = WorkerTranscript.connected()
        _ = worker.deliver(5)
        _ = worker.reconnect()
        #expect(worker.deliver(1, id: "m5", redelivered: true) == [])
        _ = worker.reconnect()
        #expect(worker.deliver(8, id: "m5", redelivered: true) == [])
        #expect(worker.end(1) == ["ack 8"])
        _ = worker.deliver(9)
        _ = worker.reconnect()
        #expect(worker.end(2) == [])
    }

    @Test("W16 only the very same task is adopted: same message id, same body, redelivered, and not here already")
    func notAdopted() {
        for (id, redelivered, body) in [("other", true, "body"), ("m5", false, "body"), ("m5", true, "another body")] {
            var worker = WorkerTranscript.connected { $0.jobs = 2 }
            _ = worker.deliver(5)
            _ = worker.reconnect()
            #expect(worker.deliver(1, id: id, redelivered: redelivered, body: body) == ["start 2: task 1"])
        }
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        _ = worker.deliver(5)
        // On the same connection the broker can't have taken it back.
        #expect(worker.deliver(6, id: "m5", redelivered: true) == ["start 2: task 6"])
    }

    @Test("M15 a task without a message id is never taken for another")
    func withoutMessageID() {
        var anonymous = WorkerTranscript.delivery(5, redelivered: true)
        anonymous.properties.messageID = nil
        var worker = WorkerTranscript.connected { $0.jobs = 2 }
        #expect(worker.take(.delivered(anonymous)) == ["start 1: task 5"])
        _ = worker.reconnect()
        #expect(worker.take(.delivered(anonymous)) == ["start 2: task 5"])
    }
}
