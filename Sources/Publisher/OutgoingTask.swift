// A task on its way to the broker.

import Broker

/// A task that was read and isn't confirmed.
package struct OutgoingTask {
    /// From 1, in the order of its source.
    package let number: Int
    package let route: Route
    /// Empty once sent, where nobody may need it again.
    package var body: [UInt8]
    package let size: Int
    package var id: MessageID
    /// Seconds since 1970; nil when the properties have it.
    package let timestamp: UInt64?
    /// What only some tasks have.
    package var particulars: Particulars?
    /// Whether the broker may have it from a connection that is gone.
    package var mayBeThere = false
    /// Whether it came back as unroutable before.
    var wasReturned = false
    /// Whether the broker refused it for now, and it wasn't confirmed since.
    var wasNacked = false
    /// Whether the broker closed the channel over it or over another that was in flight with it.
    var isSuspect = false

    package init(
        number: Int, route: Route, body: [UInt8], id: MessageID, timestamp: UInt64? = nil,
        _ particulars: Particulars? = nil
    ) {
        self.number = number
        self.route = route
        self.body = body
        size = body.count
        self.id = id
        self.timestamp = timestamp
        self.particulars = particulars
    }

    /// The same once sent, where nobody may need the body again.
    var withoutBody: OutgoingTask { OutgoingTask(withoutBodyOf: self) }

    private init(withoutBodyOf task: OutgoingTask) {
        (number, route, body, size, id) = (task.number, task.route, [], task.size, task.id)
        (timestamp, particulars) = (task.timestamp, task.particulars)
        (mayBeThere, wasReturned) = (task.mayBeThere, task.wasReturned)
        (wasNacked, isSuspect) = (task.wasNacked, task.isSuspect)
    }
}

/// What a task has that came with properties of its own. Apart, since most tasks are moved around without.
package final class Particulars {
    /// All of the task's properties, the id included.
    package let properties: MessageProperties
    /// How the task stood in the input, where that isn't its body and may be wanted.
    package let inputForm: [UInt8]?

    package init(_ properties: MessageProperties, inputForm: [UInt8]? = nil) {
        self.properties = properties
        self.inputForm = inputForm
    }
}
