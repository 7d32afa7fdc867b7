// Commands that can't be started: some for good, which ends the worker, some just now, which doesn't.

import Foundation
import TestSupport
import Testing

@testable import Worker

@Suite("Start failures") struct StartFailureTests {
    private let folder: TemporaryFolder

    init() throws {
        TestProcess.prepare()
        folder = try TemporaryFolder()
    }

    /// Why a file with this content can't be started, after `change` was done to it.
    private func failure(
        _ content: String, variables: EnvironmentBlock = EnvironmentBlock(), change: (String) throws -> Void = { _ in }
    ) throws -> JobEnd? {
        let path = try folder.write(content, to: "command", mode: 0o755)
        let launcher = CommandLauncher(
            try Executable(named: path, searchPath: nil), arguments: [Array("command".utf8)], environment: [])
        try change(path)
        var end: JobEnd?
        // While another thread starts a process, that one has the file open for a moment, which makes it busy.
        _ = soon {
            do throws(CommandLauncher.Failure) {
                end = try launcher.start(body: [1], variables: variables).awaitEnd()
            } catch {
                end = error.end
            }
            return end != .notStarted("text file busy")
        }
        return end
    }

    @Test("W12 a command that vanished can't be used")
    func vanished() throws {
        let end = try failure("#!/bin/sh\n") { try FileManager.default.removeItem(atPath: $0) }
        #expect(end == .unusable("\(folder.path)/command: no such file or directory"))
    }

    @Test("W12 a command that lost its execute bits can't be used")
    func notExecutable() throws {
        let end = try failure("#!/bin/sh\n") {
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: $0)
        }
        #expect(end == .unusable("\(folder.path)/command: permission denied"))
    }

    @Test("W12 a command that became a directory can't be used")
    func directory() throws {
        let end = try failure("#!/bin/sh\n") {
            try FileManager.default.removeItem(atPath: $0)
            try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false)
        }
        #expect(end == .unusable("\(folder.path)/command: permission denied"))
    }

    @Test(
        "W12 a script without its #! line is not handed to a shell",
        arguments: ["echo hello\n", "", "\u{7F}ELF garbage"])
    func noInterpreter(content: String) throws {
        #expect(
            try failure(content)
                == .unusable("\(folder.path)/command is neither a program nor a script that starts with #!"))
    }

    @Test("W12 a script whose interpreter is missing can't be used")
    func missingInterpreter() throws {
        #expect(
            try failure("#!/no/such/interpreter\n") == .unusable("\(folder.path)/command: no such file or directory"))
    }

    @Test("W12 a task whose headers are too large for the system starts without them; else the command can't be used")
    func tooLarge() throws {
        var variables = EnvironmentBlock()
        variables.add("WORKQ_A".utf8, "here".utf8)
        variables.endRequired()
        variables.add("WORKQ_X".utf8, repeatElement(0x78, count: 4 << 20))
        #expect(
            try failure("#!/bin/sh\n[ \"$WORKQ_A\" = here ] && [ -z \"$WORKQ_X\" ]\n", variables: variables)
                == .exited(0))
        variables.endRequired()
        #expect(
            try failure("#!/bin/sh\n", variables: variables)
                == .unusable(
                    "\(folder.path)/command: the arguments and the environment are too large for this system"))
    }

    @Test("after a failure the next start works: nothing is left behind")
    func recovers() throws {
        let descriptors = Self.openDescriptors()
        for _ in 0..<20 { _ = try failure("echo hello\n") }
        #expect(try failure("#!/bin/sh\nexit 4\n") == .exited(4))
        // Other tests open some meanwhile, but not two for each start.
        #expect(Self.openDescriptors() < descriptors + 20)
    }

    private static func openDescriptors() -> Int {
        (0..<4_096).count { fcntl($0, F_GETFD) != -1 }
    }
}
