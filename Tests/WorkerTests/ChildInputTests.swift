// Feeding a child: every byte, never waiting, and no harm when nobody reads.

import Foundation
import Posix
import TestSupport
import Testing

@testable import Worker

@Suite("Child input") struct ChildInputTests {
    /// A pipe as the launcher makes it, with the reading end non-blocking too, so that no test can hang.
    private struct NonBlockingPipe {
        var reading: Int32
        var writing: Int32

        init() throws {
            TestProcess.prepare()
            var ends: [Int32] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
            for end in ends {
                #expect(fcntl(end, F_SETFL, O_NONBLOCK) == 0)
                #expect(fcntl(end, F_SETFD, FD_CLOEXEC) == 0)
            }
        }

        /// What is in the pipe, up to `limit` bytes; nil at its end.
        func read(_ limit: Int) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = workq_read(reading, &buffer, limit)
            if count == 0 { return nil }
            return Array(buffer[..<max(count, 0)])
        }
    }

    @Test("M1 an empty body closes the pipe at once")
    func empty() throws {
        let pipe = try NonBlockingPipe()
        defer { workq_close(pipe.reading) }
        var input = ChildInput(descriptor: pipe.writing, body: [])
        #expect(input.isPending)
        input.write()
        #expect(!input.isPending)
        #expect(pipe.read(10) == nil)
    }

    @Test("a body that fits the pipe goes in at once")
    func small() throws {
        let pipe = try NonBlockingPipe()
        defer { workq_close(pipe.reading) }
        var input = ChildInput(descriptor: pipe.writing, body: Array("task".utf8))
        input.write()
        #expect(!input.isPending)
        #expect(input.descriptor == -1)
        #expect(pipe.read(10) == Array("task".utf8))
        #expect(pipe.read(10) == nil)
    }

    @Test("M2, W9 a body larger than the pipe goes in as the reader makes room, byte for byte", arguments: seeds(5))
    func large(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let body = generator.bytes(Int.random(in: 200_000...500_000, using: &generator))
        let pipe = try NonBlockingPipe()
        defer { workq_close(pipe.reading) }
        var input = ChildInput(descriptor: pipe.writing, body: body)
        var received: [UInt8] = []
        input.write()
        #expect(input.isPending)
        // Writing into the full pipe changes nothing.
        input.write()
        for _ in 0..<10_000 {
            guard let part = pipe.read(Int.random(in: 1...100_000, using: &generator)) else { break }
            received += part
            input.write()
        }
        #expect(!input.isPending)
        #expect(received == body)
    }

    @Test("W9 when nobody reads any more, the rest is dropped without an error or a signal")
    func broken() throws {
        let pipe = try NonBlockingPipe()
        var input = ChildInput(descriptor: pipe.writing, body: Array(repeating: 1, count: 1 << 20))
        input.write()
        #expect(input.isPending)
        workq_close(pipe.reading)
        input.write()
        #expect(!input.isPending)
    }

    @Test("closing gives the reader the end, and once is enough")
    func closing() throws {
        let pipe = try NonBlockingPipe()
        defer { workq_close(pipe.reading) }
        var input = ChildInput(descriptor: pipe.writing, body: [1])
        input.close()
        #expect(!input.isPending)
        #expect(pipe.read(10) == nil)
        input.close()
        #expect(!input.isPending)
    }
}
