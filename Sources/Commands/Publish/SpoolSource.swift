// The tasks of the spool on their way to the broker.

import Broker
import Options

/// All tasks that are in a spool when this is made, oldest first. A file goes when the broker has all of its tasks.
final class SpoolSource: TaskSource {
    /// A segment of which not all tasks are confirmed.
    private struct Open {
        var entry: Spool.Entry
        var segment: SpoolSegment
        let route: Route
        /// The number of its first task.
        var first: Int
        /// Which of its tasks are done with, and how many aren't.
        var isDone: [Bool]
        var remaining: Int

        init(_ entry: Spool.Entry, _ segment: SpoolSegment, _ route: Route, first: Int) {
            self.entry = entry
            self.segment = segment
            self.route = route
            self.first = first
            remaining = segment.tasks.count
            isDone = Array(repeating: false, count: remaining)
        }

        func holds(_ task: OutgoingTask) -> Bool { first..<first + isDone.count ~= task.number }
    }

    private let spool: Spool
    private let voice: PublishVoice
    /// Destinations whose tasks stay where they are.
    private let skipped: [Destination]
    private var waiting: ArraySlice<Spool.Entry>
    private var open: [Open] = []
    /// The tasks of the newest open segment that weren't handed out.
    private var ready: ArraySlice<TaskRecord> = []
    private var routes: [Route] = []
    private var lastNumber = 0
    /// Whether there was a file that can't be delivered.
    private(set) var hasUndeliverable = false

    init(_ spool: Spool, voice: PublishVoice, skipping skipped: [Destination]) throws(CommandError) {
        self.spool = spool
        self.voice = voice
        self.skipped = skipped
        waiting = try spool.entries()[...]
    }

    var isExhausted: Bool { ready.isEmpty && waiting.isEmpty }
    var descriptor: Int32? { nil }
    func read() {}

    func next() -> OutgoingTask? {
        while ready.isEmpty {
            guard let entry = waiting.popFirst() else { return nil }
            load(entry)
        }
        guard let record = ready.popFirst(), let route = open.last?.route else { return nil }
        lastNumber += 1
        return OutgoingTask(
            number: lastNumber, route: route, body: record.body, id: .given(record.properties.messageID ?? ""),
            Particulars(record.properties))
    }

    private func load(_ entry: Spool.Entry) {
        do throws(CommandError) {
            guard let text = try spool.read(entry) else { return }
            let segment = try Self.segment(text)
            guard !skipped.contains(segment.destination) else { return }
            guard !segment.tasks.isEmpty else { return spool.remove(entry) }
            open.append(Open(entry, segment, try route(to: segment.destination), first: lastNumber + 1))
            ready = segment.tasks[...]
        } catch {
            hasUndeliverable = true
            guard error.status == .refused else { return voice.say(error.message) }
            let place = spool.setAside(entry).map { "it is set aside as \($0)" } ?? "and it can't be set aside"
            voice.say("cannot deliver \(spool.folder)/\(entry.name): \(error.message); \(place)")
        }
    }

    private static func segment(_ text: [UInt8]) throws(CommandError) -> SpoolSegment {
        do throws(SpoolSegment.Malformed) {
            return try SpoolSegment(text)
        } catch {
            throw CommandError(.refused, error.reason)
        }
    }

    /// One route a destination, so that what is known of it counts for all its segments.
    private func route(to destination: Destination) throws(CommandError) -> Route {
        if let route = routes.first(where: { $0.destination == destination }) { return route }
        do throws(BrokerError) {
            let route = try Route(to: destination, properties: MessageProperties())
            routes.append(route)
            return route
        } catch {
            throw CommandError(error)
        }
    }

    // MARK: - What became of them

    func confirm(_ task: OutgoingTask) {
        guard let index = open.firstIndex(where: { $0.holds(task) }) else { return }
        open[index].isDone[task.number - open[index].first] = true
        open[index].remaining -= 1
        guard open[index].remaining == 0 else { return }
        spool.remove(open[index].entry)
        open.remove(at: index)
    }

    /// Puts a task out of the way that the broker will never take, and returns where it is.
    func setAside(_ task: OutgoingTask) throws(CommandError) -> String? {
        guard let segment = open.first(where: { $0.holds(task) }) else { return nil }
        let index = task.number - segment.first
        let place = try spool.setAside(
            segment.segment.tasks[index], segment.segment.destination, index: index + 1, of: segment.entry)
        confirm(task)
        return place
    }

    /// Leaves in the spool what isn't confirmed, and only that.
    func finish() {
        for segment in open where segment.isDone.contains(true) {
            var rest = segment.segment
            rest.tasks = zip(rest.tasks, segment.isDone).filter { !$0.1 }.map(\.0)
            do throws(CommandError) {
                try spool.replace(segment.entry, by: rest.text)
            } catch {
                voice.say("\(error.message). Some tasks in \(spool.folder) will be delivered twice")
            }
        }
        open = []
    }
}
