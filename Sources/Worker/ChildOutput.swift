// Takes what a child writes, and passes it on.

import Posix

/// The reading end of a child's standard output or standard error.
///
/// Memory is bounded whatever a child writes: nothing is read while the buffer it goes to is full, and then the pipe
/// makes the child wait. A grandchild may hold the pipe open after the child has ended; the task doesn't wait for that.
struct ChildOutput {
    /// How output is passed on.
    package enum Mode: Equatable {
        /// As it comes.
        case bytes
        /// Whole lines, each with this text before it.
        case lines(tag: String)
        /// All of it once the child has ended; with a tag, whole lines as above. A long output waits in a file in
        /// `directory`.
        case grouped(tag: String, directory: String)
        /// Kept until the child has ended, unless it is longer than so many bytes.
        case kept(limit: Int)
    }

    /// As much as a pipe holds.
    private static let chunkSize = 65_536
    /// Longer lines are passed on in pieces.
    private static let longestLine = 65_536
    /// How much of the end is kept to explain a failure.
    private static let tailSize = 1_024

    /// -1 once the other end is closed.
    private(set) var descriptor: Int32
    private let mode: Mode
    /// A line that isn't complete.
    private var line: [UInt8] = []
    /// The last bytes that came.
    private(set) var tail: [UInt8] = []
    /// What is kept; nil where nothing is, or no longer because it was too much.
    private(set) var kept: [UInt8]?
    /// What is passed on when the child has ended; nil where it isn't held back.
    private(set) var held: HeldOutput?

    /// Takes over `descriptor`, which must be non-blocking.
    init(descriptor: Int32, mode: Mode) {
        self.descriptor = descriptor
        self.mode = mode
        switch mode {
        case .kept: kept = []
        case .grouped(_, let directory): held = HeldOutput(directory: directory)
        case .bytes, .lines: break
        }
    }

    var isOpen: Bool { descriptor >= 0 }

    /// Reads once what is there, for `buffer`. False when nothing more is there for now.
    @discardableResult
    mutating func read(into buffer: inout OutputBuffer) -> Bool {
        guard isOpen else { return false }
        var count = 0
        // Not filled with zeros first: most reads are of a few bytes, or only find the end.
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { chunk, initialized in
            guard let base = chunk.baseAddress else { return }
            count = workq_read(descriptor, base, Self.chunkSize)
            initialized = max(count, 0)
        }
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { close(flushingTo: &buffer) }
            return false
        }
        tail = (tail + bytes.suffix(Self.tailSize)).suffix(Self.tailSize)
        pass(bytes[...], to: &buffer)
        return true
    }

    /// Reads what is left once the child has ended: at most what fits a pipe.
    mutating func readRest(into buffer: inout OutputBuffer) {
        for _ in 0..<16 where !read(into: &buffer) { break }
        // What comes after the child's end doesn't belong to what is kept.
        if case .kept = mode, isOpen { close(flushingTo: &buffer) }
    }

    /// Whether the child has written more than may be kept.
    var isOverfull: Bool {
        if case .kept = mode { kept == nil } else { false }
    }

    private mutating func pass(_ bytes: ArraySlice<UInt8>, to buffer: inout OutputBuffer) {
        switch mode {
        case .bytes: buffer.add(bytes)
        case .lines(let tag): passLines(bytes, tag, to: &buffer)
        case .grouped(let tag, _):
            guard var held else { return passLines(bytes, tag, to: &buffer) }
            // Only one reference, else adding would copy all that is held.
            self.held = nil
            if tag.isEmpty { held.add(bytes) } else { passLines(bytes, tag, to: &held) }
            self.held = held
        case .kept(let limit):
            if let count = kept?.count, count + bytes.count > limit { kept = nil }
            kept? += bytes
        }
    }

    private mutating func passLines(_ bytes: ArraySlice<UInt8>, _ tag: String, to sink: inout some OutputSink) {
        line += bytes
        let newline = UInt8(ascii: "\n")
        let lastNewline = workq_last_index(line, line.count, newline)
        guard lastNewline >= 0 || line.count >= Self.longestLine else { return }
        let complete = lastNewline >= 0 ? line[...lastNewline] : line[...]
        if tag.isEmpty {
            sink.add(complete)
        } else {
            for one in complete.split(separator: newline, omittingEmptySubsequences: false) {
                // Behind the last newline there is nothing, which is no line.
                guard one.startIndex < complete.endIndex else { break }
                sink.add(tag.utf8)
                sink.add(line[one.startIndex..<min(one.endIndex + 1, complete.endIndex)])
            }
        }
        line.removeFirst(complete.count)
    }

    /// Stops reading; what was read so far is passed on.
    mutating func close(flushingTo buffer: inout OutputBuffer) {
        workq_close(descriptor)
        descriptor = -1
        flush(to: &buffer)
    }

    /// Passes on an incomplete last line, completed.
    mutating func flush(to buffer: inout OutputBuffer) {
        guard !line.isEmpty else { return }
        switch mode {
        case .lines(let tag): Self.add(line, tag, to: &buffer)
        // Together with the rest, when that is handed over.
        case .grouped where held != nil: return
        case .grouped(let tag, _): Self.add(line, tag, to: &buffer)
        case .bytes, .kept: break
        }
        line = []
    }

    private static func add(_ line: [UInt8], _ tag: String, to sink: inout some OutputSink) {
        sink.add(tag.utf8)
        sink.add(line)
        sink.add(CollectionOfOne(UInt8(ascii: "\n")))
    }

    /// Hands over what was held back. What comes later, from processes that the child left behind, is passed on in
    /// lines.
    mutating func takeHeld() -> HeldOutput? {
        defer { held = nil }
        guard case .grouped(let tag, _) = mode, var held, !line.isEmpty else { return held }
        Self.add(line, tag, to: &held)
        line = []
        return held
    }
}
