// What a service manager is told, and when.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@testable import Worker

@Suite("Service notices") struct ServiceNoticesTests {
    private struct Telling {
        private var notices: ServiceNotices
        private var now = Instant(nanoseconds: 0)
        var hasRoom = true

        init(watchdog: Duration? = nil) {
            notices = ServiceNotices(watchdogTimeout: watchdog, now: Instant(nanoseconds: 0))
        }

        /// What is said about a worker in this state, some time later; nil when nothing is.
        mutating func tell(
            _ running: Int, connected: Bool = true, leaving: Bool = false, after pause: Duration = .zero
        ) -> String? {
            now = now + pause
            var said: String?
            let state = WorkerState.Status(
                isConnected: connected, isPaused: false, waiting: 0, running: running, held: 0,
                tally: WorkerState.Tally())
            notices.report(state, isLeaving: leaving, now: now) { text in
                said = text
                return hasRoom
            }
            return said
        }

        var wait: Duration? { notices.next == .never ? nil : notices.next - now }
    }

    private static func status(_ running: Int) -> String { "STATUS=\(running) running, 0 waiting, 0 held back" }

    @Test("a worker is ready once it consumes, says what it is doing once a second at most, and that it is leaving")
    func life() {
        var worker = Telling()
        #expect(worker.tell(0, connected: false) == "STATUS=Not connected, 0 running, 0 waiting, 0 held back")
        #expect(worker.tell(0) == "READY=1\n" + Self.status(0))
        #expect(worker.wait == nil)
        #expect(worker.tell(1, after: .milliseconds(100)) == nil)
        #expect(worker.wait == .milliseconds(900))
        #expect(worker.tell(2, after: .milliseconds(900)) == Self.status(2))
        #expect(worker.tell(2, after: .seconds(60)) == nil)
        #expect(worker.wait == nil)
        #expect(worker.tell(2, leaving: true) == "STOPPING=1\nSTATUS=leaving, 2 running, 0 waiting, 0 held back")
        #expect(worker.tell(2, leaving: true) == nil)
    }

    @Test("the watchdog hears of a worker twice as often as it wants to")
    func watchdog() {
        var worker = Telling(watchdog: .seconds(10))
        #expect(worker.tell(0)?.contains("WATCHDOG") == false)
        #expect(worker.wait == .seconds(5))
        #expect(worker.tell(0, after: .seconds(5)) == "WATCHDOG=1")
        #expect(worker.tell(0, after: .seconds(4)) == nil)
        #expect(worker.wait == .seconds(1))
        #expect(worker.tell(0, after: .seconds(9)) == "WATCHDOG=1")
        #expect(worker.wait == .seconds(5))
    }

    @Test("what finds no room is said again later, and not in a hot loop")
    func noRoom() {
        var worker = Telling(watchdog: .milliseconds(10))
        worker.hasRoom = false
        #expect(worker.tell(0) != nil)
        #expect(worker.tell(0, after: .milliseconds(20)) != nil)
        #expect((worker.wait ?? .zero) > .zero)
        worker.hasRoom = true
        #expect(worker.tell(0, after: .seconds(1)) == "READY=1\n" + Self.status(0) + "\nWATCHDOG=1")
    }

    @Test("the watchdog's time counts only for the process that it is meant for")
    func environment() {
        #expect(ServiceLink.watchdogTimeout(Environment(["WATCHDOG_USEC": "2000000"]), 17) == .seconds(2))
        let owned = Environment(["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "17"])
        #expect(ServiceLink.watchdogTimeout(owned, 17) == .seconds(2))
        #expect(ServiceLink.watchdogTimeout(owned, 18) == nil)
        for text in ["", "0", "-1", "x", "99999999999999999999"] {
            #expect(ServiceLink.watchdogTimeout(Environment(["WATCHDOG_USEC": text]), 17) == nil)
        }
        #expect(ServiceLink(environment: Environment(), processID: 17) == nil)
        for path in ["", "/", "@", "relative", "vsock:2:1", "/" + String(repeating: "x", count: 108)] {
            #expect(ServiceLink(environment: Environment(["NOTIFY_SOCKET": path]), processID: 17) == nil)
        }
    }
}
