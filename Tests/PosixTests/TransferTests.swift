// Whole transfers over pipes, whose other end may be gone, and waking across threads.

import TestSupport
import Testing

@testable import Posix

@Suite("Transfers") struct TransferTests {
    @Test("more than a pipe holds is written whole while somebody reads", arguments: [0, 1, 65_536, 1_000_000])
    func writing(size: Int) throws {
        let pipe = try Pipe()
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let writer = dup(pipe.writer.number)
        let isStarted = DetachedThread.start {
            try? Transfer.write(bytes, to: writer)
            workq_close(writer)
        }
        #expect(isStarted)
        // The end of the input comes when nobody can write any more.
        let reader = dup(pipe.reader.number)
        defer { workq_close(reader) }
        _ = consume pipe
        #expect(try Transfer.read(from: reader, limit: size) == bytes)
    }

    @Test("reading stops one byte beyond the limit")
    func limit() throws {
        let pipe = try Pipe()
        try Transfer.write("0123456789", to: pipe.writer.number)
        #expect(try Transfer.read(from: pipe.reader.number, limit: 4) == Array("01234".utf8))
    }

    @Test("a line is taken without what follows it")
    func line() throws {
        let pipe = try Pipe()
        try Transfer.write("yes\nno\n", to: pipe.writer.number)
        #expect(Transfer.readLine(from: pipe.reader.number, limit: 80) == Array("yes".utf8))
        #expect(Transfer.readLine(from: pipe.reader.number, limit: 1) == Array("n".utf8))
        #expect(Transfer.readLine(from: pipe.reader.number, limit: 80) == Array("o".utf8))
    }

    @Test("a descriptor that can't be used is an error with the system's words")
    func failure() {
        #expect(throws: SystemError(EBADF)) { try Transfer.write("x", to: -1) }
        #expect(throws: SystemError(EBADF)) { try Transfer.read(from: -1, limit: 1) }
        #expect(SystemError(EBADF).text == "bad file descriptor")
        #expect(throws: SystemError(ENOENT)) { try Descriptor(opening: "/nonexistent/file", O_RDONLY).number }
    }

    @Test("waking ends a wait, and clearing takes all wake-ups back")
    func wakePipe() throws {
        let pipe = try WakePipe()
        var pollSet = PollSet()
        pollSet.add(pipe.descriptor, events: POLLIN)
        pollSet.wait(timeout: 0)
        #expect(!pollSet.isReady(pipe.descriptor))
        for _ in 0..<1_000 { pipe.wake() }
        pollSet.wait(timeout: -1)
        #expect(pollSet.isReady(pipe.descriptor))
        pipe.clear()
        pollSet.wait(timeout: 0)
        #expect(!pollSet.isReady(pipe.descriptor))
    }

    @Test("an open latch wakes everybody, also those who poll it later, and remembers when it was first opened")
    func latch() throws {
        let latch = try Latch()
        #expect(!latch.isOpen && latch.openedAt == .never)
        latch.open(at: Instant(nanoseconds: 5))
        latch.open(at: Instant(nanoseconds: 6))
        #expect(latch.isOpen && latch.openedAt == Instant(nanoseconds: 5))
        var pollSet = PollSet()
        pollSet.add(latch.descriptor, events: POLLIN)
        pollSet.wait(timeout: -1)
        #expect(pollSet.isReady(latch.descriptor))
    }
}
