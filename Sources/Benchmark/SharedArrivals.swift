// The account of arrivals, for several threads.

import Synchronization

/// The account of arrivals that a run's consumers share.
final class SharedArrivals: Sendable {
    private let account: Mutex<ArrivalAccount>

    init(producers: Int) {
        account = Mutex(ArrivalAccount(producers: producers))
    }

    var current: ArrivalAccount { account.withLock { $0 } }

    /// Notes messages by producer and number.
    func note(_ messages: [(producer: Int, sequence: UInt64)]) {
        account.withLock { account in
            for message in messages { account.note(producer: message.producer, sequence: message.sequence) }
        }
    }

    var arrived: Int { account.withLock { $0.arrived } }
}
