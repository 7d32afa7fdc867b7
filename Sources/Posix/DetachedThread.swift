// Work that would keep the loop waiting, on a thread of its own.

/// A thread that nobody waits for. It takes no signals.
package enum DetachedThread {
    /// librabbitmq decodes nested header tables recursively, and any publisher can send 128 KiB of them: they overrun
    /// the stack of a thread that has the usual few MiB, or less under `ulimit -s`.
    package static let stackSize = 16 << 20

    /// Runs `body` on a thread; false when the system refuses one.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let errand = Unmanaged.passRetained(Errand(body))
        let isStarted = workq_start_thread(
            stackSize,
            { context in
                guard let context else { return }
                // The reference that was retained for this thread.
                Unmanaged<Errand>.fromOpaque(context).takeRetainedValue().body()
            }, errand.toOpaque())
        if !isStarted { errand.release() }
        return isStarted
    }

    private final class Errand: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}
