// What monitoring reads of a worker.

import Options
import Posix
import Worker

/// A file of counts in Prometheus' text format.
struct WorkMetrics {
    private let path: String
    /// Of each queue.
    private let labels: [String]
    private let context: CommandContext

    /// Throws where the file can't be written.
    init(_ path: String, queues: [String], in context: CommandContext) throws(CommandError) {
        self.path = path
        self.context = context
        labels = queues.map { queue in
            let escaped = queue.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : $0 == "\n" ? "\\n" : String($0) }
            return "queue=\"\(escaped.joined())\""
        }
        do throws(FileError) {
            try replace(with: "")
        } catch {
            throw CommandError(.cannotCreate, error.message)
        }
    }

    /// Writes the file whenever it is told something. What fails is told once until it works again.
    var reader: StatusReader {
        var hasFailed = false
        return StatusReader(every: .seconds(5)) { state in
            do throws(FileError) {
                try replace(with: text(state))
                hasFailed = false
            } catch {
                if !hasFailed { context.say(error.message) }
                hasFailed = true
            }
        }
    }

    /// Whoever reads the file finds it whole. It needn't survive a crash of the machine, which ends the worker too.
    private func replace(with text: String) throws(FileError) {
        let temporary = "\(path).\(getpid())"
        let number = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard number >= 0 else { throw FileError(.create, temporary, .last) }
        let file = Descriptor(owning: number)
        do throws(SystemError) {
            try Transfer.write(text, to: file.number)
        } catch {
            unlink(temporary)
            throw FileError(.write, path, error)
        }
        guard rename(temporary, path) == 0 else {
            defer { unlink(temporary) }
            throw FileError(.create, path, .last)
        }
    }

    private func text(_ state: WorkerState) -> String {
        let queues = labels.enumerated().map { index, label in (label: label, status: state.status(ofQueue: index)) }
        func gauge(_ value: (WorkerState.Status) -> Int) -> [(String, Int)] {
            queues.map { ("{\($0.label)}", value($0.status)) }
        }
        let tasks = queues.flatMap { label, status in
            Verdict.allCases.map { ("{\(label),verdict=\"\($0.rawValue)\"}", status.tally[$0]) }
        }
        let families: [(name: String, type: String, help: String, samples: [(String, Int)])] = [
            ("workq_tasks_total", "counter", "Tasks that were settled, by what became of them.", tasks),
            ("workq_tasks_running", "gauge", "Commands that are running.", gauge { $0.running }),
            ("workq_tasks_waiting", "gauge", "Tasks that wait in the worker.", gauge { $0.waiting }),
            ("workq_tasks_held", "gauge", "Failed tasks that can't be passed on yet.", gauge { $0.held }),
            ("workq_connected", "gauge", "Whether the broker is there.", gauge { $0.isConnected ? 1 : 0 }),
        ]
        return families.map { name, type, help, samples in
            "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
                + samples.map { "\(name)\($0) \($1)\n" }.joined()
        }.joined()
    }
}
