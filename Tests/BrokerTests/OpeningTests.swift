// Connections that are made on another thread.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@Suite("Opening") struct OpeningTests {
    private func wait(for opening: Opening<[Int]>) -> Result<[Int], BrokerError>? {
        var pollSet = PollSet()
        pollSet.add(opening.descriptor, events: POLLIN)
        pollSet.wait(timeout: 20_000)
        return opening.take()
    }

    @Test("a product is handed over once, and its descriptor tells when")
    func success() throws {
        let opening = try Opening { [1, 2] }
        #expect(try wait(for: opening)?.get() == [1, 2])
        #expect(opening.take() == nil)
    }

    @Test("a failure is handed over, and taking too early gives nothing and waits for nothing")
    func failure() throws {
        let mayFail = Locked(false)
        let error = BrokerError("connect", .unreachable, scope: .connection, "refused")
        let opening = try Opening { () throws(BrokerError) -> [Int] in
            while !mayFail.with({ $0 }) { usleep(1_000) }
            throw error
        }
        #expect(opening.take() == nil)
        mayFail.with { $0 = true }
        #expect(wait(for: opening) == .failure(error))
    }
}
