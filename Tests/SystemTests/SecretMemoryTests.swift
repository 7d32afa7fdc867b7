// Secrets in this process's memory: no core file has them, and nobody else of the machine can read them.

import Foundation
import TestSupport
import Testing

@Suite("secrets in memory", .timeLimit(.minutes(2)))
struct SecretMemoryTests {
    private static let isRoot = geteuid() == 0
    /// Whether core files go to the working directory, where a test can look for them.
    private static let hasPlainCores =
        (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8))?.hasPrefix("core") == true

    /// Starts a program as the user that may do nothing else.
    private func startAsNobody(_ words: [String], environment: [String: String]) throws -> WorkqProcess {
        try WorkqProcess(
            ["--reuid=65534", "--regid=65534", "--clear-groups"] + words, environment: environment,
            executable: "/usr/bin/setpriv")
    }

    /// What nobody sees of another process's environment; nil when the system refuses.
    private func environment(of pid: pid_t) async throws -> String? {
        let reader = try startAsNobody(["cat", "/proc/\(pid)/environ"], environment: [:])
        let result = try await reader.wait()
        return result.status == 0 ? result.text : nil
    }

    @Test("S7 a process that crashes leaves no core file with its secrets", .enabled(if: hasPlainCores))
    func coreFiles() async throws {
        let fixture = try Fixture()
        // Without a program that does leave one, the absence of a core file would show nothing.
        let crash = "import os, signal; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.abort()"
        for (words, leavesCore) in [
            (["python3", "-c", crash], true), ([WorkqProcess.executable, "work", fixture.queue], false),
        ] {
            let folder = try TemporaryFolder()
            let process = try WorkqProcess(
                ["-c", "cd '\(folder.path)' && ulimit -c unlimited && exec \"$0\" \"$@\""] + words,
                // A debug build's runtime would describe the crash first.
                environment: fixture.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 },
                executable: "/bin/sh")
            if !leavesCore {
                try await eventually("the worker consumes") { fixture.consumers() == 1 }
                process.signal(SIGABRT)
            }
            let result = try await process.wait()
            #expect(result.status == 128 + SIGABRT)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files.isEmpty != leavesCore, "\(words[0]): \(files)")
        }
    }

    @Test("S8 others can't read a running workq's environment, its own user neither", .enabled(if: isRoot))
    func environments() async throws {
        let fixture = try Fixture()
        let secret = ["WORKQ_URL": fixture.broker.url, "CANARY": "bird"]
        let sleeper = try startAsNobody(["sleep", "60"], environment: secret)
        let plain = try startAsNobody([WorkqProcess.executable, "work", fixture.queue], environment: secret)
        let root = try WorkqProcess(["work", fixture.queue], environment: secret)
        try await eventually("both workers consume") { fixture.consumers() == 2 }
        #expect(try await environment(of: sleeper.pid)?.contains("bird") == true, "what is read is there to be read")
        #expect(try await environment(of: plain.pid) == nil)
        #expect(try await environment(of: root.pid) == nil)
        for process in [sleeper, plain, root] { process.signal(SIGTERM) }
        for process in [sleeper, plain, root] { _ = try await process.wait() }
    }
}
