// Tells a service manager such as systemd how the worker is doing, as sd_notify(3) describes it.

import Broker
import Posix

/// What a service manager is told, and when. Pure.
struct ServiceNotices {
    /// The state may change with every task; a service manager needs it no more often than people look.
    private static let statusInterval = Duration.seconds(1)

    /// Half of what the service manager allows between two signs of life; nil when it wants none.
    private let watchdogInterval: Duration?
    private var nextWatchdog: Instant
    private var nextStatus: Instant
    private var isReady = false
    private var isStopping = false
    private var status = ""
    /// When there is something to say although nothing happens.
    private(set) var next: Instant

    init(watchdogTimeout: Duration?, now: Instant) {
        watchdogInterval = watchdogTimeout.map { $0 / 2 }
        nextWatchdog = watchdogInterval.map { now + $0 } ?? .never
        nextStatus = now
        next = nextWatchdog
    }

    /// Says what is due with `send`, which returns false when it must be said again.
    mutating func report(
        _ state: WorkerState.Status, isLeaving: Bool, now: Instant, send: (String) -> Bool
    ) {
        var said = self
        var lines: [String] = []
        if state.isConnected, !isReady, !isLeaving {
            said.isReady = true
            lines.append("READY=1")
        }
        if isLeaving, !isStopping {
            said.isStopping = true
            lines.append("STOPPING=1")
        }
        let text = Self.text(state, isLeaving: isLeaving)
        let isImportant = !lines.isEmpty
        if text != status, isImportant || nextStatus <= now {
            said.status = text
            said.nextStatus = now + Self.statusInterval
            lines.append("STATUS=\(text)")
        }
        if let watchdogInterval, nextWatchdog <= now {
            said.nextWatchdog = now + watchdogInterval
            lines.append("WATCHDOG=1")
        }
        if lines.isEmpty || send(lines.joined(separator: "\n")) {
            self = said
        } else {
            nextStatus = now + Self.statusInterval
        }
        next = min(nextWatchdog, text == status ? .never : nextStatus)
        // What couldn't be said is tried again with the next status, not in a hot loop.
        next = next <= now ? now + Self.statusInterval : next
    }

    private static func text(_ state: WorkerState.Status, isLeaving: Bool) -> String {
        let link = state.isConnected ? "" : "Not connected, "
        let phase = isLeaving ? "leaving, " : state.isPaused ? "paused, " : ""
        let tally = Verdict.allCases.filter { state.tally[$0] > 0 }.map { "\($0.rawValue) \(state.tally[$0])" }
        return link + phase + "\(state.running) running, \(state.waiting) waiting, \(state.held) held back"
            + (tally.isEmpty ? "" : "; " + tally.joined(separator: ", "))
    }
}

/// The way to the service manager that started this process.
package final class ServiceLink {
    private let socket: DatagramSocket
    private var notices: ServiceNotices

    /// What `environment` says of a service manager; nil when it names none.
    package init?(environment: Environment, processID: Int32) {
        guard let path = environment["NOTIFY_SOCKET"], let socket = DatagramSocket(path: path) else { return nil }
        self.socket = socket
        notices = ServiceNotices(watchdogTimeout: Self.watchdogTimeout(environment, processID), now: .now)
    }

    /// The environment variables that belong to this process alone: a command could answer for the worker by them.
    package static let variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    static func watchdogTimeout(_ environment: Environment, _ processID: Int32) -> Duration? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init), microseconds > 0 else { return nil }
        if let owner = environment["WATCHDOG_PID"], owner != String(processID) { return nil }
        return .microseconds(microseconds)
    }

    /// When `report` is due although nothing happens.
    var next: Instant { notices.next }

    func report(_ state: WorkerState) {
        notices.report(state.status, isLeaving: !state.isWorking, now: .now, send: socket.send)
    }
}
