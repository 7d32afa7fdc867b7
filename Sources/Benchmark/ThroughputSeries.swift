// How many messages each part of a run moved.

import Broker
import Posix

/// Counts in equal intervals of time. However long a run is, there are at most `limit` of them: when more are needed,
/// two become one.
package struct ThroughputSeries: Equatable {
    package static let limit = 1_200

    package private(set) var interval = Duration.milliseconds(100)
    package private(set) var counts: [Int] = []

    package init() {}

    /// Adds messages that were counted at `time` after the start.
    package mutating func add(_ count: Int, at time: Duration) {
        guard time >= .zero else { return }
        while index(of: time) >= Self.limit { halve() }
        let index = index(of: time)
        if counts.count <= index {
            counts.append(contentsOf: Array(repeating: 0, count: index + 1 - counts.count))
        }
        counts[index] += count
    }

    private func index(of time: Duration) -> Int { Int(time.nanoseconds / interval.nanoseconds) }

    private mutating func halve() {
        interval = interval * 2
        counts = stride(from: 0, to: counts.count, by: 2).map { index in
            counts[index] + (index + 1 < counts.count ? counts[index + 1] : 0)
        }
    }

    /// Messages a second, in at most `columns` equal parts. An interval that the run's end cut short is left out, where
    /// there are others.
    package func rates(columns: Int) -> [Double] {
        let whole = counts.count > 1 ? counts.dropLast() : counts[...]
        let columns = min(columns, whole.count)
        guard columns > 0 else { return [] }
        let seconds = Double(interval.nanoseconds) / 1e9
        return (0..<columns).map { column in
            let part = whole[column * whole.count / columns..<(column + 1) * whole.count / columns]
            return Double(part.reduce(0, +)) / (seconds * Double(part.count))
        }
    }
}
