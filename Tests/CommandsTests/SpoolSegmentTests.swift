// A spool file comes back as it was written, and whatever it lost is noticed.

import Broker
import Publisher
import TestSupport
import Testing

@testable import Commands

@Suite("Spool segments") struct SpoolSegmentTests {
    private static func segment(_ generator: inout SeededGenerator) -> SpoolSegment {
        let destinations = [
            Destination(exchange: "x", routingKey: ShortString(bytes: [0xFF, 0x0A])),
            .queue("q", creates: nil), .queue("q", creates: .init(type: .quorum, arguments: ["a": .int64(1)])),
            .queue("q", creates: .init(type: nil), delay: .seconds(90)),
        ]
        let tasks = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
            TaskRecord(body: generator.bytes(Int.random(in: 0...50, using: &generator)))
        }
        return SpoolSegment(
            place: SpoolSegment.Place(
                cluster: "amqp://h:5672", vhost: String(decoding: generator.text(), as: UTF8.self)),
            destination: destinations[Int.random(in: 0..<destinations.count, using: &generator)], tasks: tasks)
    }

    @Test("what is written is read back, destination and all", arguments: seeds(50))
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let segment = Self.segment(&generator)
        #expect(try SpoolSegment(segment.text) == segment)
    }

    @Test("N1 a file that lost any part of its end is found out", arguments: seeds(10))
    func torn(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = Self.segment(&generator).text
        for count in 0..<text.count {
            #expect(throws: SpoolSegment.Malformed.self, "\(count) of \(text.count) bytes") {
                try SpoolSegment(Array(text.prefix(count)))
            }
        }
        #expect(throws: SpoolSegment.Malformed.self) { try SpoolSegment(text + text) }
    }

    @Test("altered files are refused or read, and never fatal", arguments: seeds(200))
    func altered(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var text = Self.segment(&generator).text
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            text[Int.random(in: text.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        _ = try? SpoolSegment(text)
    }

    @Test("other files and other versions are told apart")
    func foreign() {
        func reason(_ text: String) -> String? {
            do throws(SpoolSegment.Malformed) {
                _ = try SpoolSegment(Array(text.utf8))
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(reason("")?.contains("isn't a spool file") == true)
        #expect(reason("{\"body\":\"x\"}\n")?.contains("isn't a spool file") == true)
        #expect(reason("{\"workq_spool\":1}\n")?.contains("another version") == true)
        #expect(reason("{\"workq_spool\":2,\"tasks\":0,\"bytes\":0}\n")?.contains("first line") == true)
    }
}
