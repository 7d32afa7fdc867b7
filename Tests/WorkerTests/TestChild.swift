// Real children for tests: started by the launcher, waited for with a deadline, never left behind.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@testable import Worker

/// What must be so in this process before the first child is started.
enum TestProcess {
    private static let prepared: Void = {
        // As in workq itself: writing to a child that doesn't read is an error, not the end.
        workq_signal_ignore(SIGPIPE)
        // Something that children must not inherit.
        workq_signal_ignore(SIGUSR1)
        _ = signal(SIGUSR2) { _ in }
    }()

    static func prepare() { prepared }
}

/// The command `sh -c script`, whose `$1` is the path of a file to write to.
struct TestChild {
    let folder: TemporaryFolder
    let output: String
    let child: ChildProcess

    init(
        _ script: String, body: [UInt8] = [], environment: [String] = ["PATH=/usr/bin:/bin"],
        variables: EnvironmentBlock = EnvironmentBlock()
    ) throws {
        TestProcess.prepare()
        folder = try TemporaryFolder()
        output = "\(folder.path)/output"
        let launcher = CommandLauncher(
            try Executable(named: "sh", searchPath: "/usr/bin:/bin"),
            arguments: ["sh", "-c", script, "sh", output].map { Array($0.utf8) },
            environment: environment.map { Array($0.utf8) })
        child = try launcher.start(body: body, variables: variables)
    }

    /// Runs a script to its end and returns how it ended and what it wrote to `$1`.
    static func run(
        _ script: String, body: [UInt8] = [], variables: EnvironmentBlock = EnvironmentBlock()
    ) throws -> (end: JobEnd?, output: String) {
        let child = try TestChild(script, body: body, variables: variables)
        let end = child.child.awaitEnd()
        return (end, child.read())
    }

    func read() -> String {
        (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    }

    /// Waits until the script has written something that ends with a newline.
    func awaitOutput() throws -> String {
        let hasOutput = soon { read().hasSuffix("\n") }
        try #require(hasOutput)
        return read()
    }
}

extension ChildProcess {
    /// Feeds the child and waits for its end; a child that doesn't end in time is killed, and that is nil.
    func awaitEnd() -> JobEnd? {
        var input = input
        defer { input.close() }
        var end: JobEnd?
        let hasEnded = soon {
            if input.isPending { input.write() }
            end = reap()
            return end != nil
        }
        guard !hasEnded else { return end }
        signalGroup(SIGKILL)
        waitpid(pid, nil, 0)
        return nil
    }
}

/// Whether `condition` holds within half a minute.
func soon(_ condition: () -> Bool) -> Bool {
    let deadline = Instant.now + .seconds(30)
    while !condition() {
        guard .now < deadline else { return false }
        usleep(2_000)
    }
    return true
}
