// What a publish comes to.

import Broker

extension PublishState {
    /// What became of the tasks, once everything has ended.
    package var tally: Tally {
        var tally = Tally()
        let open = leftovers
        tally.confirmed = confirmedCount
        tally.sent = forgotten ? inFlight.count : 0
        for (_, reason) in refused {
            switch reason {
            case .returned: tally.returned += 1
            case .nacked: tally.nacked += 1
            case .task, .destination: break
            }
        }
        tally.unknown = waiting.all.count(where: \.mayBeThere) + (forgotten ? 0 : inFlight.count)
        tally.firstFailed = open.first?.number ?? (trouble == nil || isInputOver ? nil : readCount + 1)
        return tally
    }

    /// Tasks that were read and are neither confirmed nor known to be on their way, in the order of reading.
    package var leftovers: [OutgoingTask] {
        (refused.map(\.task) + (forgotten ? [] : inFlight.tasks.map(\.unknown)) + waiting.all)
            .sorted { $0.number < $1.number }
    }

    /// Whether what is in flight was worked off by the broker and needs no confirm.
    private var forgotten: Bool { !settings.waitsForConfirms && !inFlight.isUnsynchronized }
}

extension OutgoingTask {
    /// The task when nobody will know what became of it.
    fileprivate var unknown: OutgoingTask {
        var task = self
        task.mayBeThere = true
        return task
    }
}
