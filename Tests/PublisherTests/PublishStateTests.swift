// What a publish makes of confirms, returns and lost connections.

import Broker
import Posix
import Testing

@testable import Publisher

@Suite("Publish state") struct PublishStateTests {
    typealias Transcript = PublishTranscript

    /// A publish whose first task is confirmed, so that others may go together.
    static func proven(_ change: (inout PublishState.Settings) -> Void = { _ in }) -> Transcript {
        var play = Transcript(change)
        play.give(1)
        play.ack(1)
        return play
    }

    @Test("the first task goes alone, the others together up to the window")
    func window() {
        var play = Transcript { $0.window = 3 }
        #expect(play.give(2) == [1])
        play.ack(1)
        #expect(play.send() == [2])
        #expect(play.give(3) == [3, 4])
        #expect(play.next() == "wait")
        play.ack(2)
        #expect(play.send() == [5])
        #expect(play.state.wantsTask == false)
        play.ack(5, multiple: true)
        #expect(play.confirmed == [1, 2, 3, 4, 5] && play.state.wantsTask)
        #expect(play.next() == "wait, read")
        play.state.endInput()
        #expect(play.next() == "end" && play.state.trouble == nil && play.leftovers.isEmpty)
    }

    @Test("confirms settle alone, together, and out of order, each task once")
    func confirms() {
        var play = Self.proven()
        play.give(6)
        play.ack(4)
        play.ack(3, multiple: true)
        play.ack(7)
        #expect(play.confirmed == [1, 4, 2, 3, 7] && play.state.trouble == nil)
        // A multiple confirm may name one that is settled already.
        play.ack(4, multiple: true)
        play.ack(6, multiple: true)
        #expect(play.confirmed == [1, 4, 2, 3, 7, 5, 6] && play.state.confirmedCount == 7)
    }

    @Test("M9 a nack for many refuses those that weren't settled, and nothing more is sent")
    func nackMultiple() {
        var play = Self.proven()
        play.give(4)
        play.ack(3)
        play.nack(4, multiple: true)
        #expect(play.state.trouble == .refused(.nacked))
        #expect(play.next() == "wait")
        play.ack(5)
        #expect(play.next() == "end" && play.confirmed == [1, 3, 5] && play.leftovers == [2, 4])
        #expect(play.state.tally == Tally(confirmed: 3, nacked: 2, firstFailed: 2))
    }

    @Test("M8 a task that comes back is sent once more with its queue created, and then is unroutable")
    func returned() {
        var play = Transcript()
        play.give(1)
        play.giveBack(1)
        #expect(play.next() == "wait")
        play.ack(1)
        #expect(play.next() == "createQueue for q" && play.confirmed.isEmpty)
        play.state.prepared(play.route, hasReopened: false)
        #expect(play.send() == [1])
        play.giveBack(1)
        play.ack(2)
        #expect(play.state.trouble == .refused(.returned(text: "NO_ROUTE")))
        #expect(play.next() == "end" && play.leftovers == [1] && play.unknown.isEmpty)
    }

    @Test("a word on a task that isn't there is the end of the connection", arguments: [0, 1, 9] as [UInt64])
    func unknownTag(tag: UInt64) {
        var play = Self.proven()
        play.give(1)
        play.ack(tag)
        guard case .lost(let error)? = play.state.trouble else { return #expect(Bool(false), "\(play.state)") }
        #expect(error.code == .protocolViolation && play.unknown == [2])
    }

    @Test("N1 after a loss only what isn't settled goes again, in order, and is unknown until then")
    func lossAfterOutOfOrder() {
        var play = Self.proven { $0.retryFor = .seconds(60) }
        play.give(5)
        play.ack(5)
        play.ack(3)
        play.lose()
        #expect(play.unknown == [2, 4, 6] && play.next() == "pause")
        #expect(play.state.takeNotices().count == 1)
        play.pass(.seconds(1))
        #expect(play.next() == "connect")
        play.state.connected()
        #expect(play.send() == [2, 4, 6])
        play.ack(3, multiple: true)
        #expect(play.confirmed == [1, 5, 3, 2, 4, 6] && play.unknown.isEmpty)
    }

    @Test("N1 a loss without retrying leaves unknown what was sent, and the rest certainly not done")
    func lossIsTheEnd() {
        var play = Self.proven { $0.window = 2 }
        play.give(4)
        play.lose()
        #expect(play.state.trouble?.isOutage == true && play.next() == "end")
        #expect(play.unknown == [2, 3] && play.leftovers == [2, 3, 4, 5])
        #expect(play.state.tally == Tally(confirmed: 1, unknown: 2, firstFailed: 2))
    }

    @Test("N15 the outage has one end, and the last attempt is made at it, with a moment to connect")
    func outageEnds() {
        var play = Transcript(isConnected: false) { $0.retryFor = .seconds(2) }
        #expect(play.next() == "connect")
        for _ in 0..<20 where play.state.trouble == nil {
            play.lose()
            if case .pause(let end) = play.state.next(play.now) { play.now = end }
            if case .connect(let end) = play.state.next(play.now) { #expect(end - play.now >= .seconds(2)) }
        }
        guard case .gaveUp(_, after: .seconds(2))? = play.state.trouble else { return #expect(Bool(false)) }
        #expect(play.now == Instant(nanoseconds: 2_000_000_000) && play.next() == "end")
    }

    @Test("a signal ends sending and waits for confirms, a second one waits for nothing")
    func signals() {
        var play = Self.proven()
        play.give(2)
        play.state.interrupt(15)
        #expect(!play.state.wantsTask && play.next() == "wait")
        play.ack(2)
        #expect(play.next() == "wait")
        play.state.interrupt(15)
        #expect(play.next() == "end" && play.state.trouble == .interrupted(15) && play.state.isImpatient)
        #expect(play.leftovers == [3] && play.state.tally.unknown == 1)
    }

    @Test("P6 a signal while there is no connection is the end")
    func signalWhileAway() {
        var play = Transcript(isConnected: false) { $0.retryFor = .seconds(60) }
        play.lose()
        play.state.interrupt(2)
        #expect(play.next() == "end" && play.state.trouble == .interrupted(2))
    }
}
