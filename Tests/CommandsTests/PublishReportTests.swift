// What `publish` says in the end, in words and as a number: every task counted once, the status one can trust.

import Broker
import Foundation
import Testing

@testable import Commands

@Suite("Publish report") struct PublishReportTests {
    private static var lost: BrokerError {
        BrokerError("read from amqp://h:5672", .connectionLost, scope: .connection, "the connection was lost")
    }

    private static func report(_ trouble: PublishReport.Trouble, confirmed: Int = 0) -> PublishReport {
        var report = PublishReport()
        for _ in 0..<confirmed { report.confirm() }
        report.note(trouble)
        return report
    }

    @Test("nothing failed: status 0 and not a word, also when there was nothing to do")
    func silent() {
        var report = PublishReport()
        #expect(report.status() == .done)
        #expect(report.message(destination: "queue \"q\"", isStream: true) == nil)
        report.confirm()
        #expect(report.status() == .done)
        #expect(!report.hasTrouble)
        #expect(report.message(destination: "queue \"q\"", isStream: false) == nil)
    }

    @Test("with nothing confirmed the status is that of the trouble")
    func statuses() {
        let statuses: [(PublishReport.Trouble, ExitStatus)] = [
            (.returned(text: "NO_ROUTE"), .refused), (.nacked, .temporaryFailure),
            (.timedOut("no confirm"), .temporaryFailure),
            (.broker(Self.lost), .unavailable), (.input(.unreadable(EIO)), .noInput),
            (.input(.tooLong(limit: 1)), .refused), (.input(.malformed(line: 3, reason: "no")), .refused),
            (.gaveUp(Self.lost), .temporaryFailure), (.failed(CommandError(.cannotCreate, "no")), .cannotCreate),
            (.interrupted(2), .signal(2)), (.interrupted(15), ExitStatus(rawValue: 143)),
            (.broker(BrokerError("publish", .accessRefused, scope: .channel, "no")), .noPermission),
        ]
        for (trouble, status) in statuses {
            #expect(Self.report(trouble).status() == status)
        }
    }

    @Test("N1 with some confirmed the status is 3, whatever the trouble, except for a signal")
    func partly() {
        let troubles: [PublishReport.Trouble] = [
            .returned(text: "x"), .nacked, .timedOut("x"), .broker(Self.lost), .input(.unreadable(EIO)),
            .input(.tooLong(limit: 1)), .gaveUp(Self.lost),
        ]
        for trouble in troubles { #expect(Self.report(trouble, confirmed: 1).status() == .partlyDone) }
        #expect(Self.report(.interrupted(2), confirmed: 1).status() == .signal(2))
    }

    @Test("the first trouble counts, the lowest number is the first failed")
    func first() {
        var report = PublishReport()
        report.failNacked(7)
        report.failReturned(5, text: "NO_ROUTE")
        report.note(.broker(Self.lost))
        report.stop(before: 9)
        report.leaveUnknown([6, 8])
        #expect(report.trouble == .nacked)
        #expect(report.status() == .temporaryFailure)
        #expect(report.firstFailed == 5)
        report.stop(before: 4)
        #expect(report.firstFailed == 4)
        report.leaveUnknown([])
        #expect(report.firstFailed == 4)
    }

    @Test("N1, M8, M9 a stream's message counts each outcome and names the first task not confirmed")
    func streamMessage() {
        var report = PublishReport()
        for _ in 0..<3 { report.confirm() }
        report.failNacked(4)
        report.failReturned(5, text: "NO_ROUTE")
        report.leaveUnknown([6, 7])
        #expect(
            report.message(destination: "queue \"q\"", isStream: true)
                == "not all tasks were confirmed on queue \"q\": \(PublishReport.nackText). "
                + "3 confirmed, 1 returned, 1 refused, 2 unknown (the broker may have them); the first one not confirmed is task 4"
        )
    }

    @Test("counts that are nought aren't mentioned, and neither is a first task that nobody knows")
    func shortStreamMessage() {
        let message = Self.report(.input(.unreadable(EIO))).message(
            destination: "queue \"q\"", isStream: true)
        #expect(
            message
                == "not all tasks were confirmed on queue \"q\": cannot read standard input: input/output error. 0 confirmed"
        )
    }

    @Test("N5 a single task's message says when the outcome is unknown")
    func singleMessage() {
        var report = Self.report(.timedOut("no confirm in 30s"))
        report.leaveUnknown([1])
        #expect(
            report.message(destination: "queue \"q\"", isStream: false)
                == "task not confirmed on queue \"q\": no confirm in 30s. The outcome is unknown: the broker may have the task"
        )
        #expect(
            Self.report(.nacked).message(destination: "queue \"q\"", isStream: false)?.contains("unknown") == false)
    }

    @Test("every trouble has words of its own, with the broker's text where there is one")
    func words() {
        func message(_ trouble: PublishReport.Trouble) -> String {
            Self.report(trouble).message(destination: "queue \"q\"", isStream: false) ?? ""
        }
        #expect(message(.returned(text: "NO_ROUTE")).contains("unroutable (NO_ROUTE)"))
        #expect(message(.input(.tooLong(limit: 5))).contains("longer than 5 bytes"))
        #expect(message(.interrupted(2)).contains("interrupted"))
        #expect(message(.broker(Self.lost)).contains(CommandError(Self.lost).message))
    }

    @Test("what the spool takes is no trouble any more, and what it doesn't take is")
    func kept() {
        var report = Self.report(.broker(Self.lost))
        report.leaveUnknown([1, 2])
        #expect(report.isOutage)
        report.beginKeeping()
        report.endKeeping(2, unkept: [])
        #expect(report.status() == .done && report.spooled == 2 && report.unknown == 0)
        report.note(.input(.malformed(line: 3, reason: "no")), 3)
        #expect(report.status() == .partlyDone)
        #expect(report.message(destination: "queue \"q\"", isStream: true)?.contains("2 kept in the spool") == true)
    }

    @Test("an outage is what lasts for a while: not a refusal, and not a wrong password")
    func outage() {
        let outages: [PublishReport.Trouble] = [.timedOut("x"), .gaveUp(Self.lost), .broker(Self.lost)]
        for trouble in outages { #expect(Self.report(trouble).isOutage) }
        let others: [PublishReport.Trouble] = [
            .nacked, .returned(text: "x"), .interrupted(2), .input(.unreadable(EIO)),
            .broker(BrokerError("connect", .accessRefused, scope: .connection, "no")),
        ]
        for trouble in others { #expect(!Self.report(trouble).isOutage) }
    }

    @Test("what is sent without confirms counts once the broker has worked it off, and is unknown if it never does")
    func withoutConfirms() {
        var report = PublishReport()
        report.isConfirming = false
        for _ in 0..<3 { report.assume() }
        #expect(report.confirmed == 0)
        report.unassume()
        report.failReturned(nil, text: "NO_ROUTE")
        #expect(report.status() == .refused)
        var lost = report
        report.confirmAssumed()
        #expect(report.confirmed == 2 && report.unknown == 0 && report.status() == .partlyDone)
        #expect(
            report.message(destination: "queue \"q\"", isStream: true)?.hasSuffix(" 2 sent, 1 returned") == true)
        lost.abandonAssumed()
        #expect(lost.confirmed == 0 && lost.unknown == 2 && lost.status() == .refused)
    }
}
