// When a confirm is late, and when it isn't: the clock runs from the last sign of progress.

import Foundation
import TestSupport
import Testing

@Suite("confirm timeout", .serialized, .timeLimit(.minutes(5)))
struct ConfirmTimeoutTests {
    private static let patience = Duration.seconds(60)

    @Test("N10 a publish may go on for longer than the confirm timeout as long as confirms keep coming")
    func slowConfirms() async throws {
        let count = 120
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            var received = 0
            for number in 1...count {
                // The window is full all the time: its first task is the one that is confirmed.
                while received < min(number == 1 ? 1 : number + 9, count) {
                    try peer.expectTasks(1)
                    received += 1
                }
                try peer.silence(for: .milliseconds(100))
                try peer.ack(UInt64(number))
            }
            try peer.serveUntilClosed()
        }
        let lines = (1...count).map { "\($0)\n" }.joined()
        let result = try await WorkqProcess.run(
            ["publish", "--lines", "-v", "queue", "--window", "10", "--confirm-timeout", "6s"], input: .text(lines),
            environment: peer.environment)
        #expect(result.status == 0 && result.errors.contains("\(count) tasks confirmed"), "\(result)")
        try await peer.finish(within: Self.patience)
    }

    @Test("N5 the confirm timeout of a task that comes after a long silence begins when the task is sent")
    func confirmAfterSilence() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptPublisher()
            for number in 1...2 {
                try peer.expectTasks(1)
                try peer.silence(for: .milliseconds(300))
                try peer.ack(UInt64(number))
            }
            try peer.serveUntilClosed()
        }
        let pipe = try TaskPipe()
        let publish = try WorkqProcess(
            ["publish", "--lines", "-v", "queue", "--confirm-timeout", "6s"], input: pipe.input,
            environment: peer.environment)
        try pipe.write("1\n")
        try await eventually("the first task is confirmed") {
            peer.transcript.contains { $0.contains("> 1 basic.ack") }
        }
        // The silence is what is tested.
        try await Task.sleep(for: .milliseconds(6_500))
        try pipe.write("2\n")
        try await eventually("the second task is there") {
            peer.transcript.filter { $0.contains("< 1 basic.publish") }.count == 2
        }
        try pipe.close()
        let result = try await publish.wait()
        #expect(result.status == 0 && result.errors.contains("2 tasks confirmed"), "\(result)")
        try await peer.finish(within: Self.patience)
    }
}
