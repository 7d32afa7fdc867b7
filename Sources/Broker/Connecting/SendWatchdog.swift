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
    /// `Instant.nanoseconds` by which the send under way must be done; `.max` when there is none.
    private let deadline = Atomic<Int64>(.max)
    private let isStopped = Atomic<Bool>(false)
    private let hasFired = Atomic<Bool>(false)

    /// How long a send may take that gets on, in nanoseconds; 0 when getting on counts for nothing.
    private let patience = Atomic<Int64>(0)

    /// How late the watchdog may notice.
    private static let interval: UInt32 = 250_000
    /// So much must get through within the time that a send has: a large message over a slow line is fine, a peer that
    /// takes a byte now and then isn't.
    private static let leastProgress: Int64 = 16_384

    /// Starts watching; nil when the system refuses a descriptor or a thread.
    init?(socket descriptor: Int32) {
        socket = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard socket >= 0 else { return nil }
        guard DetachedThread.start({ self.run() }) else { return nil }
    }

    deinit {
        if socket >= 0 { close(socket) }
    }

    /// Whether a send was cut short.
    var firedOnce: Bool { hasFired.load(ordering: .relaxed) }

    /// Shuts the socket down unless `disarm` comes before `limit`.
    func arm(until limit: Instant) {
        patience.store(0, ordering: .relaxed)
        deadline.store(limit.nanoseconds, ordering: .relaxed)
    }

    /// Ends a send that doesn't get on for so long.
    func arm(for time: Duration) {
        patience.store(time.nanoseconds, ordering: .relaxed)
        deadline.store((Instant.now + time).nanoseconds, ordering: .relaxed)
    }

    func disarm() {
        deadline.store(.max, ordering: .relaxed)
    }

    /// Ends the connection and, soon, the thread. The duplicate would otherwise keep the connection open until then.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private func run() {
        var acknowledged: Int64 = 0
        while !isStopped.load(ordering: .relaxed) {
            let limit = deadline.load(ordering: .relaxed)
            let progress = limit == .max ? 0 : workq_acknowledged_bytes(socket)
            if progress - acknowledged >= Self.leastProgress, patience.load(ordering: .relaxed) > 0 {
                acknowledged = progress
                let longer = Instant.now + .nanoseconds(patience.load(ordering: .relaxed))
                _ = deadline.compareExchange(expected: limit, desired: longer.nanoseconds, ordering: .relaxed)
            } else if Instant.now.nanoseconds > limit {
                hasFired.store(true, ordering: .relaxed)
                // What the broker has said can still be read: it may be the reason.
                shutdown(socket, Int32(SHUT_WR))
            }
            usleep(Self.interval)
        }
    }
}
