// What a publish makes of `--rate`.

import Broker
import Posix
import Testing

@testable import Publisher

@Suite("Publish state at a pace") struct PublishStatePaceTests {
    typealias Transcript = PublishTranscript

    /// A publish whose first task went and was confirmed just now.
    private static func paced(_ change: (inout PublishState.Settings) -> Void = { _ in }) -> Transcript {
        PublishStateTests.proven {
            $0.interval = .seconds(1)
            change(&$0)
        }
    }

    private static func turn(_ play: inout Transcript) -> Duration? {
        guard case .wait(let end, _) = play.state.next(play.now), end != .never else { return nil }
        return end - play.now
    }

    @Test("each task waits for its turn, and one is read ahead")
    func turns() {
        var play = Self.paced()
        #expect(play.give(1).isEmpty && play.next() == "wait" && play.state.wantsTask == false)
        #expect(Self.turn(&play) == .seconds(1))
        play.pass(.milliseconds(999))
        #expect(play.send().isEmpty)
        play.pass(.milliseconds(1))
        #expect(play.send() == [2] && play.state.wantsTask)
        // Without waiting for the confirm.
        play.pass(.seconds(1))
        #expect(play.give(1) == [3])
        play.ack(3, multiple: true)
        play.state.endInput()
        #expect(play.next() == "end" && play.confirmed == [1, 2, 3])
    }

    @Test("the time for a confirm goes on while others wait for their turn")
    func confirmTimeout() {
        var play = Self.paced {
            $0.interval = .seconds(3_600)
            $0.confirmTimeout = .seconds(30)
        }
        play.pass(.seconds(3_600))
        #expect(play.give(2) == [2])
        #expect(Self.turn(&play) == .seconds(30))
        play.pass(.seconds(30))
        #expect(play.next() == "end" && play.state.trouble == .silent(.seconds(30)))
        #expect(play.unknown == [2] && play.leftovers == [2, 3])
    }

    @Test("waiting for a turn is no silence of the broker's")
    func noSilence() {
        var play = Self.paced { $0.interval = .seconds(3_600) }
        play.give(1)
        play.pass(.seconds(3_599))
        #expect(play.next() == "wait" && play.state.trouble == nil)
        #expect(Self.turn(&play) == .seconds(1))
    }

    @Test("a task that came back goes again at once, with its queue created")
    func returned() {
        var play = Transcript { $0.interval = .seconds(3_600) }
        #expect(play.give(1) == [1])
        play.giveBack(1)
        play.ack(1)
        #expect(play.next() == "createQueue for q")
        play.state.prepared(play.route, hasReopened: false)
        #expect(play.send() == [1])
        play.ack(2)
        #expect(play.give(1).isEmpty && Self.turn(&play) == .seconds(3_600))
    }

    @Test("what is sent again after an outage goes at the pace too")
    func outage() {
        var play = Self.paced { $0.retryFor = .seconds(60) }
        for _ in 0..<3 {
            play.pass(.seconds(1))
            play.give(1)
        }
        play.lose()
        play.state.connected()
        #expect(play.send().isEmpty)
        play.pass(.seconds(1))
        #expect(play.send() == [2])
        play.pass(.seconds(1))
        #expect(play.send() == [3])
    }

    @Test("a blocked broker is waited for, whatever the pace, and nothing spins")
    func blocked() {
        var play = Self.paced()
        play.give(1)
        play.take(.blocked(reason: "memory"))
        play.pass(.seconds(2))
        #expect(play.send().isEmpty && Self.turn(&play) == .seconds(28))
        play.take(.unblocked)
        #expect(play.send() == [2])
    }

    @Test("a signal leaves the task that waits for its turn unsent, and known as such")
    func signals() {
        var play = Self.paced()
        play.give(1)
        play.state.interrupt(15)
        play.pass(.seconds(5))
        #expect(play.send().isEmpty && play.next() == "end" && play.leftovers == [2] && play.unknown.isEmpty)
    }
}
