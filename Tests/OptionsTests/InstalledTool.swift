// Runs the programs that read what the generators write: shells and mandoc.

import Foundation

/// A program that tests need on this machine.
struct InstalledTool {
    let name: String
    private let url: URL

    /// Finds the program; a machine without it can't vouch for what is generated, so its absence fails the test.
    init(_ name: String) throws {
        let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
        let urls = folders.map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
        guard let url = urls.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            throw Missing(description: "\(name) isn't installed; make check needs it")
        }
        self.name = name
        self.url = url
    }

    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    struct Outcome {
        var status: Int32
        /// Standard output and standard error as they came.
        var text: String
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    /// Runs the program in `folder`, which is also its home, and ends it after a minute.
    func run(_ arguments: [String], in folder: URL) throws -> Outcome {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = [
            "PATH": "\(folder.path)/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? ""), "HOME": folder.path,
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        ]
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let identifier = process.processIdentifier
        let watchdog = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)
        defer { watchdog.cancel() }
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, text: String(decoding: data, as: UTF8.self))
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
        try contents.write(to: file, atomically: true, encoding: .utf8)
        if name.hasPrefix("bin/") {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
    }
    return try body(folder)
}
