// Tasks that are moved to another queue, and answers to those who wait for one.

import Broker
import Posix

extension WorkerState {
    /// Whether the outcome of the first task moved isn't known. Its queue may have to be created, and tasks that are sent
    /// meanwhile would overtake it.
    var isFirstMoveOpen: Bool {
        settings.destination != nil && tally[.acknowledge] == 0 && !departing.isEmpty
    }

    /// Sends a task on as it is; the original is acknowledged once the broker has confirmed the copy.
    mutating func move(
        _ delivery: Delivery, to destination: ShortString, _ now: Instant, _ actions: inout [Action]
    ) {
        let job = Job(delivery: delivery, session: session, started: now)
        depart(lastJob, job, .moved(to: destination), TaskCopy.attempt(of: delivery), .exited(0), &actions)
        if lastJob == settings.count { leave(&actions) }
    }

    /// Sends what the command wrote to whoever asked; the task is acknowledged once the broker has confirmed that.
    mutating func answer(_ id: JobID, _ job: Job, _ answer: [UInt8], _ actions: inout [Action]) {
        depart(id, job, .answered(answer), TaskCopy.attempt(of: job.delivery), .exited(0), &actions)
    }

    /// Whoever asked is gone. The task is done all the same.
    mutating func answerReturned(_ id: JobID, _ now: Instant, _ actions: inout [Action]) {
        guard let (job, _) = departing[id] else { return }
        actions.append(.report(.answerReturned(job.delivery)))
        copyConfirmed(id, now, &actions)
    }
}
