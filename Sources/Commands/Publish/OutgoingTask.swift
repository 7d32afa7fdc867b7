// A task on its way to the broker, and the way that it takes.

import Broker
import Publisher

/// A task that was read and whose outcome isn't known.
struct OutgoingTask {
    /// From 1, in the order of its source; 0 for one that came back without confirms, of which nobody knows.
    var number: Int
    let route: Route
    /// Empty once sent, where nobody may need it again.
    var body: [UInt8]
    var size: Int
    var id: MessageID
    /// Seconds since 1970; nil when the properties have it.
    var timestamp: UInt64?
    /// What only some tasks have.
    var particulars: Particulars?
    /// Whether the broker may have it.
    var wasSent = false
    /// Whether it came back as unroutable before.
    var wasReturned = false
    /// Whether the broker refused it for now, and it wasn't sent again since.
    var wasNacked = false

    init(
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

    /// The task as it is written down.
    var record: TaskRecord {
        var record = TaskRecord(body: body, properties: particulars?.properties ?? route.properties)
        if particulars == nil {
            record.properties.messageID = id.text
            record.properties.timestamp = timestamp
        }
        return record
    }
}

/// What a task has that came with properties of its own. Apart, since most tasks are moved around without.
final class Particulars {
    /// All of the task's properties, the id included.
    let properties: MessageProperties
    /// How the task stood in the input, where that isn't its body and may be wanted.
    let inputForm: [UInt8]?

    init(_ properties: MessageProperties, inputForm: [UInt8]? = nil) {
        self.properties = properties
        self.inputForm = inputForm
    }
}

/// A destination with what is known of it so far.
final class Route {
    let destination: Destination
    /// What tasks have unless they say otherwise; without message id and timestamp.
    let properties: MessageProperties
    let template: MessageTemplate
    /// Whether a task got there, so that what it needs exists.
    var isProven = false
    /// Whether a task came back because the queue is missing.
    var mustCreate = false
    /// The connection on which the delay queue was declared last.
    private var declaredSession = 0

    /// Throws `invalidInput` when a name or property can't be sent.
    init(to destination: Destination, properties: MessageProperties) throws(BrokerError) {
        self.destination = destination
        self.properties = properties
        template = try MessageTemplate(
            exchange: destination.exchange, routingKey: destination.firstRoutingKey, properties: properties)
    }

    /// Whether `prepare` will ask the broker for the queue, for which nothing may be unconfirmed.
    func asksForQueue(session: Int) -> Bool { destination.delay != nil && declaredSession != session }

    /// Creates what is missing, as far as that is known.
    func prepare(over link: BrokerLink) throws(BrokerError) {
        guard mustCreate || destination.delay != nil else { return }
        try link.withPublisher { publisher throws(BrokerError) in
            if destination.delay == nil {
                try destination.create(on: publisher.channel)
            } else if asksForQueue(session: link.session) {
                try destination.prepareDelay(&publisher)
                declaredSession = link.session
            } else if mustCreate {
                try destination.declareDelayQueue(on: publisher.channel)
            }
        }
        mustCreate = false
    }

    /// Whether a task that came back may be sent once more.
    var canCreate: Bool { destination.delay != nil || destination.creates != nil }
}
