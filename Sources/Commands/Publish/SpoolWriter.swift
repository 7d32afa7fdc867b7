// Puts tasks into the spool, segment by segment.

import Publisher

/// Tasks of one destination on their way into a spool.
struct SpoolWriter {
    private let spool: Spool
    private let destination: Destination
    private let place: SpoolSegment.Place
    private let ids: PrintedIDs?
    private var lines: [UInt8] = []
    private var pending: [OutgoingTask] = []
    /// Tasks that are on disk.
    private(set) var kept = 0

    init(_ spool: Spool, _ destination: Destination, at place: SpoolSegment.Place, _ ids: PrintedIDs? = nil) {
        self.spool = spool
        self.destination = destination
        self.place = place
        self.ids = ids
    }

    /// Takes a task. It is on disk once a segment is full, or after `finish()`; what an error leaves is in `unkept`.
    mutating func add(_ task: OutgoingTask) throws(CommandError) {
        task.record.appendLine(to: &lines)
        pending.append(task)
        if pending.count >= SpoolSegment.taskLimit || lines.count >= SpoolSegment.byteLimit { try finish() }
    }

    mutating func finish() throws(CommandError) {
        guard !pending.isEmpty else { return }
        try spool.add(SpoolSegment.text(count: pending.count, lines, destination, place))
        let tasks = pending
        kept += tasks.count
        pending = []
        lines = []
        for task in tasks { ids?.add(task) }
    }

    /// Tasks that were taken and aren't on disk.
    var unkept: [OutgoingTask] { pending }
}
