// Everything at once, for as long as one likes: `make soak` runs it for ten minutes, the other tests for half a minute.

import Broker
import Foundation
import Posix
import TestSupport
import Testing

@Suite("soak", .serialized)
struct SoakTests {
    private static let seconds = ProcessInfo.processInfo.environment["WORKQ_SOAK_SECONDS"].flatMap(Int.init)

    private static let kinds: [Soak.Kind] =
        if let name = ProcessInfo.processInfo.environment["WORKQ_SOAK_KIND"], let kind = Soak.Kind(rawValue: name) {
            [kind]
        } else {
            seconds == nil ? [.classic, .quorum] : Soak.Kind.allCases
        }

    @Test(
        "N2 N3 N4 N11 W1 W2 W27 R3 whatever is disturbed, no task is lost, made up, or done twice without a cause",
        arguments: kinds)
    func soak(kind: Soak.Kind) async throws {
        let soak = try await Soak(kind, length: .seconds(Self.seconds ?? 15))
        try await soak.run()
        let (report, causes) = try await soak.account()
        let summary = "soak, \(kind), \(soak.length):\n\(report)\n\(causes)\n\(soak.notes)"
        print(summary)
        #expect(
            report.isSound && soak.faults.isEmpty,
            "\(summary)\n\(soak.faults.joined(separator: "\n"))\n\(soak.history(of: report.lost.prefix(3)))")
        #expect(causes.unexplained.isEmpty, "\(summary)\n\(soak.history(of: causes.unexplained.prefix(3)))")
        #expect(!report.sent.isEmpty && soak.isThorough, "\(summary)")
    }
}

/// Tasks of random length and outcome on brokers of their own, with workers that come and go.
final class Soak {
    enum Kind: String, CaseIterable {
        case classic, quorum
        /// A quorum queue on three nodes.
        case cluster
    }

    static let workerCount = 3
    private static let jobs = 4
    static let mostWaiting = 1_000
    /// For how long after its end an outage may still be the cause of something: connections are made again.
    static let aftermath = 10.0

    let kind: Kind
    let length: Duration
    let nodes: [ThrowawayBroker]
    /// One for each node.
    let proxies: [TCPProxy]
    let fixture: Fixture
    let folder: TemporaryFolder
    /// All commands' time of day.
    let clock: ChangedClock
    var generator = SeededGenerator()
    var workers: [WorkqProcess] = []
    var publisher = SoakPublisher()
    var operatorAtWork = SoakOperator()
    var disturbances: SoakDisturbances
    /// What was done, and who had what in hand.
    var events: [Causes.Event] = []
    var holds: [Causes.Hold] = []
    /// What must not be, in words.
    var faults: [String] = []
    /// How often the retry queue was woken.
    var wakings = 0

    var retryQueue: String { fixture.retryQueue("200ms") }
    var aside: String { fixture.anotherQueue("aside") }
    var dead: String { "\(fixture.queue).dead" }

    /// A quorum queue's limit is low, and its dead letters are the worker's.
    init(_ kind: Kind, length: Duration) async throws {
        self.kind = kind
        self.length = length
        nodes = try await onOwnThread {
            kind == .cluster ? try Cluster().nodes : [try ThrowawayBroker()]
        }
        proxies = try nodes.map { try TCPProxy(upstreamPort: $0.port) }
        folder = try TemporaryFolder()
        clock = try await ChangedClock()
        fixture = try Fixture(nodes[0])
        disturbances = SoakDisturbances(length: length)
        let channel = try fixture.channel()
        let type = kind == .classic ? QueueType.classic : .quorum
        for name in [dead, aside] { try channel.declareQueue(ShortString(name), type: type) }
        let limited: FieldTable = [
            "x-delivery-limit": .int64(5), "x-dead-letter-exchange": .text(""),
            "x-dead-letter-routing-key": .text(dead), "x-dead-letter-strategy": .text("at-least-once"),
            "x-overflow": .text("reject-publish"),
        ]
        try channel.declareQueue(
            ShortString(fixture.queue), type: type, arguments: kind == .classic ? FieldTable() : limited)
        _ = retryQueue
        workers = try (0..<Self.workerCount).map { try startWorker($0) }
    }

    /// Seconds since 1970, as the commands note them.
    static var now: Double { Date().timeIntervalSince1970 }

