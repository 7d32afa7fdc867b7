// The rows of the publisher's fault table, as far as they can be played without a broker.

import Broker
import Posix
import Testing

@testable import Publisher

@Suite("Publish state by rows") struct PublishStateRowTests {
    typealias Transcript = PublishTranscript

    /// A spool's delivery, of which both destinations are proven.
    private static func spool() -> Transcript {
        var play = Transcript { $0.goesOnAfterRefusals = true }
        play.give(1)
        play.ack(1)
        play.give(1, to: play.other)
        play.ack(2)
        return play
    }

    private static func numbers(_ refused: [(task: OutgoingTask, reason: Refusal)]) -> [Int] {
        refused.map(\.task.number)
    }

    @Test("P1 a destination that is refused takes none of the others along", arguments: [404, 403, 405])
    func refusedDestination(code: Int) {
        var play = Transcript { $0.goesOnAfterRefusals = true }
        play.give(2)
        play.closeChannel(BrokerError.Code(rawValue: code))
        #expect(Self.numbers(play.state.takeRefused()) == [1, 2] && play.state.trouble == nil)
        #expect(play.next() == "connect")
        play.state.connected()
        // Tasks for it that are read later are refused at once.
        #expect(play.give(1).isEmpty && Self.numbers(play.state.takeRefused()) == [3])
        #expect(play.give(1, to: play.other) == [4])
        play.ack(1)
        play.state.endInput()
        #expect(play.next() == "end" && play.confirmed == [4] && play.state.tally.confirmed == 1)
    }

    @Test("P1 a refusal of the login or the vhost refuses no task", arguments: [403, 530])
    func refusedLogin(code: Int) {
        var play = Transcript(isConnected: false) { $0.goesOnAfterRefusals = true }
        #expect(play.next() == "connect")
        play.state.lost(
            BrokerError("connect", BrokerError.Code(rawValue: code), scope: .connection, "no"), play.now)
        #expect(play.next() == "end" && play.state.takeRefused().isEmpty)
        #expect(play.state.trouble?.isOutage == false && play.state.trouble != nil)
    }

    @Test("P3 a task that is too large is found by its size, and only those behind it go again")
    func refusedTask() {
        var play = Self.spool()
        play.give(1)
        play.give(1, size: 9)
        play.give(2)
        play.closeChannel(
            .preconditionFailed, "PRECONDITION_FAILED - message size 9 is larger than configured max size 8")
        let refused = play.state.takeRefused()
        #expect(Self.numbers(refused) == [4] && refused.first?.reason.concernsDestination == false)
        #expect(play.unknown == [3])
        play.state.connected()
        #expect(play.send() == [3, 5, 6])
    }

    @Test("P3 where nobody knows which task it was, they go one by one until it is found")
    func suspects() {
        var play = Self.spool()
        play.give(3)
        play.closeChannel(.preconditionFailed, "PRECONDITION_FAILED - invalid expiration")
        #expect(play.state.takeRefused().isEmpty && play.unknown == [3, 4, 5])
        play.state.connected()
        #expect(play.send() == [3])
        play.ack(1)
        #expect(play.send() == [4])
        play.closeChannel(.preconditionFailed, "PRECONDITION_FAILED - invalid expiration")
        #expect(Self.numbers(play.state.takeRefused()) == [4])
        play.state.connected()
        #expect(play.send() == [5])
        play.ack(1)
        #expect(play.give(2) == [6, 7])
    }

