// Environment variables in the form that execve wants, without an allocation for each.

/// `NAME=value` strings, each ended by NUL, one behind the other.
package struct EnvironmentBlock: Equatable {
    private var bytes: [UInt8] = []
    private var starts: [Int] = []
    /// How many of the variables, the first ones, a command can't do without.
    private var requiredCount = 0

    package init() {
        bytes.reserveCapacity(512)
        starts.reserveCapacity(16)
    }

    /// Adds a variable. NUL in the value, which no variable can hold, is left out, and what is longer than `limit` is
    /// cut.
    mutating func add(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>, limit: Int = .max) {
        starts.append(bytes.count)
        bytes.append(contentsOf: name)
        bytes.append(UInt8(ascii: "="))
        let end = limit == .max ? limit : bytes.count + limit
        for byte in value where byte != 0 {
            guard bytes.count < end else { break }
            bytes.append(byte)
        }
        bytes.append(0)
    }

    /// How many bytes the last variable has, without its NUL.
    var lastCount: Int { starts.last.map { bytes.count - $0 - 1 } ?? 0 }

    mutating func removeLast() {
        guard let start = starts.popLast() else { return }
        bytes.removeSubrange(start...)
    }

    /// What is added from here on can be done without.
    mutating func endRequired() {
        requiredCount = starts.count
    }

    /// The block without what can be done without; nil when there is nothing to leave out.
    var required: EnvironmentBlock? {
        guard requiredCount < starts.count else { return nil }
        var block = self
        while block.starts.count > requiredCount { block.removeLast() }
        return block
    }

    /// Runs `body` with pointers to the strings, good until it returns.
    func withPointers<Result>(_ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            body(
                starts.map { start in
                    // execve's parameter isn't declared const, but it only reads.
                    UnsafeMutablePointer(
                        mutating: (buffer.baseAddress.map { $0 + start })?.assumingMemoryBound(to: CChar.self))
                })
        }
    }

    /// Each variable without its NUL.
    package var strings: [[UInt8]] {
        starts.map { Array(bytes[$0...].prefix { $0 != 0 }) }
    }
}
