// Bounds the time that librabbitmq may spend sending to a peer that doesn't read.

import Posix
import Synchronization

/// A thread that shuts a socket down when a send gets on too slowly.
///
/// `amqp_basic_publish` to a silent peer can wait for ever (rabbitmq-c #780): no heartbeat and no RPC timeout bounds
/// it. TCP_USER_TIMEOUT bounds a peer that is gone, but not one that takes a byte now and then. `shutdown(2)` is the
/// only thing that may be done to a connection from another thread; it is done on a duplicate of the descriptor, which
/// can't come to mean another file when the library closes its own.
final class SendWatchdog: Sendable {
    private let socket: Int32
    /// How long a send may take that doesn't get on.
    private let patience: Duration
    /// How many sends have begun and ended: odd while one is under way.
    private let sends = Atomic<Int>(0)
    /// `Instant.nanoseconds` by which what is under way must be done whether it gets on or not; `.max` for never.
    private let deadline = Atomic<Int64>(.max)
    private let isStopped = Atomic<Bool>(false)
    private let hasFired = Atomic<Bool>(false)

    /// How late the watchdog may notice.
    private static let interval: UInt32 = 250_000
    /// So much must get through within the time that a send has: a large message over a slow line is fine, a peer that
    /// takes a byte now and then isn't.
    private static let leastProgress: Int64 = 16_384

    /// Starts watching; nil when the system refuses a descriptor or a thread.
    init?(socket descriptor: Int32, patience: Duration) {
        self.patience = patience
        socket = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard socket >= 0 else { return nil }
        guard DetachedThread.start({ self.watch() }) else { return nil }
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    /// Whether a send was cut short.
    var firedOnce: Bool { hasFired.load(ordering: .relaxed) }

    /// Shuts the socket down unless what `body` does is done by `limit`.
    func run(until limit: Instant, _ body: () -> Void) {
        deadline.store(limit.nanoseconds, ordering: .relaxed)
        body()
        deadline.store(.max, ordering: .relaxed)
    }

    /// A send begins, or ends. The clock is left to the watching thread: reading it here would take a twentieth of
    /// publishing.
    func note() {
        sends.store(sends.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Ends the connection and, soon, the thread. The duplicate would otherwise keep the connection open until then.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func watch() {
        var (lastSends, lastProgress) = (0, Int64(0))
        var end = Instant.never
        while !isStopped.load(ordering: .relaxed) {
            let now = Instant.now
            let sends = sends.load(ordering: .relaxed)
            if sends % 2 == 0 {
                end = .never
            } else {
                let progress = workq_acknowledged_bytes(socket)
                if sends != lastSends || progress - lastProgress >= Self.leastProgress {
                    end = now + patience
                    lastProgress = progress
                }
            }
            lastSends = sends
            if now.nanoseconds > min(end.nanoseconds, deadline.load(ordering: .relaxed)) {
                hasFired.store(true, ordering: .relaxed)
                // What the broker has said can still be read: it may be the reason.
                shutdown(socket, Int32(SHUT_WR))
            }
            usleep(Self.interval)
        }
    }
}
