// Randomness that can be had again, so that a failing property test fails again.

import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): enough for test data.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64 = TestSeed.first) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension RandomNumberGenerator {
    /// Random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

/// Where the seeds of a run begin.
package enum TestSeed {
    /// What `WORKQ_TEST_SEED` says, else 1. It is printed, so that a run can be repeated.
    package static let first: UInt64 = {
        let text = ProcessInfo.processInfo.environment["WORKQ_TEST_SEED"] ?? ""
        guard let seed = text.isEmpty ? 1 : UInt64(text), seed < 1 << 63 else {
            fatalError("WORKQ_TEST_SEED must be a whole number, not \(text)")
        }
        print("Random tests: WORKQ_TEST_SEED=\(seed) repeats them")
        return seed
    }()
}

/// Seeds for a test that runs with many.
package func seeds(_ count: UInt64) -> ClosedRange<UInt64> { TestSeed.first...TestSeed.first + count - 1 }

extension Array {
    /// An element; the array must have one.
    package func pick(_ generator: inout SeededGenerator) -> Element {
        self[Int.random(in: indices, using: &generator)]
    }
}

extension SeededGenerator {
    /// UTF-8 with quotes, backslashes, control characters and characters of two to four bytes.
    package mutating func text() -> [UInt8] {
        let characters = ["\"", "\\", "/", "\n", "\r\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "\u{2028}", "日", "🙂", "a"]
        return (0..<Int.random(in: 0...12, using: &self)).flatMap { _ in Array(characters.pick(&self).utf8) }
    }
}
