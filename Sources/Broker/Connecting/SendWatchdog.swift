// Bounds the time that librabbitmq may spend sending to a peer that doesn't read.

import Posix
import Synchronization

/// A thread that shuts a socket down when a send takes too long.
///
/// `amqp_basic_publish` to a silent peer can wait for ever (rabbitmq-c #780): no heartbeat and no RPC timeout bounds it.
/// TCP_USER_TIMEOUT bounds a peer that is gone, but not one that takes a byte now and then. `shutdown(2)` is the only
/// thing that may be done to a connection from another thread; it is done on a duplicate of the descriptor, which can't
/// come to mean another file when the library closes its own.
final class SendWatchdog: Sendable {
    private let socket: Int32
    /// `Instant.nanoseconds` by which the send under way must be done; `.max` when there is none.
    private let deadline = Atomic<Int64>(.max)
    private let isStopped = Atomic<Bool>(false)
    private let hasFired = Atomic<Bool>(false)

    /// How late the watchdog may notice.
    private static let interval: UInt32 = 250_000

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
        deadline.store(limit.nanoseconds, ordering: .relaxed)
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
        while !isStopped.load(ordering: .relaxed) {
            if Instant.now.nanoseconds > deadline.load(ordering: .relaxed) {
                hasFired.store(true, ordering: .relaxed)
                shutdown(socket, Int32(SHUT_RDWR))
            }
            usleep(Self.interval)
        }
    }
}
