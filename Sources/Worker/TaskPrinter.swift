// Prints tasks for a worker without a command.

import Broker
import DequeModule
import Posix

/// Tasks on their way to standard output, each followed by a separator, or in a form of its own. A task is done once
/// all of it is written.
struct TaskPrinter {
    private let separator: UInt8
    /// What is printed of a task, its end included; nil for its body.
    private let format: ((Delivery) -> [UInt8])?
    private(set) var buffer = OutputBuffer(descriptor: STDOUT_FILENO)
    /// The jobs in the buffer, with where each ends in all that was ever added.
    private var jobs: Deque<(job: WorkerState.JobID, end: Int)> = []

    init(separator: UInt8, format: ((Delivery) -> [UInt8])? = nil) {
        self.separator = separator
        self.format = format
    }

    mutating func add(_ job: WorkerState.JobID, _ delivery: Delivery) {
        if let format {
            buffer.add(format(delivery))
        } else {
            buffer.add(delivery.body)
            buffer.add(CollectionOfOne(separator))
        }
        jobs.append((job, buffer.totalAdded))
    }

    /// What came of writing.
    enum Progress {
        /// These jobs are written to the end.
        case done([WorkerState.JobID])
        /// An error number.
        case failed(Int32)
    }

    /// Writes one chunk. Call when poll(2) says that there is room.
    mutating func write() -> Progress {
        if let number = buffer.write() { return .failed(number) }
        var done: [WorkerState.JobID] = []
        while let first = jobs.first, first.end <= buffer.totalWritten {
            done.append(first.job)
            jobs.removeFirst()
        }
        return .done(done)
    }
}
