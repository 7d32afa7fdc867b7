// Asks without making the caller wait.

import Broker
import Posix
import Synchronization

/// An answer that is on its way, on a thread of its own.
package final class PendingQueues: Sendable {
    private typealias Answer = Result<[QueueRecord], ManagementError>

    private let answer = Mutex<Answer?>(nil)
    private let wake: WakePipe

    /// Starts asking.
    init(
        _ operation: String, _ ask: @escaping @Sendable () throws(ManagementError) -> [QueueRecord]
    ) throws(ManagementError) {
        do throws(SystemError) {
            wake = try WakePipe()
        } catch {
            throw Self.outOfResources(operation)
        }
        let isStarted = DetachedThread.start {
            let answer: Answer
            do throws(ManagementError) {
                answer = .success(try ask())
            } catch {
                answer = .failure(error)
            }
            self.answer.withLock { $0 = answer }
            self.wake.wake()
        }
        guard isStarted else { throw Self.outOfResources(operation) }
    }

    /// Readable once `result()` doesn't wait any more.
    package var descriptor: Int32 { wake.descriptor }

    /// Waits for the answer.
    package func result() throws(ManagementError) -> [QueueRecord] {
        while true {
            if let answer = answer.withLock({ $0 }) { return try answer.get() }
            var pollSet = PollSet()
            pollSet.add(wake.descriptor, events: POLLIN)
            pollSet.wait(timeout: -1)
        }
    }

    private static func outOfResources(_ operation: String) -> ManagementError {
        ManagementError(operation, .outOfResources, "the system refuses a thread or a pipe")
    }
}
