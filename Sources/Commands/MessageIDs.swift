// Fresh message ids, by which workers can recognise a duplicate.

import Broker

/// Random UUIDs (version 4, RFC 9562). The system is asked for many random bytes at once: one call a message would cost
/// as much as sending it.
struct MessageIDs {
    private static let batch = 128

    private var random: ArraySlice<UInt64> = []

    /// The next id, 36 characters.
    mutating func next() -> ShortString {
        if random.count < 2 {
            var generator = SystemRandomNumberGenerator()
            random = (0..<Self.batch).map { _ in generator.next() }[...]
        }
        let high = random.removeFirst() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.removeFirst() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return ShortString(bytes: Self.text(high, low))
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            text.append(digits[Int(word >> UInt64(60 - index % 16 * 4) & 0xF)])
        }
        return text
    }
}
