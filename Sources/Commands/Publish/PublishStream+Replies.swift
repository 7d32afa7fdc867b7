// What a stream of tasks makes of what the broker says about them.

import Broker
import Publisher

extension PublishStream {
    func receive() throws(BrokerError) {
        while let event = try link.connection?.nextEvent() { try take(event) }
        if !isPendingSorted {
            pending.sort { $0.number > $1.number }
            isPendingSorted = true
        }
    }

    private func take(_ event: BrokerEvent) throws(BrokerError) {
        switch event {
        case .channelClosed(let error), .connectionClosed(let error):
            throw error
        case .blocked(let reason):
            blockedReason = reason
            voice.note("blocked by the broker: \(reason). Waiting")
        case .unblocked:
            blockedReason = nil
            lastProgress = .now
        case .returned(let returned) where !settings.confirms:
            takeBackUnconfirmed(returned)
        default:
            try link.publisher?.take(event, matches: { $0.id.matches($1) }, settled: settle)
            lastProgress = .now
        }
    }

    private func settle(_ task: OutgoingTask, _ outcome: PublisherConfirms<OutgoingTask>.Outcome) {
        unconfirmedBytes -= task.size
        switch outcome {
        case .confirmed:
            task.route.isProven = true
            link.noteProgress()
            report.confirm()
            source.confirm(task)
            print { ids throws(CommandError) in try ids.add(task) }
        case .nacked where settings.retryFor != nil: postpone(task)
        case .nacked: fail(task)
        case .returned(let returned): takeBack(task, returned)
        }
    }

    /// A task that the broker doesn't take now is sent again, as after an outage.
    private func postpone(_ task: OutgoingTask) {
        var task = task
        task.wasNacked = true
        task.wasSent = false
        pending.append(task)
        isPendingSorted = false
        wasNacked = true
    }

    private func fail(_ task: OutgoingTask) {
        report.failNacked(task.number)
        failed.append(task)
    }

    /// Gives up on the tasks that the broker doesn't take.
    func failNacked() {
        for task in pending where task.wasNacked { fail(task) }
        pending.removeAll(where: \.wasNacked)
    }

    /// A task that no queue took is sent once more after the queue is created, unless that has been tried.
    private func takeBack(_ task: OutgoingTask, _ returned: ReturnedMessage) {
        var task = task
        task.body = returned.body
        guard task.route.canCreate, !task.wasReturned else {
            report.failReturned(task.number > 0 ? task.number : nil, text: returned.text)
            return failed.append(task)
        }
        task.route.mustCreate = true
        task.wasReturned = true
        task.wasSent = false
        pending.append(task)
        isPendingSorted = false
    }

    /// Without confirms there is no account: the task is made from what came back.
    private func takeBackUnconfirmed(_ returned: ReturnedMessage) {
        report.unassume()
        guard let lastRoute else { return report.failReturned(nil, text: returned.text) }
        takeBack(
            OutgoingTask(
                number: 0, route: lastRoute, body: returned.body, id: .given(returned.properties.messageID ?? ""),
                Particulars(returned.properties)), returned)
    }

    // MARK: - Words

    /// The error in the words of what the user asked for.
    func named(_ error: BrokerError) -> BrokerError {
        guard let destination = lastRoute?.destination else { return error }
        var error = error
        if error.operation == "use the channel" || error.operation == "publish" {
            let what = culprit.map { "publish task \($0)" } ?? "publish"
            error.operation = "\(what) to \(destination.description)"
        }
        if error.code == .accessRefused, error.scope == .channel, error.neededPermission == nil {
            let exchange = destination.exchange.isEmpty ? "amq.default" : "\(destination.exchange)"
            error.neededPermission = "write to exchange \"\(exchange)\""
        }
        return error
    }

    func print(_ body: (PrintedIDs) throws(CommandError) -> Void) {
        guard let ids else { return }
        do throws(CommandError) {
            try body(ids)
        } catch {
            report.note(.failed(error))
        }
    }
}

extension MessageID {
    /// Whether a message that came back is the one of this id.
    fileprivate func matches(_ returned: ReturnedMessage) -> Bool {
        let id = returned.properties.messageID ?? ""
        return withBytes { id.bytes.elementsEqual($0) }
    }
}
