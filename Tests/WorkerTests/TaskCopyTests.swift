// What a copy of a task carries.

import Broker
import Testing

@testable import Worker

@Suite("Task copies") struct TaskCopyTests {
    private static var delivery: Delivery {
        var delivery = WorkerTranscript.delivery(1)
        delivery.properties.contentType = "image/jpeg"
        delivery.properties.priority = 3
        delivery.properties.timestamp = 99
        delivery.properties.expiration = "1000"
        delivery.properties.userID = "somebody"
        delivery.properties.headers = [
            "CC": .array([.text("elsewhere")]), "mine": .array([.bool(true), .void]), "x-death": .array([]),
        ]
        return delivery
    }

    private static func properties(_ copy: TaskCopy) -> MessageProperties {
        var copy = copy
        copy.errors = Array("oops".utf8)
        return copy.properties(queue: "q", host: "here", time: 1_234)
    }

    @Test("everything survives, except what would end, misroute or refuse the copy; the attempt is noted")
    func later() {
        let copy = TaskCopy(delivery: Self.delivery, fate: .later(.seconds(1)), attempt: 2, end: .exited(1))
        var expected = Self.delivery.properties
        expected.expiration = nil
        expected.userID = nil
        expected.headers?["CC"] = nil
        expected.headers?["x-death"] = nil
        expected.deliveryMode = 2
        expected.headers?["x-workq-attempt"] = .int32(2)
        #expect(Self.properties(copy) == expected)
    }

    @Test("a dead-lettered task says why, how often, from where, when, and its command's last words")
    func deadLetter() throws {
        let copy = TaskCopy(delivery: Self.delivery, fate: .deadLetter, attempt: 5, end: .signalled(9))
        let headers = try #require(Self.properties(copy).headers)
        #expect(headers["mine"] == .array([.bool(true), .void]))
        #expect(headers["x-workq-attempt"] == nil)
        #expect(headers["x-workq-reason"] == .text("signal 9"))
        #expect(headers["x-workq-attempts"] == .int32(5))
        #expect(headers["x-workq-queue"] == .text("q"))
        #expect(headers["x-workq-host"] == .text("here"))
        #expect(headers["x-workq-time"] == .timestamp(1_234))
        #expect(headers["x-workq-stderr"] == .text("oops"))
    }

    @Test("which attempt a delivery is: its header, whatever its integer type, else the first")
    func attempt() {
        let cases: [(FieldValue?, Int)] = [
            (nil, 1), (.int32(4), 4), (.int64(5), 5), (.uint8(6), 6), (.int32(-3), 1), (.int32(0), 1), (.text("7"), 1),
            (.int64(.max), .max),
        ]
        for (value, expected) in cases {
            var delivery = WorkerTranscript.delivery(1)
            delivery.properties.headers = FieldTable()
            delivery.properties.headers?["x-workq-attempt"] = value
            #expect(TaskCopy.attempt(of: delivery) == expected)
        }
    }

    @Test("R8 a copy keeps where its task was published to, unless that is the queue itself, and the command is told")
    func origin() {
        var delivery = WorkerTranscript.delivery(1)
        (delivery.exchange, delivery.routingKey) = ("logs", "disk.full")
        for fate in [RetryPolicy.Fate.later(.seconds(1)), .deadLetter, .back, .moved(to: "other")] {
            let copy = TaskCopy(delivery: delivery, fate: fate, attempt: 2, end: .exited(1))
            var second = WorkerTranscript.delivery(2)
            (second.properties, second.routingKey) = (Self.properties(copy), "another")
            #expect(TaskCopy.origin(of: second).exchange == "logs")
            #expect(TaskCopy.origin(of: second).routingKey == "disk.full")
        }
        let direct = TaskCopy(delivery: WorkerTranscript.delivery(1), fate: .back, attempt: 1, end: .exited(1))
        #expect(Self.properties(direct).headers == nil)
    }

    @Test(
        "R6 where a frame is full, what workq adds is left out, but never a task's count of attempts nor its own headers"
    )
    func fitting() throws {
        for size in 3_600...4_050 {
            var delivery = WorkerTranscript.delivery(1)
            delivery.properties.headers = ["large": .string(Array(repeating: 1, count: size))]
            var copy = TaskCopy(delivery: delivery, fate: .deadLetter, attempt: 2, end: .exited(1))
            copy.errors = Array(repeating: 2, count: 200)
            let dead = try #require(copy.properties(queue: "q", host: "here", time: 1, frameMax: 4_096))
            #expect(dead.headers?["large"] != nil && dead.invalidity(frameMax: 4_096) == nil)
            copy.fate = .later(.seconds(1))
            let later = copy.properties(queue: "q", host: "here", time: 1, frameMax: 4_096)
            #expect(later == nil, "the broker adds to what comes from a retry queue")
            delivery.properties.headers = ["large": .string(Array(repeating: 1, count: size - 2_050))]
            copy.delivery = delivery
            let small = copy.properties(queue: "q", host: "here", time: 1, frameMax: 4_096)
            #expect(small?.headers?["x-workq-attempt"] == .int32(2) || small == nil && size > 3_950)
        }
    }
}
