// The tasks of the spool on their way to the broker.

import Broker
import Options
import Posix
import Publisher

/// All tasks that are in a spool when this is made, oldest first, each handed out once. A file goes when the broker has
/// all of its tasks.
final class SpoolSource: TaskSource {
    /// What becomes of a task in a segment that was opened.
    private enum Fate {
        /// Nobody knows yet, or it stays for the next time.
        case stays
        case isDone
        /// It goes out of the way, since the broker will never take it.
        case isSetAside
    }

    /// A segment of which some tasks were handed out.
    private struct Open {
        let entry: Spool.Entry
        let segment: SpoolSegment
        let route: Route
        /// The number of its first task.
        let first: Int
        var fates: [Fate]
        /// How many tasks aren't settled.
        var remaining: Int

        init(_ entry: Spool.Entry, _ segment: SpoolSegment, _ route: Route, first: Int) {
            self.entry = entry
            self.segment = segment
            self.route = route
            self.first = first
            remaining = segment.tasks.count
            fates = Array(repeating: .stays, count: remaining)
        }

        func holds(_ task: OutgoingTask) -> Bool { first..<first + fates.count ~= task.number }
    }

    private let spool: Spool
    private let place: SpoolSegment.Place
    private let tell: (String) -> Void
    private var waiting: ArraySlice<Spool.Entry>
    private var open: [Open] = []
    /// The tasks of the newest open segment that weren't handed out.
    private var ready: ArraySlice<TaskRecord> = []
    private var routes: [Route] = []
    private var lastNumber = 0
    private var refusals = SpoolRefusals()
    /// Whether there was a task or a file that can't be delivered.
    private(set) var hasRefusals = false
    /// Tasks that are for another vhost or cluster.
    private(set) var foreignCount = 0

    /// `tell` is told what can't be delivered and why.
    init(_ spool: Spool, at place: SpoolSegment.Place, tell: @escaping (String) -> Void) throws(CommandError) {
        self.spool = spool
        self.place = place
        self.tell = tell
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
            guard segment.place == place else {
                foreignCount += segment.tasks.count
                return
            }
            guard !segment.tasks.isEmpty else { return spool.remove(entry) }
            open.append(Open(entry, segment, try route(to: segment.destination), first: lastNumber + 1))
            ready = segment.tasks[...]
        } catch {
            hasRefusals = true
            guard error.status == .refused else { return tell(error.message) }
            let place = spool.setAside(entry).map { "it is set aside as \($0)" } ?? "and it can't be set aside"
            tell("cannot deliver \(spool.folder)/\(entry.name): \(error.message); \(place)")
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
            let route = try Route(routes.count, to: destination, properties: MessageProperties())
            routes.append(route)
            return route
        } catch {
            throw CommandError(error)
        }
    }

    // MARK: - What became of them

    func confirm(_ task: OutgoingTask) {
        settle(task, .isDone)
    }

    /// A queue that is missing or full may be there next time, so its tasks stay. All else goes out of the way.
    func refuse(_ task: OutgoingTask, _ reason: Refusal) {
        hasRefusals = true
        refusals.add(task, reason)
        switch reason {
        case .returned, .nacked: settle(task, .stays)
        case .task, .destination: settle(task, .isSetAside)
        }
    }

    private func settle(_ task: OutgoingTask, _ fate: Fate) {
        guard let index = open.firstIndex(where: { $0.holds(task) }) else { return }
        open[index].fates[task.number - open[index].first] = fate
        open[index].remaining -= 1
        if open[index].remaining == 0 { close(open.remove(at: index)) }
    }

    /// Leaves in the spool what stays, and only that.
    private func close(_ segment: Open) {
        func tasks(_ fate: Fate) -> [TaskRecord] {
            zip(segment.segment.tasks, segment.fates).filter { $0.1 == fate }.map(\.0)
        }
        let staying = tasks(.stays)
        guard staying.count < segment.fates.count else { return }
        do throws(CommandError) {
            let refused = tasks(.isSetAside)
            if !refused.isEmpty {
                refusals.place(try spool.setAside(segment.segment.with(refused), of: segment.entry), segment.route)
            }
            guard !staying.isEmpty else { return spool.remove(segment.entry) }
            try spool.replace(segment.entry, by: segment.segment.with(staying).text)
        } catch {
            tell("\(error.message.withFullStop) Some tasks in \(spool.folder) will be delivered twice")
        }
    }

    /// Writes down what is left, and tells what was refused.
    func finish() {
        for segment in open { close(segment) }
        open = []
        for message in refusals.messages(in: spool.folder) { tell(message) }
    }
}

/// What the broker refused of a spool, told once for each destination or task.
private struct SpoolRefusals {
    private struct Refused {
        var route: Route
        var reason: Refusal
        var count = 0
        var place: String?
    }

    private var entries: [Refused] = []

    mutating func add(_ task: OutgoingTask, _ reason: Refusal) {
        let known = entries.firstIndex {
            $0.route === task.route
                && (reason.concernsDestination ? $0.reason.concernsDestination : $0.reason == reason)
        }
        if known == nil { entries.append(Refused(route: task.route, reason: reason)) }
        entries[known ?? entries.count - 1].count += 1
    }

    /// Notes where refused tasks of a route are.
    mutating func place(_ path: String, _ route: Route) {
        for index in entries.indices where entries[index].route === route && entries[index].place == nil {
            entries[index].place = path
        }
    }

    func messages(in folder: String) -> [String] {
        entries.map { entry in
            let tasks = entry.count == 1 ? "1 task" : "\(entry.count) tasks"
            let verb = entry.count == 1 ? "is" : "are"
            let destination = entry.route.destination.description
            switch entry.reason {
            case .returned, .nacked:
                return "\(tasks) for \(destination) \(entry.count == 1 ? "stays" : "stay") in \(folder): "
                    + entry.reason.message
            case .task, .destination:
                let place = entry.place.map { "\(verb) set aside as \($0)" } ?? "\(verb) left in \(folder)"
                return "\(tasks) of \(folder) for \(destination) \(place): \(entry.reason.message)"
            }
        }
    }
}
