// What a run of a bench has found.

import Broker
import Posix

/// Counts, rates and latencies of one run. Counts are of the whole run, flows and latencies of its measured part.
package struct BenchResults {
    /// Measured messages, and the time that they took.
    package struct Flow: Equatable {
        package var messages = 0
        package var time = Duration.zero

        package init(messages: Int = 0, time: Duration = .zero) {
            self.messages = messages
            self.time = time
        }

        package var seconds: Double { Double(time.nanoseconds) / 1e9 }
        /// Messages a second.
        package var rate: Double { seconds > 0 ? Double(messages) / seconds : 0 }
    }

    package var sent = 0
    package var confirmed = 0
    package var nacked = 0
    package var returned = 0
    /// Sent, and neither confirmed nor refused.
    package var unconfirmed = 0
    /// With those that came twice.
    package var received = 0
    /// Confirmed, and not received; nil where the run was interrupted and nobody can tell.
    package var lost: Int?
    /// What an earlier run has left to be received; nil where this one has sent.
    package var backlog: Int?
    /// Of a received message's body, in bytes.
    package var size = 0
    package var duplicated = 0
    package var reordered = 0
    package var publishing = Flow()
    package var consuming = Flow()
    package var confirmLatency = LatencyHistogram()
    /// From the intended send time to the arrival at a consumer.
    package var arrivalLatency = LatencyHistogram()
    package var published = ThroughputSeries()
    package var consumed = ThroughputSeries()
    /// Whether anything was sent, so that there are figures to show.
    package var hasStarted = false
    package var interruption: BenchRun.Interruption?
    /// From the start, warm-up included.
    package var ranFor = Duration.zero

    package init() {}

    /// The latency that counts where no other is named: end to end, or that of confirms where nobody consumes.
    package var mainLatency: LatencyHistogram { arrivalLatency.isEmpty ? confirmLatency : arrivalLatency }
}
