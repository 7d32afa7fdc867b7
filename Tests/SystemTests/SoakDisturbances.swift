// What is done to the soak's workers, network and brokers.

import Foundation
import TestSupport

/// Disturbs workers all the time, and brokers and the network one after the other.
struct SoakDisturbances {
    private enum Outage: String, CaseIterable {
        case stop = "broker stopped"
        case crash = "broker killed"
        case alarm = "memory alarm"
        case cut = "connections cut"
        case stall = "network takes nothing"
        case blackhole = "network dead"
        case trickle = "network slow"
        case clock = "clock set"

        /// Whether it may be the reason why a task is done twice, or a worker can't leave as it should.
        var excuses: Bool { self != .clock }

        /// What the proxies do meanwhile.
        func mode(_ generator: inout SeededGenerator) -> TCPProxy.Mode {
            switch self {
            case .stop, .crash, .alarm, .clock: .pass
            case .cut: .cut(after: .random(in: 0...5_000, using: &generator), .toClient)
            case .stall: .stallRead(.toUpstream)
            case .blackhole: .blackhole
            case .trickle: .throttle(bytesPerTick: 20, tick: .milliseconds(10))
            }
        }
    }

    /// How long from one outage's begin to the next.
    private let period: Double
    private var nextOutage: Double
    private var nextKill: Double
    private var outages: [Outage] = []
    /// The outage that lasts.
    private var outage: (kind: Outage, start: Double, end: Task<Void, any Error>)?
    private let isOver = Locked(true)
    /// Workers that were told to leave, by their place, with when that was.
    private var leaving: [Int: Double] = [:]
    private var suspended: (index: Int, start: Double, end: Double)?
    /// How often workers that were told to leave did so with which status.
    private(set) var ends: [Int32: Int] = [:]
    /// How often the clock was set, which is no cause of anything.
    private(set) var clockChanges = 0

    init(length: Duration) {
        period = min(20, Double(length.components.seconds) / 4)
        nextOutage = Soak.now + period
        nextKill = Soak.now + 2
    }

    /// Whether the worker in this place was told to leave.
    func isLeaving(_ index: Int) -> Bool { leaving[index] != nil }

    mutating func step(_ soak: Soak) async throws {
        let now = Soak.now
        if nextKill <= now {
            try await disturbWorker(soak)
            nextKill = now + .random(in: 1...4, using: &soak.generator)
        }
        try await settleLeaving(soak)
        try wakeSuspended(soak)
        if isOver.with({ $0 }) { try await noteOutage(soak) }
        if nextOutage <= now, outage == nil {
            nextOutage = now + period
            begin(soak)
        }
    }

    /// Lifts what is in force.
    mutating func end(_ soak: Soak) async throws {
        if let suspended {
            self.suspended?.end = min(suspended.end, Soak.now)
            try wakeSuspended(soak)
        }
        try await eventually("workers that were told to leave have left", within: .seconds(120)) {
            try await settleLeaving(soak)
            return leaving.isEmpty
        }
        try await noteOutage(soak)
    }

    // MARK: - Workers

    private mutating func disturbWorker(_ soak: Soak) async throws {
        let index = soak.workers.indices.randomElement(using: &soak.generator) ?? 0
        guard leaving[index] == nil, suspended?.index != index else { return }
        let worker = soak.workers[index]
        switch Int.random(in: 0..<10, using: &soak.generator) {
        case 0..<5:
            worker.signal(SIGKILL)
            soak.events.append(
                Causes.Event("worker killed", process: Int(worker.pid), start: Soak.now, end: Soak.now))
            _ = try await worker.wait()
            soak.workers[index] = try soak.startWorker(index)
        case 5..<9:
            worker.signal(SIGTERM)
            leaving[index] = Soak.now
        default:
            // For longer than the broker waits for its heartbeats.
            guard suspended == nil else { return }
            worker.signal(SIGSTOP)
            suspended = (index, Soak.now, Soak.now + 10)
        }
    }

    /// What a worker had in hand that leaves when it is told to is no cause of anything.
    private mutating func settleLeaving(_ soak: Soak) async throws {
        for (index, start) in leaving where !isAlive(soak.workers[index].pid) {
            leaving[index] = nil
            let result = try await soak.workers[index].wait()
            ends[result.status, default: 0] += 1
            // In an outage it can't tell the broker of its last tasks, and says so.
            let isDisturbed = outage?.kind.excuses == true
            let wasDisturbed = isDisturbed || soak.events.contains { $0.process == nil && $0.end >= start }
            let expected: Set<Int32> = wasDisturbed ? [0, 69, 75, 128 + SIGKILL] : [0, 128 + SIGKILL]
            if !expected.contains(result.status) { soak.faults.append("a worker's polite end: \(result)") }
            soak.workers[index] = try soak.startWorker(index)
        }
    }

    private mutating func wakeSuspended(_ soak: Soak) throws {
        guard let suspended, suspended.end <= Soak.now else { return }
        let pid = soak.workers[suspended.index].pid
        kill(pid, SIGCONT)
        soak.events.append(
            Causes.Event(
                "worker suspended", process: Int(pid), start: suspended.start, end: Soak.now + Soak.aftermath))
        self.suspended = nil
    }

    // MARK: - Broker and network

    /// Begins an outage, which ends by itself. All kinds have their turn, those first that are always had.
    private mutating func begin(_ soak: Soak) {
        if outages.isEmpty {
            let first = [Outage.stop, .crash, .cut].shuffled(using: &soak.generator)
            outages = Outage.allCases.filter { !first.contains($0) }.shuffled(using: &soak.generator) + first
        }
        let kind = outages.removeLast()
        let mode = kind.mode(&soak.generator)
        let node = soak.nodes.pick(&soak.generator)
        let time = Duration.milliseconds(.random(in: 1_000...9_000, using: &soak.generator))
        let hours = [-24, -1, 1, 24].pick(&soak.generator)
        let (proxies, clock, isOver) = (soak.proxies, soak.clock, isOver)
        isOver.with { $0 = false }
        let end = Task {
            defer { isOver.with { $0 = true } }
            switch kind {
            case .stop: try await node.restart()
            case .crash:
                try await node.kill()
                try await node.restart()
            case .alarm:
                try await node.ctl("set_vm_memory_high_watermark", "0.00001")
                try await Task.sleep(for: time)
                try await node.ctl("set_vm_memory_high_watermark", "absolute", "2GB")
            case .cut, .stall, .blackhole, .trickle:
                for proxy in proxies { proxy.mode = mode }
                try await Task.sleep(for: time)
                for proxy in proxies { proxy.mode = .pass }
            case .clock:
                try clock.become(.shifted(by: hours * 3_600))
                try await Task.sleep(for: time)
                try clock.become(.shifted(by: 0))
            }
        }
        outage = (kind, Soak.now, end)
    }

    private mutating func noteOutage(_ soak: Soak) async throws {
        guard let outage else { return }
        try await outage.end.value
        self.outage = nil
        guard outage.kind.excuses else {
            clockChanges += 1
            return
        }
        soak.events.append(
            Causes.Event(outage.kind.rawValue, process: nil, start: outage.start, end: Soak.now + Soak.aftermath))
    }
}