    @Test("M3 the broker has neither the task that it closed the channel over nor those behind it")
    func refusedInStream() {
        var play = PublishStateTests.proven()
        play.give(1)
        play.give(1, size: 9)
        play.give(1)
        play.closeChannel(
            .preconditionFailed, "PRECONDITION_FAILED - message size 9 is larger than configured max size 8")
        #expect(play.next() == "end" && play.leftovers == [2, 3, 4] && play.unknown == [2])
        guard case .refused(.task(let error))? = play.state.trouble else { return #expect(Bool(false)) }
        #expect(error.operation == "publish task 3 to queue \"q\"")
    }

    @Test("P5 nothing is sent while the broker is blocked, and the alarm is the reason in the end")
    func blocked() {
        var play = PublishStateTests.proven()
        play.give(1)
        play.take(.blocked(reason: "low on memory"))
        #expect(play.state.takeNotices() == [.blocked(reason: "low on memory")])
        #expect(play.give(2).isEmpty && play.next() == "wait")
        play.pass(.seconds(31))
        #expect(play.next() == "end" && play.state.trouble == .blocked(reason: "low on memory", .seconds(30)))
        #expect(play.leftovers == [2, 3, 4] && play.unknown == [2])
    }

    @Test("P5 once the broker takes tasks again, they go on")
    func unblocked() {
        var play = PublishStateTests.proven()
        play.take(.blocked(reason: "low on memory"))
        #expect(play.give(1).isEmpty)
        play.pass(.seconds(29))
        play.take(.unblocked)
        #expect(play.send() == [2])
        play.pass(.seconds(29))
        #expect(play.next() == "wait, read")
    }

    @Test("P8 without waiting, the first task is known to have its queue before the second is sent")
    func withoutConfirms() {
        var play = Transcript { $0.waitsForConfirms = false }
        #expect(play.give(1) == [1])
        #expect(play.give(1).isEmpty && play.next() == "synchronize")
        play.giveBack(1)
        play.state.synchronized()
        #expect(play.send().isEmpty && play.next() == "wait")
        play.ack(1)
        #expect(play.next() == "createQueue for q")
        play.state.prepared(play.route, hasReopened: false)
        #expect(play.send() == [1] && play.next() == "synchronize")
        play.state.synchronized()
        #expect(play.send() == [2] && play.give(3) == [3, 4, 5])
        play.state.endInput()
        #expect(play.next() == "synchronize")
        play.state.synchronized()
        #expect(play.next() == "end" && play.state.tally == Tally(sent: 5))
    }

    @Test("P8 without waiting, neither window nor deadline hold")
    func withoutWaiting() {
        var play = Transcript {
            $0.waitsForConfirms = false
            $0.window = 1
        }
        play.give(1)
        _ = play.next()
        play.state.synchronized()
        #expect(play.give(5) == [2, 3, 4, 5, 6])
        play.pass(.seconds(3_600))
        #expect(play.next() == "wait, read" && play.state.trouble == nil)
        play.lose()
        #expect(play.state.tally.unknown == 6)
    }

    @Test("P9 the time for the confirm begins when the task is with the broker")
    func slowNetwork() {
        var play = Transcript { $0.confirmTimeout = .seconds(3) }
        play.give(1)
        for _ in 0..<8 {
            play.pass(.seconds(1))
            play.state.isUnderWay(play.now)
            #expect(play.next() == "wait")
        }
        play.pass(.seconds(2))
        #expect(play.next() == "wait")
        play.pass(.seconds(1))
        #expect(play.next() == "end" && play.state.trouble == .silent(.seconds(3)))
    }

    @Test("P16 in an outage a confirm is waited for no longer than the outage may last")
    func oneDeadline() {
        var play = Transcript {
            $0.confirmTimeout = .seconds(8)
            $0.retryFor = .seconds(10)
        }
        play.give(1)
        for _ in 0..<100 where play.state.trouble == nil {
            switch play.state.next(play.now) {
            case .connect: play.state.connected()
            case .pause(let end), .wait(let end, _): play.now = end
            default: break
            }
            _ = play.send()
        }
        #expect(play.now <= Instant(nanoseconds: 20_000_000_000))
        #expect(play.state.trouble?.isOutage == true && play.unknown == [1])
    }

    @Test("M9 what was refused for now goes again once the others' outcome is known")
    func nackedWithRetry() {
        var play = PublishStateTests.proven { $0.retryFor = .seconds(60) }
        play.give(3)
        play.nack(3)
        #expect(play.give(1).isEmpty && play.next() == "wait")
        play.ack(4)
        play.ack(2)
        #expect(play.next() == "pause")
        play.pass(.seconds(1))
        #expect(play.next() == "connect")
        play.state.connected()
        #expect(play.send() == [3, 5] && play.unknown == [3, 5])
        play.ack(2, multiple: true)
        #expect(play.unknown.isEmpty && play.confirmed == [1, 4, 2, 3, 5])
    }
}
