// Pipes, and how one wakes a thread that polls.

/// Both ends of a pipe, close-on-exec.
package struct Pipe: ~Copyable, Sendable {
    package let reader: Descriptor
    package let writer: Descriptor

    package init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard workq_pipe(&ends) == 0 else { throw .last }
        reader = Descriptor(owning: ends[0])
        writer = Descriptor(owning: ends[1])
    }
}

/// A pipe by which any thread ends another's poll(2).
package final class WakePipe: Sendable {
    private let pipe: Pipe

    package init() throws(SystemError) {
        pipe = try Pipe()
        workq_set_nonblocking(pipe.reader.number)
        workq_set_nonblocking(pipe.writer.number)
    }

    /// To poll for reading: readable from `wake()` until `clear()`.
    package var descriptor: Int32 { pipe.reader.number }

    package func wake() {
        // A full pipe wakes just as well.
        _ = workq_write(pipe.writer.number, "!", 1)
    }

    /// Makes the descriptor unreadable again. Call it before looking at what the wakers have left, so that none is
    /// missed.
    package func clear() {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while workq_read(pipe.reader.number, &bytes, bytes.count) == bytes.count {}
    }
}
