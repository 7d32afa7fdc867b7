// What a worker tells: in words for people, in JSON for programs, and never too much of either.

import Broker
import Foundation
import Testing

@testable import Commands
@testable import Worker

@Suite("Work log") struct WorkLogTests {
    private static var delivery: Delivery {
        var properties = MessageProperties()
        properties.messageID = "m\"1"
        properties.headers = ["x-workq-attempt": .int32(2)]
        return Delivery(
            consumerTag: "c", deliveryTag: 1, redelivered: true, exchange: "", routingKey: "q", properties: properties)
    }

    private static var lost: BrokerError {
        BrokerError("read", .connectionForced, scope: .connection, "shutdown")
    }

    private static var reports: [WorkerState.Report] {
        [
            .connected, .started(1, delivery),
            .ended(1, delivery, .exited(0), .acknowledge, elapsed: .milliseconds(1_500)),
            .ended(2, delivery, .signalled(9), .retry, elapsed: .zero, errors: Array("x\n\tout of memory\n \n".utf8)),
            .batchStarted(3, tasks: 7),
            .batchEnded(3, [.retry: 6, .deadLetter: 1], .timedOut, elapsed: .seconds(1)), .timedOut(1, delivery),
            .batchTimedOut(3, tasks: 7), .reconnecting(lost, pause: .milliseconds(250)), .reconnected,
            .copyFailed(delivery), .answerReturned(delivery), .blocked(reason: "low on memory"), .unblocked,
            .cameBack(4, delivery), .endedUnheard(4, delivery, .exited(0), elapsed: .zero), .paused, .resumed,
            .suspended(silence: .seconds(60)),
            .leaving(running: 2),
            .interrupting(running: 2),
            .status(.init(isConnected: true, isPaused: false, waiting: 1, running: 2, held: 3, tally: .init())),
        ]
    }

    /// What is written for all kinds of events and a summary.
    private static func log(_ change: (inout WorkCommand.Values) -> Void) throws -> [String] {
        var values = WorkCommand.Values()
        values.queues = ["q"]
        values.command = [Array("true".utf8)]
        change(&values)
        let captured = try CapturedContext()
        let log = WorkLog(values, captured.context)
        for report in reports { log.line(report, copyError: lost).map(captured.context.tell) }
        log.summarize(WorkerState.Tally(counts: [.acknowledge: 4]))
        return captured.errors.split(separator: "\n").map(String.init)
    }

    @Test(
        "text tells what needs attention; with -v every start and end, attempts and a summary; with -q the state only")
    func text() throws {
        let usual = try Self.log { _ in }
        #expect(
            usual.contains(
                "workq: task m\"1: ended by KILL in 0 s, attempt 2 of 5, again in 10 s: out of memory"))
        #expect(!usual.contains { $0.contains("started") || $0.contains("is acknowledged") || $0.contains("4 ack") })
        let verbose = try Self.log { $0.common.isVerbose = true }
        #expect(verbose.contains("workq: job 1 started: task m\"1"))
        #expect(
            verbose.contains(
                "workq: job 1, task m\"1 is acknowledged: status 0 in 1.5 s, attempt 2 of 5"))
        #expect(verbose.last == "workq: tasks: 4 acknowledged")
        let quiet = try Self.log { $0.common.isQuiet = true }
        #expect(quiet == ["workq: connected, 2 running, 1 waiting, 3 held back; no tasks"])
    }

    @Test("JSON tells everything, an object a line with the same keys, and a time that programs can read")
    func json() throws {
        let lines = try Self.log { $0.logFormat = .json }
        let objects = try lines.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
        #expect(objects.count == Self.reports.count + 1)
        for object in objects {
            #expect(object["queue"] as? String == "q")
            let time = try #require(object["time"] as? String)
            #expect(time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#) != nil, "\(time)")
        }
        #expect(
            objects.map { $0["event"] as? String } == [
                "connected", "start", "end", "end", "start", "end", "timeout", "timeout", "reconnecting",
                "reconnected", "copy-failed", "answer-returned", "blocked", "unblocked", "came-back", "end", "paused",
                "resumed", "suspended",
                "leaving", "interrupting",
                "state", "summary",
            ])
        let success = objects[2]
        #expect(success["message_id"] as? String == "m\"1" && success["attempt"] as? Int == 2)
        #expect(success["result"] as? String == "exit" && success["status"] as? Int == 0)
        #expect(success["verdict"] as? String == "ack" && success["seconds"] as? Double == 1.5)
        #expect(objects[3]["signal"] as? Int == 9 && objects[3]["status"] == nil)
        #expect(objects[5]["verdicts"] as? [String: Int] == ["retry": 6, "dead-letter": 1])
        #expect(objects[5]["tasks"] as? Int == 7 && objects[5]["message_id"] == nil)
        #expect(objects[15]["verdict"] as? String == "give-back")
        #expect(objects[8]["code"] as? Int == 320 && objects[8]["pause_seconds"] as? Double == 0.25)
    }

    @Test("dropped lines are counted in words, as an object where all lines are")
    func droppedLines() throws {
        let words = "3 lines of the log dropped here, nobody read them"
        var values = WorkCommand.Values()
        let context = try CapturedContext().context
        #expect(WorkLog(values, context).line(.linesLost(3), copyError: nil) == "workq: \(words)\n")
        values.logFormat = .json
        let line = try #require(WorkLog(values, context).line(.linesLost(3), copyError: nil))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["event"] as? String == "message" && object["message"] as? String == words)
    }

    @Test("a JSON line at a known time, byte for byte")
    func bytes() {
        var record = WorkLogRecord(.started(7, Self.delivery), copyError: nil)
        record.reason = "a/b\n\u{1B}[2J"
        #expect(
            record.line(queues: ["q"], at: WallTime(milliseconds: 1_700_000_000_250))
                == #"{"attempt":2,"event":"start","job":7,"message_id":"m\"1","queue":"q","reason":"a/b\n\u001b[2J","#
                + #""redelivered":true,"time":"2023-11-14T22:13:20.250Z"}"# + "\n")
    }

    @Test("W16 the broker's words on a delivery timeout are understood, and nothing else is taken for them")
    func deliveryTimeout() {
        let text =
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms. "
            + "This timeout value can be configured, see consumers doc guide to learn more"
        var error = BrokerError("consume", .preconditionFailed, scope: .channel, text)
        #expect(error.deliveryTimeout == .seconds(1_800))
        #expect(DeliveryTimeout.hint(error).contains("1800000 ms (30m)"))
        error.text = "PRECONDITION_FAILED - delivery acknowledgement timed out"
        #expect(error.deliveryTimeout == nil && DeliveryTimeout.hint(error).contains("--timeout"))
        #expect(DeliveryTimeout.hint(Self.lost).isEmpty)
        error.text = "PRECONDITION_FAILED - inequivalent arg"
        #expect(DeliveryTimeout.hint(error).isEmpty)
    }

    @Test("W16 commands that may outlast the usual delivery timeout are warned about, others are not")
    func warning() throws {
        #expect(DeliveryTimeout.warning(commandTimeout: nil) == nil)
        #expect(DeliveryTimeout.warning(commandTimeout: .seconds(1_800)) == nil)
        let text = try #require(DeliveryTimeout.warning(commandTimeout: .seconds(2_700)))
        #expect(text.contains("45m") && text.contains("30m") && text.contains("consumer_timeout"))
    }
}
