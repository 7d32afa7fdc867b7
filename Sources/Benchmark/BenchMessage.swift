// The number that every message of a bench carries.

import Broker
import Posix

/// What stands at the start of a message's body: who sent it, its number, and when it was meant to be sent.
package struct BenchMessage: Equatable {
    /// Bytes at the start of the body; the rest is filling.
    package static let size = 24

    /// Tells this run's messages from whatever else may come to its queue.
    var runID: UInt32
    /// From 0.
    var producer: UInt32
    /// From 1, without gaps.
    var sequence: UInt64
    /// On this machine's clock: only the process that sent it can read it.
    var intended: Instant

    init(runID: UInt32, producer: UInt32, sequence: UInt64, intended: Instant) {
        self.runID = runID
        self.producer = producer
        self.sequence = sequence
        self.intended = intended
    }

    /// Reads the start of a body; nil for one that isn't of the run `runID`.
    init?(_ body: [UInt8], runID: UInt32) {
        guard body.count >= Self.size else { return nil }
        self = body.withUnsafeBytes { bytes in
            BenchMessage(
                runID: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self),
                producer: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                sequence: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                intended: Instant(nanoseconds: bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)))
        }
        guard self.runID == runID else { return nil }
    }

    /// Writes itself over the start of `body`, which has at least `size` bytes.
    func write(to body: inout [UInt8]) {
        body.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: runID, toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: producer, toByteOffset: 4, as: UInt32.self)
            bytes.storeBytes(of: sequence, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: intended.nanoseconds, toByteOffset: 16, as: Int64.self)
        }
    }
}
