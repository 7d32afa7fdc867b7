// What `publish` says in the end, in words and as a number: the status one can trust.

import Broker
import Posix
import Publisher
import Testing

@testable import Commands

@Suite("Publish report") struct PublishReportTests {
    private static var lost: BrokerError {
        BrokerError("read from amqp://h:5672", .connectionLost, scope: .connection, "the connection was lost")
    }

    private static var refusal: BrokerError { BrokerError("publish", .accessRefused, scope: .channel, "no") }

    private static func report(_ trouble: Trouble, _ tally: Tally = Tally()) -> PublishReport {
        var report = PublishReport()
        report.note(.publishing(trouble))
        report.tally = tally
        return report
    }

    private static func message(_ report: PublishReport, isStream: Bool = false) -> String? {
        report.message(destination: "queue \"q\"", isStream: isStream)
    }

    @Test("nothing failed: status 0 and not a word, also when there was nothing to do")
    func silent() {
        var report = PublishReport()
        #expect(report.status == .done && Self.message(report, isStream: true) == nil)
        report.tally.confirmed = 1
        #expect(report.status == .done && Self.message(report) == nil)
    }

    @Test("with nothing confirmed and nothing unknown the status is that of the trouble")
    func statuses() {
        let statuses: [(Trouble, ExitStatus)] = [
            (.refused(.returned(text: "NO_ROUTE")), .refused), (.refused(.nacked), .temporaryFailure),
            (.silent(.seconds(1)), .temporaryFailure), (.blocked(reason: "x", .seconds(1)), .temporaryFailure),
            (.lost(Self.lost), .unavailable), (.late(Self.lost), .temporaryFailure),
            (.input(.unreadable(EIO)), .noInput), (.input(.tooLong(limit: 1)), .refused),
            (.input(.malformed(line: 3, reason: "no")), .refused),
            (.gaveUp(Self.lost, after: .seconds(1)), .temporaryFailure), (.interrupted(2), .signal(2)),
            (.interrupted(15), ExitStatus(rawValue: 143)), (.lost(Self.refusal), .noPermission),
            (.refused(.destination(Self.refusal)), .noPermission), (.output(SystemError(ENOSPC)), .inputOutputError),
            (.output(SystemError(EPIPE)), .signal(SIGPIPE)),
        ]
        for (trouble, status) in statuses {
            #expect(Self.report(trouble).status == status, "\(trouble)")
        }
    }

