// What a publish is told and tells: its settings, its steps, its notices.

import Broker
import Posix

extension PublishState {
    package struct Settings {
        /// Whether to wait for confirms; without, window and deadlines don't hold.
        package var waitsForConfirms = true
        package static let usualWindow = 1_000
        package var window = Self.usualWindow
        package var confirmTimeout = Duration.seconds(30)
        package var retryFor: Duration?
        /// The least time between two tasks that are sent; nil for none.
        package var interval: Duration?
        /// Whether tasks are wanted back that aren't confirmed; without it they are forgotten once sent.
        package var keepsTasks = false
        /// Whether tasks of other destinations go on after a refusal, as from a spool; else it is the end.
        package var goesOnAfterRefusals = false

        package init() {}
    }

    /// What to do next.
    package enum Step {
        case connect(by: Instant)
        /// Wait before the next attempt to connect.
        case pause(until: Instant)
        case prepare(Route, Route.Preparation)
        /// Wait until the broker has worked off everything that was sent.
        case synchronize
        /// Wait for the broker, for signals and, where asked for, for input.
        case wait(until: Instant, forInput: Bool)
        case end
    }

    /// What people may want to know.
    package enum Notice: Equatable {
        case blocked(reason: String)
        case tryingAgain(BrokerError, for: Duration)
    }

    /// What there is to tell since the last call.
    package mutating func takeNotices() -> [Notice] {
        defer { notices = [] }
        return notices
    }
}
