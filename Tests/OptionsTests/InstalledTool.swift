// Runs the programs that read what the generators write: shells and mandoc.

import Foundation
import TestSupport

/// A program that tests need on this machine.
struct InstalledTool {
    let name: String
    private let path: String

    /// Finds the program; a machine without it can't vouch for what is generated, so its absence fails the test.
    init(_ name: String) throws {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        let paths = folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Failure("\(name) isn't installed; make check needs it")
        }
        self.name = name
        self.path = path
    }

    struct Outcome {
        var status: Int32
        /// Standard output, and standard error behind it.
        var text: String
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Runs the program in `folder`, which is also its home, and ends it after a minute.
    func run(_ arguments: [String], in folder: URL) throws -> Outcome {
        let process = try Shell.start(
            ["-C", folder.path, path] + arguments,
            environment: [
                "PATH": "\(folder.path)/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
                "HOME": folder.path, "LC_ALL": "C.UTF-8", "TERM": "dumb",
            ])
        let result = try process.waitBlocking()
        return Outcome(status: result.status, text: result.text + result.errors)
    }
}

/// Gives `body` a folder of its own with `files` in it, those in bin as programs, and removes it afterwards.
func withFolder<Result>(_ files: [String: String], _ body: (URL) throws -> Result) throws -> Result {
    let name = "workq-options-\(UUID().uuidString)"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, contents) in files {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        guard name.hasPrefix("bin/") else {
            try contents.write(to: file, atomically: true, encoding: .utf8)
            continue
        }
        // What this process has written, the programs that other tests start just then hold open for a moment, and what
        // is open for writing can't be run.
        let text = file.path + ".text"
        try contents.write(toFile: text, atomically: true, encoding: .utf8)
        let outcome = try InstalledTool("install").run(["-m", "755", text, file.path], in: folder)
        guard outcome.status == 0 else { throw Failure("install: \(outcome.text)") }
        try FileManager.default.removeItem(atPath: text)
    }
    return try body(folder)
}
