// Batches: when one starts, what its tasks share, and what each keeps for itself.

import Broker
import Testing

@testable import Worker

@Suite("Worker: batches") struct WorkerStateBatchTests {
    private static func worker(
        _ size: Int, _ change: (inout WorkerState.Settings) -> Void = { _ in }
    ) -> WorkerTranscript {
        .connected {
            $0.batching = Batching(size: size, wait: .seconds(2), separator: UInt8(ascii: "\n"))
            change(&$0)
        }
    }

    @Test("a full batch starts at once, one that isn't full when its first task has waited")
    func start() {
        var worker = Self.worker(3) { $0.jobs = 2 }
        #expect(worker.deliver(1) == [])
        #expect(worker.deliver(2) == [])
        #expect(worker.deliver(3) == ["start 1: tasks [1, 2, 3]"])
        #expect(worker.deliver(4) == [])
        #expect(worker.deliver(5, after: .seconds(1)) == [])
        #expect(worker.untilDeadline == .seconds(1))
        #expect(worker.take(.tick, after: .milliseconds(999)) == [])
        #expect(worker.tick() == ["start 4: tasks [4, 5]"])
        #expect(worker.state.nextDeadline == .never)
    }

    @Test("a batch whose time has come while all jobs were busy starts with the next free place")
    func busy() {
        var worker = Self.worker(2)
        _ = worker.deliver(1)
        #expect(worker.deliver(2) == ["start 1: tasks [1, 2]"])
        _ = worker.deliver(3)
        #expect(worker.state.nextDeadline == .never)
        #expect(worker.end(1, after: .seconds(5)) == ["ack 1", "ack 2", "start 3: tasks [3]"])
    }

    @Test("each task of a batch is settled by itself, those whose copies are under way when these are confirmed")
    func settling() {
        var worker = Self.worker(2) { $0.jobs = 2 }
        for tag in 1...4 { _ = worker.deliver(UInt64(tag)) }
        #expect(worker.end(3) == ["ack 3", "ack 4"])
        #expect(worker.end(1) == ["ack 1", "ack 2"])
        _ = worker.deliver(5)
        _ = worker.deliver(6)
        #expect(worker.end(5, .exited(1)).count == 2)
        _ = worker.deliver(7)
        #expect(worker.deliver(8) == [])
        #expect(worker.take(.copyConfirmed(5)) == ["ack 5", "start 7: tasks [7, 8]"])
        #expect(worker.end(7) == ["ack 7", "ack 8"])
        #expect(worker.take(.copyConfirmed(6)) == ["ack 6"])
    }

    @Test("tasks of a batch that fails are each tried again or dead-lettered by their own count of attempts")
    func failure() {
        var worker = Self.worker(3) { $0.retries.maximumAttempts = 3 }
        _ = worker.deliver(1)
        _ = worker.take(.delivered(WorkerTranscript.delivery(2, attempt: 3)))
        _ = worker.take(.delivered(WorkerTranscript.delivery(3, attempt: 2)))
        #expect(
            worker.end(1, .exited(9)) == [
                "copy 1: in 1000ms attempt 2", "copy 2: dead attempt 3", "copy 3: in 10000ms attempt 3",
            ])
        #expect(worker.reports == [.batchEnded(1, [.retry: 2, .deadLetter: 1], .exited(9), elapsed: .zero)])
        #expect(worker.take(.copyConfirmed(2)) == ["ack 2"])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
        #expect(worker.state.tally[.retry] == 1 && worker.state.tally[.deadLetter] == 1)
        #expect(worker.take(.copyConfirmed(3)) == ["ack 3"])
    }

    @Test("a task that holds the separator before its end is dead-lettered by itself, one that ends in it is not")
    func separator() {
        var worker = Self.worker(2)
        #expect(worker.deliver(1, body: "a\nb") == ["copy 1: dead attempt 1"])
        #expect(
            worker.reports == [
                .ended(
                    1, WorkerTranscript.delivery(1, body: "a\nb"),
                    .unfit("it holds the byte that separates the tasks of a batch"), .deadLetter, elapsed: .zero)
            ])
        #expect(worker.take(.copyConfirmed(1)) == ["ack 1"])
        _ = worker.deliver(2, body: "c\n")
        #expect(worker.deliver(3, body: "") == ["start 2: tasks [2, 3]"])
    }

    @Test("a command reads each task and a separator, once")
    func input() {
        let batching = Batching(size: 9, wait: .zero, separator: UInt8(ascii: "\n"))
        let tasks = ["one", "two\n", "", "three"].map { WorkerTranscript.delivery(1, body: $0) }
        #expect(String(decoding: batching.input(tasks), as: UTF8.self) == "one\ntwo\n\nthree\n")
    }

    @Test("a count counts tasks: the last batch holds no more than are left")
    func count() {
        var worker = Self.worker(3) { $0.count = 5 }
        for tag in 1...2 { _ = worker.deliver(UInt64(tag)) }
        #expect(worker.deliver(3) == ["start 1: tasks [1, 2, 3]"])
        // What is acknowledged would be replaced by more than the two that are left.
        #expect(worker.end(1) == ["cancelConsumer", "ack 1", "ack 2", "ack 3", "startConsumer 2"])
        _ = worker.deliver(4)
        #expect(worker.deliver(5) == ["cancelConsumer", "start 4: tasks [4, 5]"])
        #expect(worker.deliver(6) == ["give back 6"])
        #expect(worker.end(4) == ["ack 4", "ack 5", "finish done"])
    }

    @Test("tasks of a running batch that come back after a lost connection aren't started again")
    func adoption() {
        var worker = Self.worker(3)
        for tag in 1...3 { _ = worker.deliver(UInt64(tag)) }
        _ = worker.reconnect()
        #expect(worker.deliver(1, id: "m2", redelivered: true) == [])
        #expect(worker.deliver(2, id: "m9") == [])
        #expect(worker.deliver(3, id: "m1", redelivered: true) == [])
        // The third went to another worker; the one between isn't of the batch.
        #expect(worker.end(1) == ["ack 3", "ack 1"])
    }

    @Test("a batch that is given back is given back task by task, when a signal interrupts it or it can't start")
    func givenBack() {
        var worker = Self.worker(2)
        for tag in 1...3 { _ = worker.deliver(UInt64(tag)) }
        #expect(worker.take(.stopRequested) == ["cancelConsumer", "give back 3"])
        #expect(worker.take(.stopRequested, after: .seconds(1)) == ["TERM 1"])
        #expect(worker.end(1, .signalled(15)) == ["give back 1", "give back 2", "finish done"])

        var other = Self.worker(2)
        for tag in 1...2 { _ = other.deliver(UInt64(tag)) }
        #expect(other.end(1, .unusable("gone")).prefix(3) == ["cancelConsumer", "give back 1", "give back 2"])
    }

    @Test("a batch that takes too long is told with its number of tasks")
    func timeout() {
        var worker = Self.worker(2) { $0.timeout = .seconds(1) }
        for tag in 1...2 { _ = worker.deliver(UInt64(tag)) }
        #expect(worker.tick() == ["TERM 1"])
        #expect(worker.reports == [.batchTimedOut(1, tasks: 2)])
    }
}
