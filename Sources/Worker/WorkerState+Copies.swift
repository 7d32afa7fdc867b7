// Tasks that leave as copies: to be tried again, dead-lettered, moved or answered.

import Posix

extension WorkerState {
    /// The original is acknowledged only once the broker has confirmed the copy.
    mutating func depart(
        _ id: TaskID, _ fate: RetryPolicy.Fate, _ verdict: Verdict, _ attempt: Int,
        after outcome: TaskTable.Outcome? = nil, _ actions: inout [Action]
    ) {
        guard let task = tasks[id] else { return }
        let copy = TaskCopy(
            delivery: task.delivery, fate: fate, attempt: attempt, end: outcome?.end ?? .exited(0),
            errors: outcome?.output.errors ?? [])
        tasks.move(id, to: .leaving(TaskTable.Departure(copy: copy, verdict: verdict)))
        actions.append(.copy(id, copy))
    }

    mutating func copyConfirmed(_ id: TaskID, _ now: Instant, _ actions: inout [Action]) {
        guard let task = tasks[id], case .leaving(let departure) = task.stage else { return }
        noteActivity(now)
        pauseAfterFailure.reset()
        if isConnected(task) {
            acknowledge(task, as: departure.verdict, &actions)
        } else {
            keep(task, .copied(departure.verdict), now)
        }
    }

    /// The copy is sent again after a pause. The original isn't requeued for that: each time would count towards the
    /// delivery limit of a quorum queue, which drops a task that exceeds it.
    mutating func copyFailed(_ id: TaskID, isRefused: Bool, _ now: Instant, _ actions: inout [Action]) {
        guard let task = tasks[id], case .leaving(let departure) = task.stage else { return }
        noteActivity(now)
        actions.append(.report(.copyFailed(task.delivery)))
        guard isWorking else {
            if isConnected(task) { actions.append(.giveBack(deliveryTag: task.delivery.deliveryTag)) }
            return close(id, as: .giveBack)
        }
        guard isConnected(task) else { return keep(task, .unsent(departure), now) }
        // A task that can't be watched is tried all the same.
        if isRefused, case .watched = departure.copy.fate { return tasks.move(id, to: .waiting) }
        let size = task.delivery.body.count
        let isAside =
            isRefused && tasks.aside.count < Self.greatestAside.count
            && tasks.aside.bytes + size <= Self.greatestAside.bytes
        tasks.move(id, to: .resting(departure, until: pauseAfterFailure.end(after: now), isAside: isAside))
    }

    /// A task whose attempts can't be counted would be tried for ever, so it isn't tried again.
    mutating func copyUnfit(_ id: TaskID, _ now: Instant, _ actions: inout [Action]) {
        guard let task = tasks[id], case .leaving(let departure) = task.stage else { return }
        guard case .later = departure.copy.fate else { return copyFailed(id, isRefused: true, now, &actions) }
        let outcome = TaskTable.Outcome(
            verdict: .deadLetter, end: .unfit("its headers leave no room to count attempts"),
            output: CommandOutput(errors: departure.copy.errors))
        depart(id, .deadLetter, .deadLetter, TaskCopy.notedAttempt(of: task.delivery), after: outcome, &actions)
    }

    /// Whoever asked is gone. The task is done all the same.
    mutating func answerReturned(_ id: TaskID, _ now: Instant, _ actions: inout [Action]) {
        guard let task = tasks[id], case .leaving = task.stage else { return }
        actions.append(.report(.answerReturned(task.delivery)))
        copyConfirmed(id, now, &actions)
    }
}
