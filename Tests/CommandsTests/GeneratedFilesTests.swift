// Manual pages and completions in the project are exactly what the command table makes of itself.

import Foundation
import Testing

@testable import Commands

/// `WORKQ_RECORD=1` rewrites the files instead of comparing them.
@Suite("Generated files") struct GeneratedFilesTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let isRecording = ProcessInfo.processInfo.environment["WORKQ_RECORD"] == "1"

    @Test("every generated file in the project is up to date; WORKQ_RECORD=1 rewrites them")
    func upToDate() throws {
        #expect(!GeneratedFiles.all.isEmpty)
        for file in GeneratedFiles.all {
            let url = Self.root.appendingPathComponent(file.path)
            if Self.isRecording { try Data(file.contents.utf8).write(to: url) }
            let committed = try? Data(contentsOf: url)
            // Not the contents themselves: a failure should stay readable.
            #expect(
                committed == Data(file.contents.utf8), "\(file.path) is out of date; run the test with WORKQ_RECORD=1")
        }
    }

    @Test("no other file lies in man or completions")
    func noStrayFiles() throws {
        let generated = Set(GeneratedFiles.all.map(\.path))
        for folder in ["man", "completions"] {
            let names = try FileManager.default.contentsOfDirectory(
                atPath: Self.root.appendingPathComponent(folder).path)
            for name in names { #expect(generated.contains("\(folder)/\(name)"), "nobody generates \(folder)/\(name)") }
        }
    }

    @Test("each generated file has a path of its own and ends with a newline")
    func shape() {
        let files = GeneratedFiles.all
        #expect(Set(files.map(\.path)).count == files.count)
        for file in files { #expect(file.contents.hasSuffix("\n") && file.contents.utf8.count > 100) }
    }
}
