// Starting real commands: what they get, what they don't, and what their end says.

import Foundation
import Posix
import TestSupport
import Testing

@testable import Worker

/// One after the other: some look at what a child inherits from this process.
@Suite("Command launcher", .serialized) struct CommandLauncherTests {
    @Test("exit statuses and signals are told apart")
    func ends() throws {
        for status in [0, 1, 64, 75, 255] as [Int32] {
            #expect(try TestChild.run("exit \(status)").end == .exited(status))
        }
        #expect(try TestChild.run("kill -TERM $$").end == .signalled(SIGTERM))
        #expect(try TestChild.run("kill -KILL $$").end == .signalled(SIGKILL))
    }

    @Test("a running child has no end yet")
    func running() throws {
        let child = try TestChild("read -r line && exit 5", body: Array(repeating: 0x78, count: 1 << 20)).child
        #expect(child.reap() == nil)
        #expect(child.input.isPending)
        // The long line never ends with a newline, so read fails and the status is its own.
        #expect(child.awaitEnd() == .exited(1))
    }

    @Test(
        "M1, M2 the body is the child's standard input, byte for byte, whatever its size",
        arguments: [0, 1, 65_536, 65_537, 1_000_003])
    func standardInput(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        let body = generator.bytes(size)
        let child = try TestChild(#"exec cat > "$1""#, body: body)
        #expect(child.child.awaitEnd() == .exited(0))
        #expect(FileManager.default.contents(atPath: child.output) == Data(body))
    }

    @Test("arguments and environment arrive byte for byte, and nothing is added")
    func argumentsAndEnvironment() throws {
        var variables = EnvironmentBlock()
        variables.add("WORKQ_X".utf8, "a b\n$(c)*".utf8)
        let result = try TestChild.run(
            #"printf '%s|' "$0" "$#" "$WORKQ_X" "$HOME" > "$1""#, variables: variables)
        #expect(result.end == .exited(0))
        #expect(result.output == "sh|1|a b\n$(c)*||")
    }

    @Test("M16 a hostile message's headers reach the command only under workq's names")
    func hostileHeaders() throws {
        let result = try TestChild.run(
            #"exec env > "$1""#,
            variables: TaskEnvironment.variables(
                for: WorkerTranscript.hostileDelivery, queue: "q"))
        #expect(result.end == .exited(0))
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains("WORKQ_HEADER_LD_PRELOAD=/evil.so"))
        #expect(lines.contains("PATH=/usr/bin:/bin"))
        // The shell's own ones apart.
        let names = lines.map { $0.prefix { $0 != "=" } }.filter {
            !["PWD", "OLDPWD", "SHLVL", "_", "PATH"].contains($0)
        }
        #expect(names.allSatisfy { $0.hasPrefix("WORKQ_") })
    }

    @Test("W5 a child leads a process group of its own")
    func processGroup() throws {
        let child = try TestChild("read -r line", body: Array(repeating: 0x78, count: 1 << 20)).child
        #expect(getpgid(child.pid) == child.pid)
        #expect(getpgrp() != child.pid)
        child.signalGroup(SIGKILL)
        #expect(child.awaitEnd() == .signalled(SIGKILL))
    }

    @Test("W3, W7 a signal to the group reaches what the command started")
    func signalsGroup() throws {
        // The grandchild holds the reading end of the pipe: as long as it lives, writing waits.
        let test = try TestChild(
            #"exec 3<&0; sleep 300 <&3 & echo started > "$1"; wait"#, body: Array(repeating: 0x78, count: 1 << 20))
        #expect(try test.awaitOutput() == "started\n")
        var child = test.child
        child.input.write()
        #expect(child.input.isPending)
        child.signalGroup(SIGTERM)
        #expect(child.awaitEnd() == .signalled(SIGTERM))
        let isGone = soon {
            child.input.write()
            return !child.input.isPending
        }
        #expect(isGone)
    }

    @Test(
        "W9 a child that never reads a large body ends as it likes, and one that never ends doesn't hold up the worker")
    func neverReads() throws {
        let body = [UInt8](repeating: 0x78, count: 10 << 20)
        var child = try TestChild("exit 0", body: body).child
        #expect(child.input.isPending)
        var end: JobEnd?
        #expect(
            soon {
                end = child.reap()
                return end != nil
            })
        #expect(end == .exited(0))
        child.input.write()
        #expect(!child.input.isPending)

        var sleeping = try TestChild("exec sleep 300", body: body).child
        for _ in 0..<100 { sleeping.input.write() }
        #expect(sleeping.input.isPending)
        #expect(sleeping.reap() == nil)
        sleeping.signalGroup(SIGTERM)
        #expect(sleeping.awaitEnd() == .signalled(SIGTERM))
    }

    @Test("W9 a child that closes its standard input and goes on working is left alone")
    func closesInput() throws {
        let result = try TestChild.run(
            #"exec <&-; echo fine > "$1"; exit 3"#, body: Array(repeating: 0x78, count: 1 << 20))
        #expect(result.end == .exited(3))
        #expect(result.output == "fine\n")
    }

    #if os(Linux)
        @Test("W23 a child has the descriptors 0, 1 and 2, and no other")
        func descriptors() throws {
            // Several that children would inherit, low and high ones.
            var extra = (0..<5).map { _ in open("/dev/null", O_RDONLY) }
            extra.append(fcntl(extra[0], F_DUPFD, 700))
            defer { for descriptor in extra { workq_close(descriptor) } }
            #expect(extra.allSatisfy { $0 > 2 && fcntl($0, F_GETFD) == 0 })
            let result = try TestChild.run(#"exec ls /proc/self/fd > "$1""#, body: [1])
            #expect(result.end == .exited(0))
            // 3 is the folder that ls reads.
            #expect(result.output.split(separator: "\n") == ["0", "1", "2", "3"])
            #expect(extra.allSatisfy { fcntl($0, F_GETFD) == FD_CLOEXEC || fcntl($0, F_GETFD) == 0 })
        }

        @Test("W24 a child starts with every signal at its default and none blocked")
        func signals() throws {
            TestProcess.prepare()
            var blocked = sigset_t()
            var before = sigset_t()
            sigemptyset(&blocked)
            sigaddset(&blocked, SIGHUP)
            sigaddset(&blocked, SIGUSR2)
            pthread_sigmask(SIG_BLOCK, &blocked, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            // This thread's own state shows that the test has something to show.
            let own = try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
            #expect(Self.signalSet("SigBlk", in: own) != 0)
            #expect(Self.signalSet("SigIgn", in: own) != 0)
            let result = try TestChild.run(#"exec cat /proc/self/status > "$1""#)
            #expect(result.end == .exited(0))
            for name in ["SigBlk", "SigIgn", "SigCgt"] { #expect(Self.signalSet(name, in: result.output) == 0) }
            // This thread's mask is as it was.
            let after = try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
            #expect(Self.signalSet("SigBlk", in: after) == Self.signalSet("SigBlk", in: own))
        }

        private static func signalSet(_ name: String, in status: String) -> UInt64? {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            let signals = line.flatMap { UInt64($0.dropFirst(name.count + 1).filter { !$0.isWhitespace }, radix: 16) }
            // 32 and 33 are the C library's own, which no program can change.
            return signals.map { $0 & ~(0b11 << 31) }
        }
    #endif
}
