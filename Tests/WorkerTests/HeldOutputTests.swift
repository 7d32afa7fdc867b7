// Output that waits for the end of its line or command: complete, in order, and out of memory when it is long.

import Foundation
import TestSupport
import Testing

@testable import Worker

@Suite("Held output") struct HeldOutputTests {
    @Test("everything comes out in order, whatever the pieces, from memory and from the file", arguments: seeds(20))
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let folder = try TemporaryFolder()
        var held = HeldOutput(directory: folder.path)
        var expected: [UInt8] = []
        for _ in 0..<Int.random(in: 0...20, using: &generator) {
            let count = Int.random(in: 0...40_000, using: &generator)
            let piece = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            held.add(piece)
            held.spill()
            expected += piece
        }
        #expect(held.remaining == expected.count)
        var collected: [UInt8] = []
        while let piece = held.takePiece() {
            #expect(piece.count <= 1 << 17)
            collected += piece
        }
        #expect(collected == expected && held.failure == nil && held.remaining == 0)
    }

    @Test("the file has no name, so nothing is left behind")
    func noName() throws {
        let folder = try TemporaryFolder()
        var held = HeldOutput(directory: folder.path)
        held.add([UInt8](repeating: 1, count: 1 << 20))
        held.spill()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        #expect(held.failure == nil)
    }

    @Test("a file that can't be written is told, instead of output that is not complete")
    func failure() {
        var held = HeldOutput(directory: "/nonexistent")
        held.add([1, 2, 3])
        held.spill()
        #expect(held.failure == nil)
        held.add([UInt8](repeating: 1, count: 1 << 17))
        held.spill()
        #expect(held.failure == 2)
    }
}
