// A broker that is short of memory, and limits that it sets. These tests have a broker of their own.

import Foundation
import TestSupport
import Testing

@Suite("alarms", .serialized, .timeLimit(.minutes(5)))
struct AlarmTests {
    private static let blocked = "blocked by the broker: low on memory"

    private func allowMemory(_ fraction: String, _ broker: ThrowawayBroker) async throws {
        try await broker.ctl("set_vm_memory_high_watermark", fraction)
    }

    @Test("N11 N12 under a memory alarm publish waits and says why, and workers go on acknowledging")
    func memoryAlarm() async throws {
        let broker = try await onOwnThread { try ThrowawayBroker(settings: "max_message_size = 100000\n") }
        let fixture = try Fixture(broker)
        try await fixture.publish((1...3).map(String.init))
        let pipe = try TaskPipe()
        let stream = try fixture.start(
            "publish", "--lines", fixture.queue, "--confirm-timeout", "10s", input: pipe.input)
        try pipe.write("4\n5\n")
        try await eventually("five tasks are there") { fixture.ready() == 5 }

        try await allowMemory("0.00001", broker)
        // The alarm takes a moment to reach a connection, and is announced to who publishes.
        try await eventually("publish says that it is blocked", within: .seconds(40)) {
            // It ends soon after saying so.
            if stream.errors.contains(Self.blocked) { return true }
            guard isAlive(stream.pid) else {
                throw Failure("publish ended without a word on the alarm: \(stream.errors)")
            }
            try pipe.write("another\n")
            return false
        }
        let partly = try await stream.wait()
        #expect(partly.status == 3 && partly.errors.contains("unknown (the broker may have them)"), "\(partly)")
        #expect(partly.errors.contains("blocked by the broker (low on memory)"), "\(partly)")

        let check = try await fixture.run("publish", fixture.queue, "--check", "--connect-timeout", "30s")
        #expect(check.status == 75 && check.text.contains("FAILED  alarm"), "\(check)")
        #expect(check.text.contains("the broker takes no tasks: low on memory"), "\(check)")

        // Announced only after the first publish, too.
        let single = try fixture.start("publish", fixture.queue, "late", "--confirm-timeout", "6s")
        let (late, time) = try await single.end(within: .seconds(60))
        #expect(late.status == 76 && time < .seconds(30), "\(time) \(late)")
        #expect(late.errors.contains(Self.blocked), "\(late)")
        #expect(late.errors.contains("(low on memory), and no confirm in 6s"), "\(late)")
        #expect(late.errors.contains("The outcome is unknown"), "\(late)")

        let worker = try await fixture.run("work", fixture.queue, "--drain", "--", "true")
        #expect(worker.status == 0, "\(worker)")
        #expect(fixture.ready() == 0, "acknowledged under the alarm")

        let patient = try fixture.start("publish", fixture.queue, "patient", "--confirm-timeout", "60s")
        try await patient.says(Self.blocked)
        try await allowMemory("0.4", broker)
        let done = try await patient.wait()
        #expect(done.status == 0, "\(done)")
        // What was unknown may have been stored after all, as the message said.
        #expect(fixture.ready() ?? 0 >= 1)

        let large = try await fixture.run(
            "publish", fixture.queue, input: .bytes([UInt8](repeating: 0x61, count: 100_001)))
        #expect(large.status == 65 && large.errors.contains("100000"), "N16 M3 over the broker's limit: \(large)")
        try await broker.stop()
    }
}