    @Test("where the outcome is unknown, trying again isn't safe, and the status is one of its own")
    func unknown() {
        let unknown = Tally(unknown: 1, firstFailed: 1)
        let outages: [Trouble] = [
            .silent(.seconds(1)), .blocked(reason: "x", .seconds(1)), .lost(Self.lost), .late(Self.lost),
            .gaveUp(Self.lost, after: .seconds(1)),
        ]
        for trouble in outages { #expect(Self.report(trouble, unknown).status == .unknownOutcome, "\(trouble)") }
        #expect(Self.report(.interrupted(2), unknown).status == .signal(2))
        #expect(Self.report(.refused(.destination(Self.refusal)), unknown).status == .noPermission)
        #expect(ExitStatus.unknownOutcome.rawValue == 76)
    }

    @Test("N1 with some confirmed the status is 3, whatever the trouble, except for a signal or the output")
    func partly() {
        let troubles: [Trouble] = [
            .refused(.returned(text: "x")), .refused(.nacked), .silent(.seconds(1)), .lost(Self.lost),
            .input(.unreadable(EIO)), .input(.tooLong(limit: 1)), .gaveUp(Self.lost, after: .seconds(1)),
        ]
        for trouble in troubles { #expect(Self.report(trouble, Tally(confirmed: 1)).status == .partlyDone) }
        #expect(Self.report(.lost(Self.lost), Tally(sent: 1, unknown: 1)).status == .partlyDone)
        #expect(Self.report(.interrupted(2), Tally(confirmed: 1)).status == .signal(2))
        #expect(Self.report(.output(SystemError(EPIPE)), Tally(confirmed: 1)).status == .signal(SIGPIPE))
    }

    @Test("the first problem counts, the lowest number is the first failed")
    func first() {
        var report = PublishReport()
        report.note(.publishing(.refused(.nacked)), 7)
        report.note(.failed(CommandError(.cannotCreate, "no")), 5)
        report.note(.publishing(.lost(Self.lost)), 9)
        #expect(report.problem == .publishing(.refused(.nacked)) && report.tally.firstFailed == 5)
    }

    @Test("N1, M8, M9 a stream's message counts each outcome and names the first task not confirmed")
    func streamMessage() {
        let report = Self.report(
            .refused(.nacked), Tally(confirmed: 3, returned: 1, nacked: 1, unknown: 2, firstFailed: 4))
        #expect(
            Self.message(report, isStream: true)
                == "not all tasks were confirmed on queue \"q\": \(BrokerError.nackText). "
                + "3 confirmed, 1 returned, 1 refused, 2 unknown (the broker may have them); the first one not confirmed is task 4"
        )
    }

    @Test("counts that are nought aren't mentioned, and neither is a first task that nobody knows")
    func shortStreamMessage() {
        #expect(
            Self.message(Self.report(.input(.unreadable(EIO))), isStream: true)
                == "not all tasks were confirmed on queue \"q\": cannot read standard input: input/output error. 0 confirmed"
        )
        #expect(
            Self.message(Self.report(.lost(Self.lost), Tally(sent: 2)), isStream: true)?.hasSuffix(" 2 sent") == true)
    }

    @Test("N5 a single task's message says when the outcome is unknown")
    func singleMessage() {
        #expect(
            Self.message(Self.report(.silent(.seconds(30)), Tally(unknown: 1, firstFailed: 1)))
                == "task not confirmed on queue \"q\": no confirm in 30s. The outcome is unknown: the broker may have the task"
        )
        #expect(Self.message(Self.report(.refused(.nacked)))?.contains("unknown") == false)
    }

    @Test("every trouble has words of its own, with the broker's text where there is one")
    func words() {
        func message(_ trouble: Trouble) -> String { Self.message(Self.report(trouble)) ?? "" }
        #expect(message(.refused(.returned(text: "NO_ROUTE"))).contains("unroutable (NO_ROUTE)"))
        #expect(message(.input(.tooLong(limit: 5))).contains("longer than 5 bytes"))
        #expect(message(.interrupted(2)).contains("interrupted"))
        #expect(message(.lost(Self.lost)).contains(CommandError(Self.lost).message))
        #expect(message(.blocked(reason: "no memory", .seconds(3))).contains("(no memory), and no confirm in 3s"))
        #expect(message(.gaveUp(Self.lost, after: .seconds(3))).contains("the connection was lost; gave up after 3s"))
    }

    @Test("P7 where only printing ids failed, the words are about the output, and a reader that left gets none")
    func output() {
        let full = Self.report(.output(SystemError(ENOSPC)), Tally(confirmed: 1))
        #expect(
            Self.message(full) == "cannot write message ids to standard output: no space left on device; "
                + "the task is confirmed on queue \"q\"")
        #expect(
            Self.message(full, isStream: true)?.hasSuffix("all tasks that were read, 1, are confirmed on queue \"q\"")
                == true)
        #expect(Self.message(Self.report(.output(SystemError(EPIPE)), Tally(confirmed: 1))) == nil)
        let stopped = Self.report(.output(SystemError(ENOSPC)), Tally(confirmed: 1, firstFailed: 2))
        #expect(Self.message(stopped, isStream: true)?.contains("not all tasks were confirmed") == true)
    }

    @Test("what the spool takes is no trouble any more, and what it doesn't take is")
    func kept() {
        var report = Self.report(.lost(Self.lost), Tally(unknown: 2, firstFailed: 1))
        #expect(report.isOutage)
        report.keep(2, unkept: [], nil)
        #expect(report.status == .done && report.spooled == 2 && report.tally.unknown == 0)
        report.keep(2, unkept: [], .publishing(.input(.malformed(line: 3, reason: "no"))))
        #expect(report.status == .partlyDone)
        #expect(Self.message(report, isStream: true)?.contains("2 kept in the spool") == true)
    }

    @Test("an outage is what lasts for a while: not a refusal, and not a wrong password")
    func outage() {
        let outages: [Trouble] = [
            .silent(.seconds(1)), .blocked(reason: "x", .seconds(1)), .late(Self.lost),
            .gaveUp(Self.lost, after: .seconds(1)), .lost(Self.lost),
        ]
        for trouble in outages { #expect(Self.report(trouble).isOutage) }
        let others: [Trouble] = [
            .refused(.nacked), .refused(.returned(text: "x")), .interrupted(2), .input(.unreadable(EIO)),
            .lost(BrokerError("connect", .accessRefused, scope: .connection, "no")), .output(SystemError(EPIPE)),
        ]
        for trouble in others { #expect(!Self.report(trouble).isOutage) }
    }
}
