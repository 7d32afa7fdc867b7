// What happens when several clients do at once what one of them should do.

import Foundation
import TestSupport
import Testing

@Suite("rivals", .timeLimit(.minutes(2)))
struct RivalTests {
    @Test("a missing queue that another client creates meanwhile, and otherwise, is published to as it is")
    func createdMeanwhile() async throws {
        let peer = try ScriptedPeer { peer in
            try peer.acceptPublisher()
            try peer.returnMessage(peer.expectPublish())
            try peer.ack(1)
            try peer.expect(.queueDeclare)
            try peer.closeChannel(
                406,
                "PRECONDITION_FAILED - inequivalent arg 'x-dead-letter-exchange' for queue 'q' in vhost '/': received "
                    + "none but current is the value '' of type 'longstr'", cause: .queueDeclare)
            try peer.expect(.channelCloseOK)
            try peer.answer(.channelOpen)
            try peer.answer(.confirmSelect)
            let again = try peer.expectPublish()
            try peer.check(again.body == Array("task".utf8), "the task comes again: \(again)")
            try peer.ack(1)
            try peer.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(["publish", "q", "task"], environment: peer.environment)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        try await peer.finish()
    }

    @Test("R2 a task that a worker gave back is no killer of workers, also where one attempt is all it has")
    func givenBack() async throws {
        let fixture = try Fixture()
        let published = try await fixture.run(
            "publish", "--queue-type", "quorum", "--lines", fixture.queue, input: .text("running\nwaiting\n"))
        #expect(published.status == 0, "\(published)")
        let words = ["work", fixture.queue, "--prefetch", "2", "--max-attempts", "1"]
        let worker = try WorkqProcess(words + ["--", "sleep", "60"], environment: fixture.environment)
        try await eventually("one runs, one waits") { worker.children.count == 1 && fixture.ready() == 0 }
        worker.signal(SIGTERM)
        try await worker.says("leaving")
        try await eventually("what waited is back") { fixture.ready() == 1 }
        kill(try #require(worker.children.first), SIGTERM)
        #expect(try await worker.wait().status == 0)
        try await fixture.holds(2)
        let again = try await WorkqProcess.run(
            words + ["--drain", "--", "sh", "-c", "cat; echo"], environment: fixture.environment)
        #expect(again.status == 0 && Set(again.lines) == ["running", "waiting"], "\(again)")
    }
}
