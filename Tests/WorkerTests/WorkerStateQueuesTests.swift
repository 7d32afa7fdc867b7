// Several queues: whose task starts, and what stays each queue's own.

import Broker
import Testing

@testable import Worker

@Suite("Worker: several queues") struct WorkerStateQueuesTests {
    private static func worker(_ change: (inout WorkerState.Settings) -> Void = { _ in }) -> WorkerTranscript {
        var worker = WorkerTranscript.connected {
            $0.queues = ["urgent", "normal"]
            $0.prefetch = 1
            change(&$0)
        }
        // Nothing came from either for long enough.
        _ = worker.take(.tick, after: .seconds(1))
        return worker
    }

    private static func delivery(_ tag: UInt64, of queue: Int, id: String? = nil) -> Delivery {
        var delivery = WorkerTranscript.delivery(tag, id: id)
        delivery.queue = queue
        return delivery
    }

    @Test("a task of an earlier queue starts before those of later ones that have waited for longer")
    func order() {
        var worker = Self.worker { $0.prefetch = 2 }
        #expect(worker.take(.delivered(Self.delivery(1, of: 1))) == ["start 1: task 1"])
        #expect(worker.take(.delivered(Self.delivery(2, of: 1))) == [])
        #expect(worker.take(.delivered(Self.delivery(3, of: 0))) == [])
        #expect(worker.end(1) == ["ack 1", "start 2: task 3"])
        #expect(worker.end(2) == ["ack 3", "start 3: task 2"])
    }

    @Test("the next task of an earlier queue that held all it may is waited for, but not for long")
    func patience() {
        var worker = Self.worker()
        _ = worker.take(.delivered(Self.delivery(1, of: 0)))
        _ = worker.take(.delivered(Self.delivery(2, of: 1)))
        #expect(worker.end(1) == ["ack 1"])
        #expect(worker.untilDeadline == Precedence.patience)
        #expect(worker.take(.delivered(Self.delivery(3, of: 0)), after: .milliseconds(20)) == ["start 2: task 3"])
        #expect(worker.end(2) == ["ack 3"])
        #expect(worker.take(.tick, after: .milliseconds(49)) == [])
        #expect(worker.tick() == ["start 3: task 2"])
        // A later queue is nobody's earlier one.
        #expect(worker.end(3) == ["ack 2"])
        #expect(worker.take(.delivered(Self.delivery(4, of: 1))) == ["start 4: task 4"])
    }

    @Test("a queue that held fewer tasks than it may has no more, and nothing waits for it")
    func emptyQueue() {
        var worker = Self.worker { $0.prefetch = 2 }
        _ = worker.take(.delivered(Self.delivery(1, of: 0)))
        _ = worker.take(.delivered(Self.delivery(2, of: 1)))
        #expect(worker.end(1) == ["ack 1", "start 2: task 2"])
    }

    @Test("at the start, and after a connection was lost, first tasks of earlier queues are waited for")
    func start() {
        var worker = Self.worker()
        _ = worker.take(.delivered(Self.delivery(1, of: 1)))
        _ = worker.end(1)
        _ = worker.reconnect()
        #expect(worker.take(.delivered(Self.delivery(1, of: 1))) == [])
        #expect(worker.take(.delivered(Self.delivery(2, of: 0)), after: .milliseconds(10)) == ["start 2: task 2"])
    }

    @Test("tasks of both queues with the same id are two tasks when they come back")
    func sameID() {
        var worker = Self.worker { $0.jobs = 2 }
        _ = worker.take(.delivered(Self.delivery(1, of: 0, id: "same")))
        _ = worker.reconnect()
        var other = Self.delivery(1, of: 1, id: "same")
        other.redelivered = true
        #expect(worker.take(.delivered(other), after: .seconds(1)) == ["start 2: task 1"])
        var own = Self.delivery(2, of: 0, id: "same")
        own.redelivered = true
        #expect(worker.take(.delivered(own)) == [])
        #expect(worker.end(1) == ["ack 2"])
    }

    @Test("a count takes of all queues together, and gives back what waits beyond it")
    func count() {
        var worker = Self.worker { $0.count = 2 }
        _ = worker.take(.delivered(Self.delivery(1, of: 1)))
        _ = worker.take(.delivered(Self.delivery(2, of: 1)))
        _ = worker.take(.delivered(Self.delivery(3, of: 0)))
        #expect(worker.end(1).suffix(3) == ["ack 1", "start 2: task 3", "give back 2"])
        #expect(worker.end(2).suffix(2) == ["ack 3", "finish done"])
    }

    @Test("a batch has tasks of one queue, and those of each have their own time to wait")
    func batches() {
        var worker = Self.worker {
            $0.prefetch = 4
            $0.jobs = 2
            $0.batching = Batching(size: 2, wait: .seconds(2), separator: 10)
        }
        #expect(worker.take(.delivered(Self.delivery(1, of: 1))) == [])
        #expect(worker.take(.delivered(Self.delivery(2, of: 0)), after: .seconds(1)) == [])
        #expect(worker.take(.delivered(Self.delivery(3, of: 0))) == ["start 1: tasks [2, 3]"])
        #expect(worker.reports == [.batchStarted(1, tasks: 2, queue: 0)])
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.tick() == ["start 3: tasks [1]"])
        #expect(worker.reports == [.batchStarted(3, tasks: 1, queue: 1)])
    }

    @Test("each queue has counts of its own")
    func counts() {
        var worker = Self.worker { $0.jobs = 2 }
        _ = worker.take(.delivered(Self.delivery(1, of: 0)))
        _ = worker.take(.delivered(Self.delivery(2, of: 1)))
        _ = worker.end(2)
        _ = worker.take(.delivered(Self.delivery(3, of: 1)))
        let (urgent, normal) = (worker.state.status(ofQueue: 0), worker.state.status(ofQueue: 1))
        #expect((urgent.running, urgent.tally[.acknowledge]) == (1, 0))
        #expect((normal.running, normal.tally[.acknowledge]) == (1, 1))
        #expect(worker.state.tally[.acknowledge] == 1)
    }
}
