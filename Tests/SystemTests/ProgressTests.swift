// The line of progress on a terminal, which must get out of the way of everything else.

import Foundation
import TestSupport
import Testing

@Suite("publish progress", .serialized, .timeLimit(.minutes(2)))
struct ProgressTests {
    /// What standard error gets on a terminal while three tasks are published, slowly.
    private func typescript(_ options: String) async throws -> String {
        let fixture = try Fixture()
        let pipe = try TaskPipe()
        let folder = try TemporaryFolder()
        let command = "'\(WorkqProcess.executable)' publish --lines \(fixture.queue) \(options) < '\(pipe.path)'"
        let (words, environment) = (["script", "-qefc", command, folder.path("typescript")], fixture.environment)
        async let end = Shell.run(words, environment: environment)
        try pipe.write("1\n2\n3\n")
        try await eventually("three tasks are there") { fixture.ready() == 3 }
        if options.isEmpty {
            try await eventually("progress is shown") { folder.read("typescript").contains("3 sent, 3 confirmed") }
        }
        try pipe.close()
        _ = try await end
        return folder.read("typescript")
    }

    @Test("M7 on a terminal a line says how far things are, and is gone in the end")
    func terminal() async throws {
        let text = try await typescript("")
        #expect(text.contains("3 sent, 3 confirmed") && text.contains("/s  "), "\(text)")
        let last = try #require(text.components(separatedBy: "\r\u{1B}[K").last)
        #expect(!last.contains("sent"), "\(text)")
    }

    @Test("with --quiet there is none")
    func quiet() async throws {
        #expect(try await !typescript("--quiet").contains("sent"))
    }
}
