// Why a task was seen twice: who had it in hand when something was done to them.

/// Explains duplicates by what was done to workq and its broker while somebody had the task in hand. Work is done at
/// least once; but what is done again without a cause is a fault.
package struct Causes: Sendable, CustomStringConvertible {
    /// Something that was done on purpose. Times are in seconds, since any moment.
    package struct Event: Sendable {
        package var kind: String
        /// The process that it was done to; nil where all had to do with it.
        package var process: Int?
        package var start: Double
        package var end: Double

        package init(_ kind: String, process: Int? = nil, start: Double, end: Double) {
            (self.kind, self.process, self.start, self.end) = (kind, process, start, end)
        }
    }

    /// A time in which a process had a task in hand, or may have had any, which is nil.
    package struct Hold: Sendable {
        package var task: Int?
        package var process: Int
        package var start: Double
        package var end: Double

        package init(_ task: Int?, process: Int, start: Double, end: Double) {
            (self.task, self.process, self.start, self.end) = (task, process, start, end)
        }
    }

    /// What one kind of events came to.
    package struct Count: Sendable, Equatable {
        package var events: Int
        /// How often one of them found a task in somebody's hands: as many may be seen once more.
        package var inHand: Int
        package var duplicates: Int

        package init(events: Int = 0, inHand: Int = 0, duplicates: Int = 0) {
            (self.events, self.inHand, self.duplicates) = (events, inHand, duplicates)
        }
    }

    package private(set) var counts: [String: Count] = [:]
    /// Tasks that were seen once more without a cause, in ascending order.
    package private(set) var unexplained: [Int] = []

    /// How long before a hold, and after it, an event still concerns it: an acknowledgement takes its way.
    private static let slack = 1.0

    /// `sightings` has, for each task, when each of those began that saw it to its end. Each sighting but the first
    /// needs an event of its own, or a hold of its own, that came before.
    package init(of sightings: [Int: [Double]], holds: [Hold], events: [Event]) {
        let calendar = Calendar(events)
        for event in events { counts[event.kind, default: Count()].events += 1 }
        var holdsOfTask: [Int: [Hold]] = [:]
        for hold in holds {
            for event in calendar.events(concerning: hold) { counts[event.kind]?.inHand += 1 }
            if let task = hold.task, sightings[task, default: []].count > 1 {
                holdsOfTask[task, default: []].append(hold)
            }
        }
        let holdsOfAny = holds.filter { $0.task == nil }
        for (task, starts) in sightings.sorted(by: { $0.key < $1.key }) where starts.count > 1 {
            var pairs = (holdsOfTask[task, default: []] + holdsOfAny).flatMap { hold in
                calendar.events(concerning: hold).map { (hold: hold, event: $0) }
            }
            pairs.sort { $0.event.start < $1.event.start }
            for start in starts.sorted().dropFirst() {
                if let index = pairs.lastIndex(where: { $0.hold.start < start && $0.event.start < start }) {
                    counts[pairs.remove(at: index).event.kind]?.duplicates += 1
                } else {
                    unexplained.append(task)
                }
            }
        }
    }

    /// The events of each second, since there are many of them and very many holds.
    private struct Calendar {
        private let events: [Event]
        private var bySecond: [Int: [Int]] = [:]

        init(_ events: [Event]) {
            self.events = events
            for (index, event) in events.enumerated() {
                for second in Self.seconds(event.start, event.end) { bySecond[second, default: []].append(index) }
            }
        }

        func events(concerning hold: Hold) -> [Event] {
            Set(Self.seconds(hold.start, hold.end).flatMap { bySecond[$0] ?? [] }).map { events[$0] }.filter { event in
                (event.process == nil || event.process == hold.process)
                    && event.start <= hold.end + slack && hold.start <= event.end + slack
            }
        }

        private static func seconds(_ start: Double, _ end: Double) -> ClosedRange<Int> {
            Int((start - slack).rounded(.down))...Int((max(start, end) + slack).rounded(.down))
        }
    }

    package var description: String {
        let lines = counts.sorted { $0.key < $1.key }.map { kind, count in
            "\(kind): \(count.events) times, \(count.inHand) tasks in hand, \(count.duplicates) duplicates"
        }
        return (lines + ["duplicates without a cause: \(unexplained.count) \(unexplained.prefix(20))"])
            .joined(separator: "\n")
    }
}
