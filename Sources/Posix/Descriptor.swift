// Owning a descriptor, and the only loops around read(2) and write(2).

/// A descriptor that is closed exactly once: it can't be copied, and closing is its end.
package struct Descriptor: ~Copyable, Sendable {
    /// Valid as long as this value.
    package let number: Int32

    /// Takes over a descriptor that nobody else closes.
    package init(owning number: Int32) {
        self.number = number
    }

    /// Opens a file, close-on-exec. `mode` counts when `flags` create it.
    package init(opening path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) {
        let number = open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last }
        self.number = number
    }

    deinit {
        workq_close(number)
    }
}

/// Whole transfers over descriptors that somebody else owns. They wait until all is done, so a descriptor must not be
/// non-blocking.
package enum Transfer {
    /// Writes all of `bytes`.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = workq_write(descriptor, start, rest.count)
            guard count >= 0 else { throw .last }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
    }

    /// Writes all of `bytes`.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        // A closure can't throw a typed error through `withUnsafeBytes`, so it returns one.
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try write(bytes, to: descriptor) }
        }
        try result.get()
    }

    /// Writes all of `text`.
    package static func write(_ text: String, to descriptor: Int32) throws(SystemError) {
        try write(Array(text.utf8), to: descriptor)
    }

    /// Reads up to the end, or until there is more than `limit` bytes: then the result is longer than `limit`.
    package static func read(from descriptor: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk: [UInt8] = Array(repeating: 0, count: min(limit + 1, 1 << 16))
        while bytes.count <= limit {
            let count = workq_read(descriptor, &chunk, min(chunk.count, limit + 1 - bytes.count))
            guard count >= 0 else { throw .last }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Reads up to and with the end of a line, at most `limit` bytes, and leaves what follows unread. The line break
    /// isn't in the result.
    package static func readLine(from descriptor: Int32, limit: Int) -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < limit, workq_read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return line
    }
}
