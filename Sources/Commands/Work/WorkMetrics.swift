// What monitoring reads of a worker.

import Options
import Posix
import Worker

/// A file of counts in Prometheus' text format.
struct WorkMetrics {
    private let path: String
    private let label: String
    private let context: CommandContext

    /// Throws where the file can't be written.
    init(_ path: String, queue: String, in context: CommandContext) throws(CommandError) {
        self.path = path
        self.context = context
        let escaped = queue.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : $0 == "\n" ? "\\n" : String($0) }
        label = "queue=\"\(escaped.joined())\""
        do throws(FileError) {
            try replace(with: "")
        } catch {
            throw CommandError(.cannotCreate, error.message)
        }
    }

    /// Writes the file whenever it is told something. What fails is told once until it works again.
    var reader: StatusReader {
        var hasFailed = false
        return StatusReader(every: .seconds(5)) { status in
            do throws(FileError) {
                try replace(with: text(status))
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

    private func text(_ status: WorkerState.Status) -> String {
        let tasks = Verdict.allCases.map { verdict in
            ("{\(label),verdict=\"\(verdict.rawValue)\"}", status.tally[verdict])
        }
        let families: [(name: String, type: String, help: String, samples: [(String, Int)])] = [
            ("workq_tasks_total", "counter", "Tasks that were settled, by what became of them.", tasks),
            ("workq_tasks_running", "gauge", "Commands that are running.", [("{\(label)}", status.running)]),
            ("workq_tasks_waiting", "gauge", "Tasks that wait in the worker.", [("{\(label)}", status.waiting)]),
            ("workq_tasks_held", "gauge", "Failed tasks that can't be passed on yet.", [("{\(label)}", status.held)]),
            ("workq_connected", "gauge", "Whether the broker is there.", [("{\(label)}", status.isConnected ? 1 : 0)]),
        ]
        return families.map { name, type, help, samples in
            "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
                + samples.map { "\(name)\($0) \($1)\n" }.joined()
        }.joined()
    }
}
