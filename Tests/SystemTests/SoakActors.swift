// Who puts tasks on the soak's queue, and who looks after it meanwhile.

import Foundation
import TestSupport

/// A workq that runs meanwhile, with the moment at which it is killed, if it is.
private struct Errand {
    let process: WorkqProcess
    let start = Soak.now
    let killAt: Double?

    init(_ process: WorkqProcess, killed: Bool, _ generator: inout SeededGenerator) {
        self.process = process
        killAt = killed ? start + .random(in: 0...2, using: &generator) : nil
    }

    /// What the process left; nil while it runs.
    func result(_ soak: Soak, _ who: String) async throws -> WorkqProcess.Result? {
        guard process.isRunning else { return try await process.wait() }
        if let killAt, killAt <= Soak.now {
            soak.events.append(
                Causes.Event("\(who) killed", process: Int(process.pid), start: Soak.now, end: Soak.now))
            process.signal(SIGKILL)
            return try await process.wait()
        }
        return nil
    }

    func hold(_ task: Int?) -> Causes.Hold {
        Causes.Hold(task, process: Int(process.pid), start: start, end: Soak.now)
    }
}

/// Publishes batch after batch, and what remains of one again, until it is confirmed.
struct SoakPublisher {
    private static let largestBatch = 400

    var mayStart = false
    /// What the sender of each task was told.
    private(set) var sent: [Int: Checker.Outcome] = [:]
    private var errand: Errand?
    /// What is under way, or is to be published once more.
    private var batch: [Int] = []

    var isBusy: Bool { errand != nil || !batch.isEmpty }

    mutating func step(_ soak: Soak) async throws {
        if let errand {
            guard let result = try await errand.result(soak, "publisher") else { return }
            self.errand = nil
            end(errand, result, soak)
        } else if mayStart || !batch.isEmpty {
            try start(soak)
        }
    }

    private mutating func start(_ soak: Soak) throws {
        if batch.isEmpty {
            let count = Int.random(in: 1...Self.largestBatch, using: &soak.generator)
            batch = Array(sent.count..<sent.count + count)
        }
        // Until one knows better.
        for number in batch { sent[number] = .unknown }
        // Some are patient, and some come back with what remains.
        let patience =
            Bool.random(using: &soak.generator) ? ["--retry-for", "2m"] : ["--confirm-timeout", "5s"]
        let process = try soak.start(
            ["publish", "--lines", "--heartbeat", "3", "--unsent", soak.folder.path("unsent")] + patience
                + [soak.fixture.queue],
            throughProxy: Bool.random(using: &soak.generator),
            input: .text(batch.map { "\($0)\n" }.joined()))
        errand = Errand(process, killed: Int.random(in: 0..<20, using: &soak.generator) == 0, &soak.generator)
    }

    private mutating func end(_ errand: Errand, _ result: WorkqProcess.Result, _ soak: Soak) {
        soak.holds += batch.map { errand.hold($0) }
        let unsent = soak.folder.read("unsent").split(separator: "\n").compactMap { Int($0) }
        try? FileManager.default.removeItem(atPath: soak.folder.path("unsent"))
        switch result.status {
        case 128 + SIGKILL: batch = []
        case 0, 3, 69, 75, 76:
            for number in Set(batch).subtracting(unsent) { sent[number] = .confirmed }
            if (result.status == 0) != unsent.isEmpty { soak.faults.append("left \(unsent): \(result)") }
            batch = unsent
        default:
            soak.faults.append("publish: \(result)")
            batch = []
        }
    }
}

/// Lists, purges with a backup and puts it back, and moves tasks to another queue and back.
struct SoakOperator {
    private enum Chore {
        case list, purge, move, moveBack
        /// Puts back what is in the file.
        case restore(String)
    }

    var mayStart = true
    private(set) var lists = 0
    private(set) var purges = 0
    /// Purges whose backup had no more room.
    private(set) var fullDisks = 0
    private(set) var moves = 0
    /// How many tasks were put back.
    private(set) var restored = 0
    /// What is to be done before anything else: the first is under way.
    private var chores: [Chore] = []
    private var errand: Errand?
    private var pauseEnd = 0.0
    private var backupCount = 0

