// What is known of the routes that tasks take.

/// The state of each route, by its number. Pure.
struct RouteTable {
    private struct Entry {
        /// Whether a task got there, so that what it needs exists.
        var isProven = false
        /// Whether a task came back because the queue is missing.
        var mustCreate = false
        /// The session in which the delay queue was declared last.
        var declaredSession = 0
        /// Why the broker takes nothing for it.
        var refusal: Refusal?
    }

    private var entries: [Entry] = []

    /// Makes room for a route that a task brings.
    mutating func add(_ route: Route) {
        while entries.count <= route.number { entries.append(Entry()) }
    }

    /// Whether the outcome of a task is known, so that others may follow it together.
    func isProven(_ route: Route) -> Bool { entries[route.number].isProven }

    mutating func prove(_ route: Route) {
        guard !entries[route.number].isProven else { return }
        entries[route.number].isProven = true
    }

    /// Notes that the queue must be created before a task can get there.
    mutating func missesQueue(_ route: Route) {
        entries[route.number].mustCreate = true
    }

    func refusal(_ route: Route) -> Refusal? { entries[route.number].refusal }

    mutating func refuse(_ route: Route, _ refusal: Refusal) {
        entries[route.number].refusal = refusal
    }

    /// What must be done on the broker before a task is sent; nil when nothing must.
    func preparation(_ route: Route, session: Int) -> Route.Preparation? {
        let mustCreate = entries[route.number].mustCreate
        guard route.destination.delay != nil else { return mustCreate ? .createQueue : nil }
        if entries[route.number].declaredSession != session { return .createAllForDelay }
        return mustCreate ? .declareDelayQueue : nil
    }

    mutating func prepared(_ route: Route, session: Int) {
        entries[route.number].mustCreate = false
        entries[route.number].declaredSession = session
    }
}
