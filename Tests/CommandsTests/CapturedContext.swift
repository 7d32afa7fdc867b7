// A command's surroundings with nothing of this process in them, and with what it printed kept.

import Foundation
import Posix
import TestSupport

@testable import Commands

/// Standard output and error as files, standard input empty, no environment but the one given.
final class CapturedContext {
    private let folder: TemporaryFolder
    private let descriptors: [FileHandle]
    let context: CommandContext

    init(environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        descriptors = [
            try FileHandle(forUpdating: URL(fileURLWithPath: "/dev/null")),
            try FileHandle(forUpdating: URL(fileURLWithPath: try folder.write("", to: "output"))),
            try FileHandle(forUpdating: URL(fileURLWithPath: try folder.write("", to: "error"))),
        ]
        var context = CommandContext(
            environment: Environment(environment), processName: "17@here")
        context.standardInput = descriptors[0].fileDescriptor
        context.standardOutput = descriptors[1].fileDescriptor
        context.standardError = descriptors[2].fileDescriptor
        context.isTerminal = { _ in false }
        context.wallClock = { 1_700_000_000 }
        self.context = context
    }

    /// What was written to standard output so far.
    var output: String { read("output") }
    /// What was written to standard error so far.
    var errors: String { read("error") }

    private func read(_ name: String) -> String {
        (try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)) ?? "unreadable"
    }
}

/// The testing library has an `ExitStatus` too.
typealias ExitStatus = Commands.ExitStatus
