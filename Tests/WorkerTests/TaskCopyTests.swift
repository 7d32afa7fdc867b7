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
        copy.properties(queue: "q", host: "here", time: 1_234, errors: Array("oops".utf8))
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
}
