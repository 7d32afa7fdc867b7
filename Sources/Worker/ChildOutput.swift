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
        /// Whole lines, each with this text before it. A long one waits for its end in a file in `directory`.
        case lines(tag: String, directory: String)
        /// All of it once the child has ended; with a tag, whole lines as above. A long output waits in a file in
        /// `directory`.
        case grouped(tag: String, directory: String)
        /// Kept until the child has ended, unless it is longer than so many bytes.
        case kept(limit: Int)
        /// To a file, as it comes.
        case file(OutputFile)
    }

    /// As much as a pipe holds.
    private static let chunkSize = 65_536
    /// How much of the end is kept to explain a failure.
    private static let tailSize = 1_024
    private static let newline = UInt8(ascii: "\n")

    /// -1 once the other end is closed.
    private(set) var descriptor: Int32
    private let mode: Mode
    /// The last bytes that came.
    private(set) var tail: [UInt8] = []
    /// What is kept; nil where nothing is, or no longer because it was too much.
    private(set) var kept: [UInt8]?
    /// What is passed on later: the last line when it is complete, or all output when the child has ended.
    private(set) var held: HeldOutput
    /// Whether all is held until the child has ended.
    private var isGrouped = false

    /// Takes over `descriptor`, which must be non-blocking.
    init(descriptor: Int32, mode: Mode) {
        self.descriptor = descriptor
        self.mode = mode
        var directory = ""
        switch mode {
        case .bytes, .file: break
        case .lines(_, let place): directory = place
        case .grouped(_, let place): (directory, isGrouped) = (place, true)
        case .kept: kept = []
        }
        held = HeldOutput(directory: directory)
    }

    var isOpen: Bool { descriptor >= 0 }

    /// Why something of the output is missing: the system's error number.
    var failure: Int32? {
        if case .file(let file) = mode { file.failure } else { held.failure }
    }

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
        pass(bytes, to: &buffer)
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

    private mutating func pass(_ bytes: [UInt8], to buffer: inout OutputBuffer) {
        switch mode {
        case .bytes: buffer.add(bytes)
        case .file(let file): file.write(bytes)
        case .lines(let tag, _), .grouped(let tag, _):
            var complete = 0
            if !isGrouped { complete = workq_last_index(bytes, bytes.count, Self.newline) + 1 }
            if complete > 0 {
                hold(bytes[..<complete], tag)
                passHeld(to: &buffer)
            }
            hold(bytes[complete...], tag)
            held.spill()
        case .kept(let limit):
            if let count = kept?.count, count + bytes.count > limit { kept = nil }
            kept? += bytes
        }
    }

    private mutating func hold(_ bytes: ArraySlice<UInt8>, _ tag: String) {
        guard !tag.isEmpty else { return held.add(bytes) }
        var rest = bytes
        while !rest.isEmpty {
            let end = rest.firstIndex(of: Self.newline).map { $0 + 1 } ?? rest.endIndex
            if held.endsLine { held.add(tag.utf8) }
            held.add(rest[..<end])
            rest = rest[end...]
        }
    }

    private mutating func passHeld(to buffer: inout OutputBuffer) {
        buffer.add(held)
        held.removeAll()
    }

    /// Stops reading; what was read so far is passed on.
    mutating func close(flushingTo buffer: inout OutputBuffer) {
        workq_close(descriptor)
        descriptor = -1
        flush(to: &buffer)
    }

    /// Passes on an incomplete last line, completed. What is grouped goes by `handOver(to:)`.
    mutating func flush(to buffer: inout OutputBuffer) {
        guard !isGrouped, held.remaining > 0 else { return }
        if !held.endsLine { held.add(CollectionOfOne(Self.newline)) }
        passHeld(to: &buffer)
    }

    /// Passes on what was grouped. What comes later, from processes that the child left behind, is passed on in lines.
    mutating func handOver(to buffer: inout OutputBuffer) {
        guard isGrouped, case .grouped(let tag, _) = mode else { return }
        isGrouped = false
        if !tag.isEmpty, !held.endsLine { held.add(CollectionOfOne(Self.newline)) }
        passHeld(to: &buffer)
    }
}
