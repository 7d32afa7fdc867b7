// Connects without making the loop wait.

import Posix
import Synchronization

/// A connection, and what belongs to it, that is made on a thread of its own and then handed over to the loop's.
///
/// Looking up a name, connecting, logging in and the first requests take as long as network and broker like, and
/// nothing can interrupt them. Meanwhile the loop serves signals, commands and the heartbeats of its other connection.
package final class Opening<Product>: Sendable {
    private let result = Mutex<Result<Product, BrokerError>?>(nil)
    private let wake: WakePipe

    /// Starts making the product.
    package init(_ make: @escaping @Sendable () throws(BrokerError) -> sending Product) throws(BrokerError) {
        do throws(SystemError) {
            wake = try WakePipe()
        } catch {
            throw Self.outOfResources
        }
        let isStarted = DetachedThread.start {
            // Made under the lock, since the compiler follows a value that can't be shared into it no other way. Nobody
            // waits for the lock.
            self.result.withLock { result in
                do throws(BrokerError) {
                    result = .success(try make())
                } catch {
                    result = .failure(error)
                }
            }
            self.wake.wake()
        }
        guard isStarted else { throw Self.outOfResources }
    }

    /// Readable once `take()` has the product.
    package var descriptor: Int32 { wake.descriptor }

    /// The product or why there is none, once; nil while it is being made.
    package func take() -> sending Result<Product, BrokerError>? {
        let taken = result.withLockIfAvailable { result in
            let taken = result
            result = nil
            return taken
        }
        return taken ?? nil
    }

    private static var outOfResources: BrokerError {
        BrokerError("connect", .outOfResources, scope: .connection, "the system refuses a thread or a pipe")
    }
}
