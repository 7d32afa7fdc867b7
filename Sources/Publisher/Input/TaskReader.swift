// Reads tasks from standard input, one behind the other, without ever holding more than it must.

import Posix

/// Splits what a descriptor gives into tasks at a separator. The last task needs no separator behind it.
package struct TaskReader {
    private static let chunkSize = 65_536

    package let descriptor: Int32
    /// nil: everything up to the end is one task, also when it is empty.
    private let separator: UInt8?
    /// The longest task, in bytes.
    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where the next task begins in `buffer`, and how far no separator was found.
    private var start = 0
    private var searched = 0
    /// Whether the buffer ends with the beginning of a task that is longer than `limit` already.
    private var isTooLong = false
    /// Whether there is nothing more to read; tasks may still be in the buffer.
    package private(set) var isAtEnd = false
    /// Whether `next()` has nothing more to give.
    package private(set) var isExhausted = false

    package enum Failure: Error, Equatable {
        /// An error number.
        case unreadable(Int32)
        /// A task is longer than `limit`.
        case tooLong
    }

    package init(_ descriptor: Int32, separator: UInt8?, limit: Int) {
        self.descriptor = descriptor
        self.separator = separator
        self.limit = limit
    }

    /// The next task that has been read completely; nil when more must be read first, or when there is no more.
    package mutating func next() throws(Failure) -> [UInt8]? {
        if let separator, let end = firstIndex(of: separator) {
            guard end - start <= limit else { throw .tooLong }
            let task = Array(buffer[start..<end])
            start = end + 1
            searched = start
            return task
        }
        searched = buffer.count
        isTooLong = buffer.count - start > limit
        guard !isTooLong else { throw .tooLong }
        guard isAtEnd, !isExhausted else { return nil }
        isExhausted = true
        let task = Array(buffer[start...])
        buffer = []
        start = 0
        searched = 0
        return separator == nil || !task.isEmpty ? task : nil
    }

    /// memchr(3), since lines are what most of the time would be spent on.
    private func firstIndex(of separator: UInt8) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, searched < bytes.count else { return nil }
            let found = memchr(start + searched, Int32(separator), bytes.count - searched)
            return found.map { UnsafeRawPointer($0) - start }
        }
    }

    /// What was read and not given by `next()`, as far as it is complete tasks with their separators. Of a task that is
    /// too long it is whatever there is: nobody has memory for the rest.
    package mutating func takeTasks() -> [UInt8] {
        guard let separator else { return [] }
        let last = buffer.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { workq_last_index($0 + searched, buffer.count - searched, separator) } ?? -1
        }
        guard last >= 0 else {
            searched = buffer.count
            return isTooLong ? takeBuffered() : []
        }
        isTooLong = false
        let end = searched + last + 1
        defer { (start, searched) = (end, buffer.count) }
        return Array(buffer[start..<end])
    }

    /// What was read and not given.
    package mutating func takeBuffered() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &buffer)
        // Most often there is nothing before it, and then nothing is copied.
        taken.removeFirst(start)
        (start, searched) = (0, 0)
        return taken
    }

    /// Reads once, which may wait unless poll(2) says that it won't.
    package mutating func read() throws(Failure) {
        // What was handed out makes room first; what is left is shorter than one task.
        if start > 0 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        let old = buffer.count
        var result = 0
        buffer += [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { chunk, count in
            guard let base = chunk.baseAddress else { return }
            result = workq_read(descriptor, base, Self.chunkSize)
            count = max(0, result)
        }
        guard result >= 0 else {
            if errno == EAGAIN { return }
            throw .unreadable(errno)
        }
        isAtEnd = buffer.count == old
    }
}
