// Message ids, by which workers can recognise a duplicate.

import Broker
import Posix

/// What a task is known by.
package enum MessageID: Equatable {
    /// A UUID, which becomes text only on its way out: many tasks wait for their confirm at a time.
    case generated(high: UInt64, low: UInt64)
    case given(ShortString)

    /// The id as text.
    package var text: ShortString { withBytes { ShortString(bytes: Array($0)) } }

    /// Runs `body` with the id's text.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self {
        case .given(let text):
            // Through a Result, since the array's method forgets which errors there are.
            return try text.bytes.withUnsafeBytes { bytes in
                Swift.Result { () throws(Failure) in try body(bytes) }
            }.get()
        case .generated(let high, let low):
            // Room for 36 characters that lives until `body` returns.
            var room = (UInt64(), UInt64(), UInt64(), UInt64(), UInt64())
            return try withUnsafeMutableBytes(of: &room) { room throws(Failure) in
                Self.write(high, low, to: room)
                return try body(UnsafeRawBufferPointer(rebasing: room[..<36]))
            }
        }
    }

    /// Writes 8-4-4-4-12 digits.
    private static func write(_ high: UInt64, _ low: UInt64, to text: UnsafeMutableRawBufferPointer) {
        func put(_ digits: UInt64, at position: Int) {
            text.storeBytes(of: digits, toByteOffset: position, as: UInt64.self)
        }
        // The groups of four first: each is followed by what belongs behind its hyphen.
        let (second, third) = (digits(UInt32(truncatingIfNeeded: high)), digits(UInt32(truncatingIfNeeded: low >> 32)))
        put(digits(UInt32(truncatingIfNeeded: high >> 32)), at: 0)
        put(second, at: 9)
        put(second >> 32, at: 14)
        put(third, at: 19)
        put(third >> 32, at: 24)
        put(digits(UInt32(truncatingIfNeeded: low)), at: 28)
        for position in [8, 13, 18, 23] { text[position] = UInt8(ascii: "-") }
    }

    /// Eight hexadecimal digits, the first one in the lowest byte.
    private static func digits(_ number: UInt32) -> UInt64 {
        // Each digit's four bits get a byte of their own.
        var value = UInt64(number.byteSwapped)
        value = (value | value << 16) & 0x0000_FFFF_0000_FFFF
        value = (value | value << 8) & 0x00FF_00FF_00FF_00FF
        value = (value & 0x000F_000F_000F_000F) << 8 | value >> 4 & 0x000F_000F_000F_000F
        let isLetter = (value + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return value + 0x3030_3030_3030_3030 + isLetter * 0x27
    }
}

/// Random UUIDs (version 4, RFC 9562). The system is asked for many random bytes at once: a call a message, or two as
/// `SystemRandomNumberGenerator` makes, cost as much as sending it.
package struct MessageIDs {
    /// getentropy(3) gives no more than 256 bytes.
    private static let batch = 256 / MemoryLayout<UInt64>.size

    private var random: [UInt64] = []

    package init() {}

    /// The next id, 36 characters.
    package mutating func next() -> MessageID {
        if random.count < 2 { refill() }
        return .generated(
            high: random.removeLast() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: random.removeLast() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    private mutating func refill() {
        random = Array(repeating: 0, count: Self.batch)
        let failure = random.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { getentropy($0, bytes.count) } ?? -1
        }
        guard failure != 0 else { return }
        var generator = SystemRandomNumberGenerator()
        for index in random.indices { random[index] = generator.next() }
    }
}
