// Finding the command, so that a typo is noticed before a task is taken.

import Foundation
import TestSupport
import Testing

@testable import Worker

@Suite("Executables") struct ExecutableTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Makes a file in a folder of its own and returns that folder.
    private func directory(_ directory: String, with name: String, mode: Int = 0o755) throws -> String {
        let path = "\(folder.path)/\(directory)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try folder.write("#!/bin/sh\n", to: "\(directory)/\(name)", mode: mode)
        return path
    }

    private func refusal(_ name: String, _ searchPath: String? = nil) -> String? {
        let error = #expect(throws: Executable.Unusable.self) { try Executable(named: name, searchPath: searchPath) }
        return error?.reason
    }

    @Test("the first executable in the search path is taken")
    func searchOrder() throws {
        let first = try directory("first", with: "cmd")
        let second = try directory("second", with: "cmd")
        #expect(try Executable(named: "cmd", searchPath: "\(first):\(second)").path == "\(first)/cmd")
        #expect(try Executable(named: "cmd", searchPath: "\(second):\(first)").path == "\(second)/cmd")
        #expect(try Executable(named: "cmd", searchPath: "/no/such/folder:\(second)").path == "\(second)/cmd")
    }

    @Test("what can't be executed is passed over for what can")
    func passedOver() throws {
        let plain = try directory("plain", with: "cmd", mode: 0o644)
        let nested = "\(folder.path)/nested"
        try FileManager.default.createDirectory(atPath: "\(nested)/cmd", withIntermediateDirectories: true)
        let good = try directory("good", with: "cmd")
        #expect(try Executable(named: "cmd", searchPath: "\(plain):\(nested):\(good)").path == "\(good)/cmd")
    }

    @Test("a name with a slash isn't searched for")
    func slash() throws {
        let path = try directory("bin", with: "cmd")
        #expect(try Executable(named: "\(path)/cmd", searchPath: "/nowhere").path == "\(path)/cmd")
        #expect(refusal("bin/cmd", folder.path) == "bin/cmd: command not found")
    }

    @Test("a link to an executable is one, a dangling link is nothing")
    func links() throws {
        let path = try directory("bin", with: "cmd")
        try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "cmd")
        try FileManager.default.createSymbolicLink(atPath: "\(path)/dangling", withDestinationPath: "nothing")
        #expect(try Executable(named: "link", searchPath: path).path == "\(path)/link")
        #expect(refusal("dangling", path) == "dangling: command not found")
    }

    @Test("without PATH the usual folders are searched, and an empty entry means this folder")
    func usualFolders() throws {
        #expect(try Executable(named: "sh", searchPath: nil).path.hasSuffix("bin/sh"))
        #expect(refusal("sh", "") == "sh: command not found")
        let path = try directory("bin", with: "a-command-of-this-test")
        #expect(
            try Executable(named: "a-command-of-this-test", searchPath: ":\(path)").path
                == "\(path)/a-command-of-this-test")
    }

    @Test("W12 the reason says whether there is nothing, a directory, or something that isn't executable")
    func reasons() throws {
        #expect(refusal("", "/bin") == "the command's name is empty")
        #expect(refusal("no-such-command", "/bin:/usr/bin") == "no-such-command: command not found")
        #expect(refusal(folder.path) == "\(folder.path) is a directory")
        // No execute bit at all: not even root may.
        let plain = try directory("plain", with: "cmd", mode: 0o644)
        #expect(refusal("cmd", "/nowhere:\(plain)") == "\(plain)/cmd is not executable")
    }
}
