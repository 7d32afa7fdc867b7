// Password files: refused when others can read them, and read to the byte otherwise.

import Foundation
import Posix
import TestSupport
import Testing

@testable import Broker
@testable import Commands

@Suite("Password files") struct PasswordFileTests {
    private static func read(_ path: String, environment: [String: String] = [:]) throws -> Secret {
        let context = CommandContext(environment: Environment(environment), processName: "test")
        return try PasswordFile.read(path, in: context)
    }

    private static func refusal(_ path: String) -> CommandError? {
        #expect(throws: CommandError.self) { try read(path) }
    }

    @Test("S5 a file that only its owner can read is read", arguments: [0o600, 0o400, 0o700])
    func ownersOnly(mode: Int) throws {
        let folder = try TemporaryFolder()
        #expect(try Self.read(folder.write("pässword", to: "p", mode: mode)) == Secret("pässword"))
    }

    @Test(
        "S5 a file that group or others can do anything with is refused",
        arguments: [0o660, 0o604, 0o644, 0o620, 0o610, 0o601, 0o602, 0o444])
    func others(mode: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("CANARY", to: "p", mode: mode)
        let error = Self.refusal(path)
        #expect(error?.status == .configuration)
        #expect(error?.message == "others can read the password file \(path). Run chmod 600 on it")
    }

    @Test("Q13 a group that workq is in may read the file, and nobody else", arguments: [0o640, 0o440])
    func group(mode: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("pw", to: "p", mode: mode)
        #expect(try Self.read(path) == Secret("pw"))
        // Only root may give it to a group that this process isn't in.
        guard chown(path, getuid(), 4_242) == 0 else { return }
        #expect(Self.refusal(path)?.status == .configuration)
    }

    @Test("Q13 what a service manager provides is read whatever its mode, and nothing beside its folder")
    func credentials() throws {
        let folder = try TemporaryFolder()
        let environment = ["CREDENTIALS_DIRECTORY": folder.path("credentials")]
        for name in ["credentials", "credentials-not"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
        let provided = try folder.write("pw", to: "credentials/p", mode: 0o444)
        let beside = try folder.write("pw", to: "credentials-not/p", mode: 0o444)
        #expect(try Self.read(provided, environment: environment) == Secret("pw"))
        #expect(throws: CommandError.self) { try Self.read(provided) }
        for path in [beside, folder.path("credentials/../credentials-not/p")] {
            #expect(throws: CommandError.self) { try Self.read(path, environment: environment) }
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("credentials/link"), withDestinationPath: beside)
        #expect(throws: CommandError.self) {
            try Self.read(folder.path("credentials/link"), environment: environment)
        }
    }

    @Test("S5 a link is as good as the file it leads to")
    func links() throws {
        let folder = try TemporaryFolder()
        for (mode, name) in [(0o600, "good"), (0o644, "bad")] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder.path)/to-\(name)", withDestinationPath: folder.write("pw", to: name, mode: mode))
        }
        #expect(try Self.read("\(folder.path)/to-good") == Secret("pw"))
        #expect(Self.refusal("\(folder.path)/to-bad")?.status == .configuration)
    }

    @Test("S5 a pipe, as a shell's <(...) makes it, is read to its end")
    func pipe() throws {
        let pipe = Foundation.Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("from a pipe\n".utf8))
        try pipe.fileHandleForWriting.close()
        #expect(try Self.read("/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)") == Secret("from a pipe"))
    }

    @Test(
        "S5 one newline at the end is dropped, nothing else",
        arguments: [
            ("a\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("a \n", "a "), (" a\r\n", " a\r"), ("\na", "\na"),
            ("\n\n", "\n"),
        ])
    func newline(content: String, password: String) throws {
        let folder = try TemporaryFolder()
        #expect(try Self.read(folder.write(content, to: "p")) == Secret(password))
    }

    @Test("S5 Q13 a password may have 16 KiB, and a huge file isn't read to its end")
    func size() throws {
        let folder = try TemporaryFolder()
        let longest = String(repeating: "x", count: 16_384)
        #expect(try Self.read(folder.write(longest, to: "p")) == Secret(longest))
        #expect(try Self.read(folder.write("\(longest)\n", to: "p")) == Secret(longest))
        for content in ["\(longest)x", "\(longest)x\n", "\(longest)\n\n", String(repeating: "x", count: 1 << 20)] {
            let error = try Self.refusal(folder.write(content, to: "p"))
            #expect(error?.status == .configuration)
            #expect(error?.message.contains("longer than 16384 bytes") == true)
        }
    }

    @Test("S5 an empty file is no password", arguments: ["", "\n"])
    func empty(content: String) throws {
        let folder = try TemporaryFolder()
        let error = try Self.refusal(folder.write(content, to: "p"))
        #expect(error?.status == .configuration)
        #expect(error?.message.contains("is empty") == true)
    }

    @Test("S5 what isn't text is refused and not shown", arguments: [[0x41, 0xFF], [0x41, 0x00, 0x42]] as [[UInt8]])
    func notText(bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        let error = try Self.refusal(folder.write(bytes, to: "p"))
        #expect(error?.status == .configuration)
        #expect(error?.message.contains("is not text") == true)
    }

    @Test("S5 a missing file and a directory can't be read, and the message names them")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let missing = Self.refusal("\(folder.path)/missing")
        #expect(missing?.status == .noInput)
        #expect(missing?.message.contains("\(folder.path)/missing: no such file or directory") == true)
        let directory = Self.refusal(folder.path)
        #expect(directory?.status == .noInput)
        #expect(directory?.message.contains("is a directory") == true)
    }
}
