// Which messages a rate is made of, and in what time.

import Posix

/// The settled messages that count for one thread's rate.
///
/// Where time decides how long is measured, they are those settled in that time, whenever they were sent: to leave out
/// what the warm-up has left unsettled would make a full window look like a slow broker. Where a number of messages
/// decides, they are just these, and their time begins when the warm-up's last message is settled.
struct MeasuredFlow: Equatable {
    private(set) var messages = 0
    /// When the last message of the warm-up was settled.
    private(set) var start: Instant?
    /// When the last of the counted messages was settled.
    private(set) var last: Instant?

    mutating func record(intended: Instant, settled: Instant, _ times: BenchTimes) {
        if times.end == .never, intended < times.measureStart {
            start = settled
        } else if settled >= times.measureStart, settled < times.end {
            messages += 1
            last = settled
        }
    }
}

extension BenchResults.Flow {
    /// What several threads moved together until `end`, which is the present while a run goes on.
    init(_ flows: [MeasuredFlow], _ times: BenchTimes, until end: Instant) {
        self.init(messages: flows.reduce(0) { $0 + $1.messages })
        guard times.end == .never else {
            time = max(.zero, min(times.end, end) - times.measureStart)
            return
        }
        guard let last = flows.compactMap(\.last).max() else { return }
        let start = flows.map { max($0.start ?? times.measureStart, times.measureStart) }.min()
        time = max(.zero, last - (start ?? times.measureStart))
    }
}