    var isBusy: Bool { !chores.isEmpty }

    mutating func step(_ soak: Soak) async throws {
        if let errand {
            guard let result = try await errand.result(soak, "operator") else { return }
            self.errand = nil
            try end(errand, result, soak)
            pauseEnd = Soak.now + .random(in: 0...3, using: &soak.generator)
        } else if pauseEnd <= Soak.now {
            if chores.isEmpty, mayStart { chores = [[.list], [.purge], [.move, .moveBack]].pick(&soak.generator) }
            try start(soak)
        }
    }

    private mutating func start(_ soak: Soak) throws {
        let words: [String]
        var input = WorkqProcess.Input.nothing
        var room: Int?
        switch chores.first {
        case nil: return
        case .list: words = ["list-queues", "--api-url", soak.nodes[0].apiURL]
        case .purge:
            backupCount += 1
            words = ["purge", soak.fixture.queue, "--backup", soak.folder.path("backup\(backupCount)")]
            if Bool.random(using: &soak.generator) { room = .random(in: 1_024...32_768, using: &soak.generator) }
        case .move:
            words = [
                "work", soak.fixture.queue, "--move-to", soak.aside, "--count", "100", "--idle-timeout", "2s",
                "--max-time", "20s",
            ]
        case .moveBack: words = ["work", soak.aside, "--move-to", soak.fixture.queue, "--drain", "--retry-for", "2m"]
        case .restore(let file):
            words = [
                "publish", "--ndjson", soak.fixture.queue, "--retry-for", "2m", "--unsent",
                soak.folder.path("\(file).rest"),
            ]
            input = .file(soak.folder.path(file))
        }
        let process = try soak.start(
            words, throughProxy: Bool.random(using: &soak.generator), input: input, room: room)
        errand = Errand(process, killed: Int.random(in: 0..<6, using: &soak.generator) == 0, &soak.generator)
    }

    private mutating func end(_ errand: Errand, _ result: WorkqProcess.Result, _ soak: Soak) throws {
        let chore = chores.removeFirst()
        // An outage, or a disk that is full from the start, may be the reason for these.
        if ![0, 3, 69, 74, 75, 76, 128 + SIGKILL].contains(result.status) { soak.faults.append("operator: \(result)") }
        switch chore {
        case .list: lists += 1
        case .purge:
            purges += 1
            if result.errors.contains("file too large") { fullDisks += 1 }
            let file = "backup\(backupCount)"
            var text = soak.folder.read(file)
            // Who is killed may leave half a line, of a task that is still on the queue.
            text = String(text[..<(text.lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex)])
            guard !text.isEmpty else { break }
            try soak.folder.write(text, to: file)
            soak.holds += Self.numbers(in: text).map { errand.hold($0) }
            chores = [.restore(file)]
        case .restore(let file):
            let numbers = Self.numbers(in: soak.folder.read(file))
            soak.holds += numbers.map { errand.hold($0) }
            let rest = soak.folder.read("\(file).rest")
            if result.status == 0 {
                restored += numbers.count
            } else if rest.isEmpty {
                // Killed: nobody knows what was put back.
                chores = [.restore(file)]
            } else {
                try soak.folder.write(rest, to: file)
                try FileManager.default.removeItem(atPath: soak.folder.path("\(file).rest"))
                chores = [.restore(file)]
            }
        case .move:
            moves += 1
            soak.holds.append(errand.hold(nil))
        case .moveBack:
            soak.holds.append(errand.hold(nil))
            if result.status != 0 { chores = [.moveBack] }
        }
    }

    /// The tasks of a backup.
    private static func numbers(in text: String) -> [Int] {
        text.matches(of: /"body":"(\d+)\\n"|"body":"(\d+)"/).compactMap { Int($0.output.1 ?? $0.output.2 ?? "") }
    }
}
