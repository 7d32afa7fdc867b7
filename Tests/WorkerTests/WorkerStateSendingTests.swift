// Moving tasks and answering them: what is sent, and when the original is acknowledged.

import Broker
import Testing

@testable import Worker

@Suite("Worker: moving and answering") struct WorkerStateSendingTests {
    @Test("a task that is moved is acknowledged once its copy is confirmed, and many are under way at once")
    func moving() {
        var worker = WorkerTranscript.connected {
            $0.mode = .move(to: "other")
            $0.jobs = .max
            $0.leavesWhenEmpty = true
        }
        #expect(worker.deliver(1) == ["copy 1: to other attempt 1"])
        // The first one creates the queue where it is missing.
        #expect(worker.deliver(2) == [])
        #expect(worker.deliver(3) == [])
        #expect(
            worker.take(.copyConfirmed(1)) == ["ack 1", "copy 2: to other attempt 1", "copy 3: to other attempt 1"])
        #expect(worker.take(.copyConfirmed(3)) == ["ack 3"])
        #expect(worker.take(.copyFailed(2)) == [])
        #expect(worker.tick() == ["copy 2: to other attempt 1"])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2"])
        #expect(worker.state.tally[.acknowledge] == 3)
        #expect(worker.tick() == ["countReady"])
    }

    @Test("a count of moved tasks leaves when the last one is confirmed")
    func count() {
        var worker = WorkerTranscript.connected {
            $0.mode = .move(to: "other")
            $0.jobs = .max
            $0.count = 1
        }
        #expect(worker.deliver(1) == ["cancelConsumer", "copy 1: to other attempt 1"])
        #expect(worker.deliver(2) == ["give back 2"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1", "finish done"])
    }

    @Test("what a command has written goes out before its task is acknowledged; a failed one answers nothing")
    func answering() {
        var worker = WorkerTranscript.connected { $0.isAnswering = true }
        _ = worker.deliver(1)
        #expect(worker.end(1, answer: "42") == ["copy 1: answer 42 attempt 1"])
        #expect(worker.take(.copyFailed(1)) == [])
        #expect(worker.tick() == ["copy 1: answer 42 attempt 1"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
        _ = worker.deliver(2)
        #expect(worker.end(2, .exited(1), answer: "43") == ["copy 2: in 1000ms attempt 2"])
        _ = worker.take(.copyConfirmed(2))
        _ = worker.deliver(3)
        #expect(worker.end(3) == ["ack 3"])
    }

    @Test("a task is done although nobody waits for its answer any more, and that is told")
    func returned() {
        var worker = WorkerTranscript.connected { $0.isAnswering = true }
        _ = worker.deliver(1)
        #expect(worker.end(1, answer: "") == ["copy 1: answer  attempt 1"])
        #expect(worker.take(.answerReturned(1)) == ["ack 1"])
        #expect(worker.reports == [.answerReturned(WorkerTranscript.delivery(1))])
    }

    private static var deadLettered: Delivery {
        var delivery = WorkerTranscript.delivery(1)
        delivery.properties.expiration = "1000"
        delivery.properties.userID = "somebody"
        delivery.properties.headers = [
            "x-workq-queue": .text("home"), "x-workq-reason": .text("status 1"), "mine": .void, "BCC": .array([]),
        ]
        return delivery
    }

    private static func moved(to destination: ShortString) -> MessageProperties {
        TaskCopy(delivery: deadLettered, fate: .moved(to: destination), attempt: 1, end: .exited(0))
            .properties(queue: "home.dead", host: "here", time: 5)
    }

    @Test("moved back to where it failed a task starts anew, anywhere else it keeps why it failed")
    func movedProperties() {
        var expected = Self.deadLettered.properties
        expected.userID = nil
        expected.deliveryMode = 2
        expected.headers?["BCC"] = nil
        expected.headers?["x-workq-exchange"] = .text("")
        expected.headers?["x-workq-routing-key"] = .text("q")
        #expect(Self.moved(to: "archive") == expected)
        expected.headers = ["mine": .void, "x-workq-exchange": .text(""), "x-workq-routing-key": .text("q")]
        #expect(Self.moved(to: "home") == expected)
    }

    @Test("an answer carries the correlation id, or the message id where there is none, and nothing else of the task")
    func answerProperties() {
        func answer(_ delivery: Delivery) -> MessageProperties {
            TaskCopy(delivery: delivery, fate: .answered([1]), attempt: 1, end: .exited(0))
                .properties(queue: "q", host: "here", time: 5)
        }
        var expected = MessageProperties()
        expected.correlationID = "m1"
        expected.timestamp = 5
        expected.deliveryMode = 2
        #expect(answer(Self.deadLettered) == expected)
        var delivery = Self.deadLettered
        delivery.properties.correlationID = "c"
        expected.correlationID = "c"
        #expect(answer(delivery) == expected)
    }
}
