// What tests of faults share: workq behind a proxy or at a scripted peer, tasks fed bit by bit, and the time it takes.

import Foundation
import TestSupport
import Testing

extension TCPProxy {
    /// Points workq at the proxy.
    var environment: [String: String] { ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:\(port)"] }

    /// Waits until all that was read is forwarded and nothing more has come from the broker for a moment.
    func becomesQuiet() async throws {
        var last: Traffic?
        while true {
            let now = traffic(.toClient)
            if now == last, now.read == now.forwarded { return }
            last = now
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

extension ScriptedPeer {
    /// Points workq at the peer.
    var environment: [String: String] { ["WORKQ_URL": "amqp://guest:guest@127.0.0.1:\(port)"] }
}

/// A standard input that a test writes to bit by bit: the reader sees no end while this lives.
final class TaskPipe {
    let path: String
    private let folder: TemporaryFolder
    private let writer: FileHandle

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("pipe")
        try #require(mkfifo(path, 0o600) == 0)
        // Opened for both, so that opening waits for nobody; inherited by nobody, so that closing is the end.
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
        writer = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    var input: WorkqProcess.Input { .file(path) }

    func write(_ lines: String) throws {
        try writer.write(contentsOf: Data(lines.utf8))
    }

    /// Whether something is in it that nobody has read.
    var isFilled: Bool {
        var entry = pollfd(fd: writer.fileDescriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    /// Ends the input.
    func close() throws {
        try writer.close()
    }
}

/// A command that notes that it started, runs until it is told to go on, and notes that it ended.
final class HeldCommand {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    var words: [String] {
        let script = """
            cat > "$0/task"; echo start >> "$0/log"
            until [ -e "$0/go" ]; do sleep 0.1; done
            echo end >> "$0/log"
            """
        return ["sh", "-c", script, folder.path]
    }

    /// A line for every start and every end, from all runs.
    var log: String { folder.read("log") }

    func isStarted() async throws {
        try await eventually("the command runs", within: .seconds(30)) { log == "start\n" }
    }

    func letGo() throws {
        _ = try folder.write("", to: "go")
    }
}

extension WorkqProcess.Result {
    /// Whether the process crashed, or ended by a signal of its own making.
    var isCrash: Bool { status >= 128 || status == 70 }
}

extension WorkqProcess {
    /// Waits for the end and returns how long that took. A thread of its own looks at the clock then: on a busy machine
    /// this test may get its turn much later.
    func end(within limit: Duration) async throws -> (result: Result, time: Duration) {
        let (pid, start) = (pid, ContinuousClock.now)
        let end = Locked<ContinuousClock.Instant?>(nil)
        Thread.detachNewThread {
            var information = siginfo_t()
            waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT)
            end.with { $0 = .now }
        }
        let result = try await wait(timeout: limit)
        return (result, (end.with { $0 } ?? .now) - start)
    }

    /// How many times the process has written `text` to standard error.
    func count(of text: String) -> Int { errors.components(separatedBy: text).count - 1 }

    /// Waits until the process catches a signal, which would end it before.
    func catches(_ number: Int32) async throws {
        try await eventually("signal \(number) is caught") {
            let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            let mask = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }?.split(separator: "\t").last
            return mask.flatMap { UInt64($0, radix: 16) }.map { $0 >> UInt64(number - 1) & 1 == 1 } ?? false
        }
    }

    /// Asks a worker for its state until it tells of `text`.
    func tells(_ text: String) async throws {
        try await eventually("\"\(text)\" on standard error, which has: \(errors)") {
            signal(SIGUSR1)
            return errors.contains(text)
        }
    }

    /// Waits until a publish that prints ids has had so many tasks confirmed: that they are ready says less.
    func confirms(_ count: Int) async throws {
        try await eventually("\(count) tasks are confirmed") { output.split(separator: "\n").count == count }
    }

    /// Sends a signal that is taken for a second one: two in half a second are one.
    func signalAgain(_ number: Int32) async throws {
        try await Task.sleep(for: .seconds(2))
        signal(number)
    }

    /// Ends a worker that has nothing to do, and checks that it leaves in good order.
    func leave(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        signal(SIGTERM)
        let result = try await wait(timeout: .seconds(30))
        #expect(result.status == 0, "\(result)", sourceLocation: sourceLocation)
    }
}

/// Runs what blocks, as starting a broker does, on a thread of its own: those that tests share are few.
func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

extension PeerConnection {
    /// Lets a `workq work` with a command in, up to its consumer.
    func acceptWorker(heartbeat: UInt16 = 60) throws {
        try acceptLogin(heartbeat: heartbeat)
        try answer(.channelOpen)
        try answer(.queueDelete)
        try answer(.basicQos)
        try answer(.basicConsume)
    }

    /// Lets a `workq publish` in, up to its first task.
    func acceptPublisher() throws {
        try acceptLogin()
        try answer(.channelOpen)
        try expect(.confirmSelect)
    }

    /// The next `count` tasks, none of them answered.
    @discardableResult
    func expectTasks(_ count: Int) throws -> [PublishedMessage] {
        try (0..<count).map { _ in try expectPublish() }
    }
}

/// This machine's IPv6 address, on a port that takes no connection and refuses none: the listener's backlog is full.
final class BlackHole {
    private var descriptors: [Int32] = []

    init(port: Int) throws {
        var place = sockaddr_in6()
        place.sin6_family = sa_family_t(AF_INET6)
        place.sin6_port = in_port_t(port).bigEndian
        place.sin6_addr = in6addr_loopback
        for number in 0..<12 {
            let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
            descriptors.append(descriptor)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            let status = withUnsafePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
                    let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
                    return number == 0 ? bind(descriptor, place, size) : min(0, connect(descriptor, place, size) + 1)
                }
            }
            guard status == 0, number > 0 || listen(descriptor, 0) == 0 else {
                throw Failure("cannot listen on [::1]:\(port): \(String(cString: strerror(errno)))")
            }
        }
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
