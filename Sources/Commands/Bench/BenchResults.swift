// What a run of a bench has found.

import Broker
import Options
import Posix

/// Counts, rates and latencies of one run. Counts are of the whole run, flows and latencies of its measured part.
struct BenchResults {
    /// Measured messages, and the time from the end of the warm-up to the last of them.
    struct Flow: Equatable {
        var messages = 0
        var time = Duration.zero

        var seconds: Double { Double(time.nanoseconds) / 1e9 }
        /// Messages a second.
        var rate: Double { seconds > 0 ? Double(messages) / seconds : 0 }
    }

    var sent = 0
    var confirmed = 0
    var nacked = 0
    var returned = 0
    /// Sent, and neither confirmed nor refused.
    var unconfirmed = 0
    /// With those that came twice.
    var received = 0
    /// Confirmed, and not received; nil where the run was interrupted and nobody can tell.
    var lost: Int?
    var duplicated = 0
    var reordered = 0
    var publishing = Flow()
    var consuming = Flow()
    var confirmLatency = LatencyHistogram()
    /// From the intended send time to the arrival at a consumer.
    var arrivalLatency = LatencyHistogram()
    var published = ThroughputSeries()
    var consumed = ThroughputSeries()
    /// Whether anything was sent, so that there are figures to show.
    var hasStarted = false
    var interruption: BenchRun.Interruption?
    /// From the start, warm-up included.
    var ranFor = Duration.zero

    /// The latency that counts where no other is named: end to end, or that of confirms where nobody consumes.
    var mainLatency: LatencyHistogram { arrivalLatency.isEmpty ? confirmLatency : arrivalLatency }
}

extension BenchRun.Interruption {
    /// One word for programs.
    var kind: String {
        switch self {
        case .signal: "signal"
        case .failed: "failed"
        case .blocked: "blocked"
        case .unanswered: "unanswered"
        case .stalled: "stalled"
        case .noThread: "no-thread"
        }
    }

    /// What happened, and where it helps, what it means.
    var text: String {
        switch self {
        case .signal: "interrupted"
        case .failed(let error): CommandError(error).message
        case .blocked(let reason):
            "the broker is short of resources and blocks publishers (\(reason)): it should get no more load"
        case .unanswered(let time): "no confirm in \(time.shortText)"
        case .stalled(let time): "nothing arrived in \(time.shortText), though the queue has messages"
        case .noThread: "the system refuses another thread"
        }
    }

    var status: ExitStatus {
        switch self {
        case .signal(let number): .signal(number)
        case .failed(let error): ExitStatus(error)
        case .blocked, .unanswered, .stalled, .noThread: .temporaryFailure
        }
    }
}
