// Delivers what a spool holds.

import Broker
import Options
import Posix
import Worker

/// The delivery of everything in a spool, however often it takes a new start.
final class SpoolDelivery {
    /// How it ended.
    enum Ending {
        /// All that can be delivered is.
        case done
        /// Another process is delivering, or the broker is away; tasks stay behind for the reason.
        case postponed(String, ExitStatus)
    }

    private let spool: Spool
    private let link: BrokerLink
    private let settings: PublishStream.Settings
    private let context: CommandContext
    private let voice: PublishVoice
    private let signals: SignalPipe?
    private(set) var delivered = 0
    /// Whether tasks can't be delivered, which is told by now: the broker refused them, or their file can't be read. They
    /// stay in the spool, or are set aside.
    private(set) var hasRefusals = false

    init(
        _ spool: Spool, over link: BrokerLink, _ settings: PublishStream.Settings, in context: CommandContext,
        voice: PublishVoice, signals: SignalPipe? = nil
    ) {
        self.spool = spool
        self.link = link
        self.settings = settings
        self.context = context
        self.voice = voice
        self.signals = signals
    }

    /// Delivers the oldest tasks first.
    func run() throws(CommandError) -> Ending {
        guard try !spool.entries().isEmpty else { return .done }
        var signal: Int32?
        let isOurs = spool.lockForDelivery(until: .now + settings.confirmTimeout) { end in
            signal = signals.pause(until: end)
            return signal == nil
        }
        if let signal { throw CommandError(.signal(signal), "interrupted; the tasks stay in \(spool.folder)") }
        guard isOurs else {
            return .postponed("another publish is delivering from \(spool.folder)", .temporaryFailure)
        }
        defer { spool.unlockDelivery() }
        var settings = settings
        settings.keepsTasks = true
        var skipped: [Destination] = []
        while true {
            let source = try SpoolSource(spool, voice: voice, skipping: skipped)
            let stream = PublishStream(source, over: link, settings, in: context, voice: voice, signals: signals)
            stream.run()
            delivered += stream.report.confirmed
            let first = stream.leftovers.first
            if let refusal = stream.refusal, let first {
                // Nobody knows which task of several made the broker close the channel, so they go one by one.
                if settings.window == 1 {
                    try setAside(first, refusal, from: source)
                } else {
                    settings.window = 1
                }
                link.drop()
            }
            source.finish()
            if source.hasUndeliverable { hasRefusals = true }
            guard let trouble = stream.report.trouble, let reason = stream.report.reason else { return .done }
            switch trouble {
            case _ where stream.report.isOutage:
                link.drop()
                return .postponed(reason, stream.report.troubleStatus)
            case .returned, .nacked:
                hasRefusals = true
                guard let destination = first?.route.destination else { return .done }
                voice.say("tasks for \(destination.description) stay in \(spool.folder): \(reason)")
                skipped.append(destination)
            case _ where stream.refusal != nil:
                continue
            default:
                throw CommandError(
                    stream.report.troubleStatus, "tasks stay in \(spool.folder): \(reason)")
            }
        }
    }

    private func setAside(_ task: OutgoingTask, _ reason: BrokerError, from source: SpoolSource) throws(CommandError) {
        hasRefusals = true
        let place = try source.setAside(task) ?? spool.folder
        voice.say("the broker refuses a task of \(spool.folder), which is set aside as \(place): \(reason.message)")
    }
}
