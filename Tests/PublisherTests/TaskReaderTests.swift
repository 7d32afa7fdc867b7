// Tasks from a stream are the same however the stream comes in.

import Foundation
import TestSupport
import Testing

@testable import Publisher

@Suite("Task reader") struct TaskReaderTests {
    private static let newline = UInt8(ascii: "\n")

    /// All tasks that a reader still has to give.
    private static func rest(of reader: inout TaskReader) throws(TaskReader.Failure) -> [[UInt8]] {
        var tasks: [[UInt8]] = []
        while true {
            while let task = try reader.next() { tasks.append(task) }
            if reader.isExhausted { return tasks }
            try reader.read()
        }
    }

    /// All tasks of a file with this content.
    private static func tasks(
        of content: [UInt8], separator: UInt8?, limit: Int = 1 << 20
    ) throws -> [[UInt8]] {
        let folder = try TemporaryFolder()
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.write(content, to: "input")))
        var reader = TaskReader(file.fileDescriptor, separator: separator, limit: limit)
        return try rest(of: &reader)
    }

    private static func lines(_ text: String, separator: UInt8 = newline) throws -> [String] {
        try tasks(of: Array(text.utf8), separator: separator).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "M5 a task a line; the last one needs no newline, and empty lines are tasks",
        arguments: [
            ("", []), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("a\nb\n", ["a", "b"]), ("\n", [""]), ("\n\n", ["", ""]),
            ("a\n\nb", ["a", "", "b"]), ("\na", ["", "a"]), ("a\r\n", ["a\r"]), ("a\0b\n", ["a\0b"]),
        ] as [(String, [String])])
    func lines(text: String, expected: [String]) throws {
        #expect(try Self.lines(text) == expected)
    }

    @Test(
        "with NUL as separator, newlines belong to the tasks",
        arguments: [("a\nb\0c", ["a\nb", "c"]), ("a\0", ["a"]), ("\0", [""]), ("\n", ["\n"])] as [(String, [String])])
    func nullSeparated(text: String, expected: [String]) throws {
        #expect(try Self.lines(text, separator: 0) == expected)
    }

    @Test("P15 what is left can be taken unread: whole tasks, and of one that is too long whatever there is")
    func unread() throws {
        let folder = try TemporaryFolder()
        let long = [UInt8](repeating: 0x61, count: 300_000)
        let content = Array("1\n2\n".utf8) + long + Array("\n3\n4".utf8)
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder.write(content, to: "input")))
        var reader = TaskReader(file.fileDescriptor, separator: Self.newline, limit: 100_000)
        try reader.read()
        #expect(try reader.next() == [0x31])
        #expect(try reader.next() == [0x32])
        #expect(throws: TaskReader.Failure.tooLong) {
            while try reader.next() == nil { try reader.read() }
        }
        var rest: [UInt8] = []
        while true {
            let piece = reader.takeTasks()
            #expect(piece.count <= 200_000)
            rest += piece
            if reader.isAtEnd { break }
            try reader.read()
        }
        #expect(rest == Array(content[4..<(content.count - 1)]))
        #expect(reader.takeBuffered() == [0x34])
        #expect(reader.takeBuffered() == [])
    }

    @Test("M1, M2 without a separator all of the input is one task, byte for byte, also when it is empty")
    func whole() throws {
        #expect(try Self.tasks(of: [], separator: nil) == [[]])
        var generator = SeededGenerator(seed: 3)
        let content = generator.bytes(300_000)
        #expect(try Self.tasks(of: content, separator: nil) == [content])
    }

    @Test("M2 random tasks come out of a pipe as they went in, whatever the chunks", arguments: seeds(60))
    func randomChunks(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let separator = [Self.newline, 0, 0xFF][Int.random(in: 0..<3, using: &generator)]
        let tasks = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
            generator.bytes(Int.random(in: 0...200, using: &generator)).filter { $0 != separator }
        }
        var content = tasks.flatMap { $0 + [separator] }
        // A last task that is empty can't be told from none without its separator.
        if tasks.last?.isEmpty == false, Bool.random(using: &generator) { content.removeLast() }

        let pipe = Pipe()
        var reader = TaskReader(pipe.fileHandleForReading.fileDescriptor, separator: separator, limit: 200)
        var read: [[UInt8]] = []
        var rest = content[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(Int.random(in: 1...300, using: &generator))
            rest = rest.dropFirst(chunk.count)
            try pipe.fileHandleForWriting.write(contentsOf: Data(chunk))
            try reader.read()
            #expect(!reader.isAtEnd)
            // Not always taken at once, so that some pile up.
            while Int.random(in: 0..<5, using: &generator) > 0, let task = try reader.next() { read.append(task) }
        }
        try pipe.fileHandleForWriting.close()
        read += try Self.rest(of: &reader)
        #expect(read == tasks)
        #expect(try reader.next() == nil)
    }

    @Test("a task that lies across many reads is found once its end is there")
    func longLines() throws {
        var generator = SeededGenerator(seed: 4)
        let tasks = [200_000, 0, 1, 65_536, 65_535, 131_072].map { generator.bytes($0).map { $0 | 0x80 } }
        #expect(try Self.tasks(of: tasks.flatMap { $0 + [Self.newline] }, separator: Self.newline) == tasks)
    }

    @Test("M3 a task as long as the limit is fine, one byte more is too long, with and without its separator")
    func limit() throws {
        for (content, separator) in [
            ("aaaaaaaaaa\nb", Self.newline), ("aaaaaaaaaa", Self.newline), ("aaaaaaaaaa", nil),
        ] {
            #expect(try Self.tasks(of: Array(content.utf8), separator: separator, limit: 10).first?.count == 10)
        }
        for (content, separator) in [
            ("aaaaaaaaaaa\nb", Self.newline), ("b\naaaaaaaaaaa", Self.newline), ("aaaaaaaaaaa", nil),
        ] {
            #expect(throws: TaskReader.Failure.tooLong) {
                try Self.tasks(of: Array(content.utf8), separator: separator, limit: 10)
            }
        }
    }

    @Test("M7 an endless task is found too long after little more than the limit", arguments: [newline, nil])
    func endless(separator: UInt8?) throws {
        let zero = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/zero"))
        var reader = TaskReader(zero.fileDescriptor, separator: separator, limit: 1 << 20)
        var reads = 0
        #expect(throws: TaskReader.Failure.tooLong) {
            while try reader.next() == nil {
                try reader.read()
                reads += 1
                if reads > 100 { return }
            }
        }
        #expect(reads <= (1 << 20) / 65_536 + 1)
    }

    @Test("M5 a directory can't be read")
    func directory() throws {
        let folder = try TemporaryFolder()
        let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        try #require(descriptor >= 0)
        var reader = TaskReader(descriptor, separator: Self.newline, limit: 10)
        #expect(throws: TaskReader.Failure.unreadable(EISDIR)) { try reader.read() }
        #expect(!reader.isAtEnd)
    }

    @Test("M5 what was read before an error is still there, and the end isn't taken for one")
    func notTheEnd() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        var reader = TaskReader(descriptor, separator: Self.newline, limit: 10)
        // Nothing there yet: neither an error nor the end.
        try reader.read()
        #expect(!reader.isAtEnd)
        #expect(try reader.next() == nil)
        try pipe.fileHandleForWriting.write(contentsOf: Data("a\nb".utf8))
        try reader.read()
        try reader.read()
        #expect(try reader.next() == [0x61])
        #expect(try reader.next() == nil)
        #expect(!reader.isExhausted)
        try pipe.fileHandleForWriting.close()
        #expect(try Self.rest(of: &reader) == [[0x62]])
        #expect(reader.isAtEnd)
    }
}
