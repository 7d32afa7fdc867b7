// What `--results` keeps of each command.

import Options
import Posix
import Worker

enum WorkResults {
    static func store(_ values: WorkCommand.Values, in context: CommandContext) throws(CommandError) -> ResultStore {
        let (process, queues) = (context.processName.map { $0 == "/" ? "_" : $0 }, values.queues)
        do throws(FileError) {
            return try ResultStore(
                values.results ?? "",
                name: { job in
                    let time = WallTime.now.text.filter { $0 != "-" && $0 != ":" }
                    return "\(time)-\(job)-" + process
                },
                record: { Array(WorkLogRecord(endOf: $0).line(queues: queues).utf8) })
        } catch {
            throw CommandError(.cannotCreate, error.message)
        }
    }
}

extension WorkLogRecord {
    /// What is kept of a command that has ended: what the log says of it, and when it started.
    init(endOf report: WorkerState.Report) {
        self.init(report, copyError: nil)
        let elapsed = Int64((seconds ?? 0) * 1_000)
        started = WallTime(milliseconds: WallTime.now.milliseconds - elapsed)
    }
}
