// The end of the soak: what went in, what came out, and why something was done twice.

import Foundation
import TestSupport

extension Soak {
    /// Lets the workers finish, and compares what went in with what came out.
    func account() async throws -> (Checker.Report, Causes) {
        let queues = [fixture.queue, retryQueue, aside]
        try await emptyQueues(queues)
        for worker in workers { worker.signal(SIGTERM) }
        for worker in workers {
            let result = try await worker.wait()
            if ![0, 128 + SIGKILL].contains(result.status) { faults.append("a worker's end: \(result)") }
        }
        // What the workers gave back, and what was waiting for its next attempt.
        for name in [fixture.queue, dead] {
            let rest = try await start(
                [
                    "work", name, "--idle-timeout", "3s", "--", "bash", "-c",
                    "read -r n; for w in start end; do echo $w $n $EPOCHREALTIME $PPID $$ >> \"$0\"; done",
                    folder.path("log"),
                ], throughProxy: false
            ).wait(timeout: length + .seconds(120))
            if rest.status != 0 { faults.append("the drain: \(rest)") }
        }
        for name in queues + [dead] where ready(name) ?? 0 != 0 { faults.append("\(name) isn't empty") }
        let log = SoakLog(folder.read("log"))
        events += log.kills
        holds += log.holds
        let seen = log.sightings.flatMap { task, starts in starts.map { _ in task } }
        return (
            Checker.check(sent: publisher.sent, seen: seen),
            Causes(of: log.sightings, holds: holds, events: events)
        )
    }

    /// Waits until the workers have done all there is.
    ///
    /// RabbitMQ 3.10 may stop to dead-letter what is on a quorum queue of a cluster. What is on its way when the queue's
    /// leader moves goes on after three minutes (rabbitmq-server's commit 4ed36e3 mended that for 3.12). What is ready
    /// although its time is over may stay until anything is done with the queue: it is woken, and that is told.
    private func emptyQueues(_ queues: [String]) async throws {
        var (quietSince, nextWaking) = (Soak.now, Soak.now + 30)
        var rest = ""
        defer { if !rest.isEmpty { print("not empty: \(rest)") } }
        try await eventually("the queues are empty", within: length + .seconds(900)) {
            try await replaceKilledWorkers()
            rest = try await statisticsOfRest(queues)
            for name in queues { if let ready = ready(name), ready > 0 { rest += " \(name) has \(ready) ready" } }
            if !rest.isEmpty { quietSince = Soak.now }
            if kind == .cluster, nextWaking <= Soak.now {
                try await wakeRetryQueue()
                nextWaking = Soak.now + 15
            }
            // Statistics are up to 10 seconds old.
            if Soak.now - quietSince > 12 { return true }
            try await Task.sleep(for: .milliseconds(500))
            return false
        }
    }

    private func wakeRetryQueue() async throws {
        guard ready(retryQueue) ?? 0 > 0 else { return }
        let look = try await start(["work", retryQueue, "--peek=1"], throughProxy: false).wait()
        if look.status != 0 { faults.append("the look at \(retryQueue): \(look)") }
        wakings += 1
    }

    /// The queues that aren't empty. What is being dead-lettered only the management API knows.
    private func statisticsOfRest(_ queues: [String]) async throws -> String {
        let text = try await Shell.run(["curl", "--silent", "--fail", "\(nodes[0].apiURL)/api/queues"])
        struct Queue: Decodable {
            var name: String
            var type: String
            var messages: Int?
            var messagesDlx: Int?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let rest = try decoder.decode([Queue].self, from: Data(text.utf8)).filter { queue in
            queues.contains(queue.name)
                && (queue.messages != 0 || queue.messagesDlx != (queue.type == "quorum" ? 0 : nil))
        }
        return rest.map { "\($0)" }.joined(separator: " ")
    }

    /// What the log has of some tasks.
    func history(of tasks: some Sequence<Int>) -> String {
        let log = folder.read("log").split(separator: "\n")
        let statistics = (try? Shell.runBlocking(["curl", "--silent", "\(nodes[0].apiURL)/api/queues"])) ?? ""
        return tasks.map { task in
            let lines = log.filter { $0.split(separator: " ").dropFirst().first == "\(task)" }.joined(separator: "\n")
            return "\(lines)\n\(holds.filter { $0.task == task })"
        }.joined(separator: "\n") + "\n\(events)\n\(statistics)"
    }
}
