// A queue as the management API lists it, with just the columns that were asked for.

/// What to list.
package struct QueueQuery: Equatable, Sendable {
    /// What the API lists, by the path that it is under.
    package enum Resource: String, Sendable {
        case queues, consumers, connections

        /// The key of an object by which its record is called.
        var nameKey: String {
            switch self {
            case .queues, .connections: "name"
            case .consumers: "consumer_tag"
            }
        }
    }

    package var resource = Resource.queues
    /// nil for all vhosts that the user may see.
    package var vhost: String?
    /// What a record's values are, in this order. Name and vhost are always there besides.
    package var columns: [QueueColumn]
    /// Only so many queues from the front of the list by vhost and name, 1 to 500; nil for all.
    package var limit: Int?

    /// The only queue that is asked for, by a resource of its own in a vhost that is named, which costs the broker
    /// little. One that doesn't exist has no records.
    package var queue: String?
    /// Whether the broker need not put statistics together. Cheap columns can be asked for either way.
    package var isCheap: Bool

    /// Without `isCheap` the cheap query is asked wherever it has all columns.
    package init(
        vhost: String?, columns: [QueueColumn], limit: Int? = nil, queue: String? = nil, isCheap: Bool? = nil
    ) {
        self.vhost = vhost
        self.columns = columns
        self.limit = limit
        self.queue = queue
        self.isCheap = isCheap ?? columns.allSatisfy(\.isCheap)
    }

    /// Whether a queue of that name has a resource of its own.
    package static func canName(_ queue: String) -> Bool { PathSegment(queue) != nil }
}

/// A queue.
package struct QueueRecord: Equatable, Sendable {
    package var vhost: String
    package var name: String
    /// Parallel to the query's columns.
    package var values: [QueueValue]

    package init(vhost: String, name: String, values: [QueueValue]) {
        self.vhost = vhost
        self.name = name
        self.values = values
    }
}
