// Delivers what a spool holds.

import Broker
import Options
import Posix
import Publisher

/// The delivery of everything in a spool that is for this broker.
struct SpoolDelivery {
    /// How it ended.
    enum Ending {
        /// All that can be delivered is.
        case done
        /// Another process is delivering, or the broker is away; tasks stay behind for the reason.
        case postponed(String, ExitStatus)
    }

    let spool: Spool
    let place: SpoolSegment.Place
    let session: PublishSession
    var settings: PublishState.Settings
    let interruption: Interruption?
    let voice: PublishVoice
    private(set) var delivered = 0
    /// Whether tasks can't be delivered, which is told by now: the broker refused them, or their file can't be read.
    /// They stay in the spool, or are set aside.
    private(set) var hasRefusals = false

    init(
        _ spool: Spool, at place: SpoolSegment.Place, over session: PublishSession, _ settings: PublishState.Settings,
        interruption: Interruption?, voice: PublishVoice
    ) {
        self.spool = spool
        self.place = place
        self.session = session
        self.settings = settings
        self.settings.keepsTasks = true
        self.settings.goesOnAfterRefusals = true
        self.interruption = interruption
        self.voice = voice
    }

    /// Delivers the oldest tasks first.
    mutating func run() throws(CommandError) -> Ending {
        guard try !spool.entries().isEmpty else { return .done }
        switch spool.lockForDelivery(until: .now + settings.confirmTimeout, interruption) {
        case .taken: break
        case .late: return .postponed("another publish is delivering from \(spool.folder)", .temporaryFailure)
        case .interrupted(let signal):
            throw CommandError(.signal(signal), "interrupted; the tasks stay in \(spool.folder)")
        }
        defer { spool.unlockDelivery() }
        let source = try SpoolSource(spool, at: place) { [voice] in voice.say($0) }
        let state = PublishLoop(
            source, over: session, settings, interruption: interruption, listener: voice.listener(showsProgress: false)
        ).run()
        source.finish()
        delivered = state.confirmedCount
        hasRefusals = source.hasRefusals
        if source.foreignCount > 0 {
            let isOne = source.foreignCount == 1
            voice.note(
                "\(source.foreignCount) \(isOne ? "task" : "tasks") for another vhost or broker "
                    + "\(isOne ? "stays" : "stay") in \(spool.folder)")
        }
        guard let trouble = state.trouble else { return .done }
        let report = PublishReport(state)
        guard !trouble.isOutage else {
            session.leave()
            return .postponed(trouble.message, report.status == .partlyDone ? ExitStatus(trouble) : report.status)
        }
        throw CommandError(ExitStatus(trouble), "tasks stay in \(spool.folder): \(trouble.message)")
    }
}