    /// Starts workq at the nodes, through the proxies or not, with room for so many bytes in each file that it writes.
    func start(
        _ words: [String], throughProxy: Bool, input: WorkqProcess.Input = .nothing, room: Int? = nil
    ) throws -> WorkqProcess {
        let ports = throughProxy ? proxies.map(\.port) : nodes.map(\.port)
        let urls = ports.flatMap { ["--url", "amqp://guest:guest@127.0.0.1:\($0)/"] }
        let words = words.prefix(1) + urls + words.dropFirst()
        let environment = clock.environment.merging(["WORKQ_API_URL": nodes[0].apiURL]) { $1 }
        guard let room else { return try WorkqProcess(Array(words), input: input, environment: environment) }
        // A limit on the size of files fails as a full disk does. It is told in blocks of 512 bytes.
        let script = "trap '' XFSZ; ulimit -f \(room / 512); exec \"$0\" \"$@\""
        return try WorkqProcess(
            ["-c", script, WorkqProcess.executable] + words, input: input, environment: environment,
            executable: "/bin/sh")
    }

    /// Notes start and end of a task with the process that has it. Most are short and succeed; some take long, fail in
    /// one way or the other, or kill their worker.
    private static let command = """
        read -r number
        echo "start $number $EPOCHREALTIME $PPID $$" >> "$0"
        chance=$((SRANDOM % 2000))
        case $chance in
        ?|1?) sleep "$((chance / 5)).5" ;;
        [2-9]?|[1-3]??) sleep "0.$chance" ;;
        4??) exit 1 ;;
        5[0-4]?) exit 75 ;;
        55?|56?) exit 65 ;;
        57?|58?) kill -SEGV $$ ;;
        590) echo "kill $number $EPOCHREALTIME $PPID $$" >> "$0"; kill -KILL $PPID; sleep 1 ;;
        esac
        echo "end $number $EPOCHREALTIME $PPID $$" >> "$0"
        """

    /// Every other worker is behind the proxy.
    func startWorker(_ index: Int) throws -> WorkqProcess {
        try start(
            [
                "work", fixture.queue, "--quiet", "--jobs", "\(Self.jobs)", "--heartbeat", "3", "--retry-delay",
                "200ms", "--max-attempts", "1000", "--retry-for", "10m", "--", "bash", "-c", Self.command,
                folder.path("log"),
            ], throughProxy: index % 2 == 0)
    }

    /// Tasks ready on a queue; nil when nobody answers.
    func ready(_ name: String? = nil) -> Int? {
        for node in nodes {
            if let status = try? fixture.channel(on: node).status(ofQueue: ShortString(name ?? fixture.queue)) {
                return status.ready
            }
        }
        return nil
    }

    /// Publishes, looks after the queue, disturbs and mends until the time is up.
    func run() async throws {
        let start = ContinuousClock.now
        var nextLook = start
        while ContinuousClock.now < start + length || !isThorough {
            if nextLook <= .now {
                // Workers that never catch up would be busy for long after the time is up.
                publisher.mayStart = ready() ?? Self.mostWaiting < Self.mostWaiting
                nextLook = .now + .seconds(1)
            }
            try await publisher.step(self)
            try await operatorAtWork.step(self)
            try await disturbances.step(self)
            try await replaceKilledWorkers()
            try await Task.sleep(for: .milliseconds(50))
        }
        try await disturbances.end(self)
        (publisher.mayStart, operatorAtWork.mayStart) = (false, false)
        try await eventually("the publisher and the operator are done", within: .seconds(180)) {
            try await publisher.step(self)
            try await operatorAtWork.step(self)
            try await replaceKilledWorkers()
            return !publisher.isBusy && !operatorAtWork.isBusy
        }
    }

    /// Whether everything was done at least once that is always done.
    var isThorough: Bool {
        let kinds = Set(events.map(\.kind))
        return kinds.isSuperset(of: ["worker killed", "broker stopped", "broker killed", "connections cut"])
            && operatorAtWork.restored > 0 && operatorAtWork.moves > 0
    }

    /// What isn't in the accounts.
    var notes: String {
        let ends = disturbances.ends.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }
        return """
            operator: \(operatorAtWork.lists) lists, \(operatorAtWork.purges) purges, \(operatorAtWork.fullDisks) of \
            them with a full disk, \(operatorAtWork.restored) tasks restored, \(operatorAtWork.moves) moves; workers \
            stopped politely: \(ends.joined(separator: ", ")); clock set \(disturbances.clockChanges) times; retry \
            queue woken \(wakings) times
            """
    }

    /// Some commands kill their worker.
    func replaceKilledWorkers() async throws {
        for index in workers.indices where !disturbances.isLeaving(index) && !isAlive(workers[index].pid) {
            let result = try await workers[index].wait()
            if result.status != 128 + SIGKILL { faults.append("a worker left: \(result)") }
            workers[index] = try startWorker(index)
        }
    }
}
