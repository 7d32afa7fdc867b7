// A publish as a play: what it is told, and what it does.

import Broker
import Posix
import TestSupport

@testable import Publisher

/// Feeds a state machine and writes down what it makes of that.
struct PublishTranscript {
    var state: PublishState
    var now = Instant(nanoseconds: 0)
    var confirmed: [Int] = []
    /// The queue's and the other queue's routes.
    let route = Self.route(0, "q")
    let other = Self.route(1, "other")
    private var read = 0

    init(isConnected: Bool = true, _ change: (inout PublishState.Settings) -> Void = { _ in }) {
        var settings = PublishState.Settings()
        settings.keepsTasks = true
        change(&settings)
        state = PublishState(settings, generator: SeededGenerator(seed: 1))
        if isConnected { state.connected() }
    }

    /// Without connection options there is nothing in a route that can't be sent.
    private static func route(_ number: Int, _ name: String) -> Route {
        let destination = Destination.queue(name, creates: .init(type: nil))
        guard let route = try? Route(number, to: destination, properties: MessageProperties()) else {
            preconditionFailure("the route of a plain queue")
        }
        return route
    }

    /// The source has so many more tasks of this size; all are sent that can be. Returns their numbers.
    @discardableResult
    mutating func give(_ count: Int, to route: Route? = nil, size: Int = 1) -> [Int] {
        var sent: [Int] = []
        for _ in 0..<count {
            read += 1
            let isSent = state.read(
                OutgoingTask(
                    number: read, route: route ?? self.route, body: Array(repeating: 0, count: size),
                    id: .given(ShortString("id\(read)"))),
                now)
            if isSent { sent.append(read) }
            sent += send()
        }
        return sent
    }

    /// Sends all that can be sent.
    mutating func send() -> [Int] {
        var sent: [Int] = []
        while let task = state.nextToSend(now) { sent.append(task.number) }
        return sent
    }

    mutating func ack(_ tag: UInt64, multiple: Bool = false) {
        take(.acknowledged(deliveryTag: tag, multiple: multiple))
    }

    mutating func nack(_ tag: UInt64, multiple: Bool = false) {
        take(.negativelyAcknowledged(deliveryTag: tag, multiple: multiple))
    }

    mutating func giveBack(_ number: Int) {
        var properties = MessageProperties()
        properties.messageID = ShortString("id\(number)")
        take(
            .returned(
                ReturnedMessage(
                    code: .noRoute, text: "NO_ROUTE", exchange: "", routingKey: "q", properties: properties, body: [1]))
        )
    }

    mutating func closeChannel(_ code: BrokerError.Code, _ text: String = "no") {
        take(.channelClosed(BrokerError("use the channel", code, scope: .channel, text)))
    }

    mutating func take(_ event: BrokerEvent) {
        state.take(event, now) { confirmed.append($0.number) }
    }

    mutating func lose() {
        state.lost(BrokerError("read", .connectionLost, scope: .connection, "lost"), now)
    }

    mutating func pass(_ time: Duration) { now = now + time }

    /// What is to be done next, in a word or two.
    mutating func next() -> String {
        switch state.next(now) {
        case .connect: "connect"
        case .pause: "pause"
        case .prepare(let route, let preparation): "\(preparation) for \(route.destination.routingKey)"
        case .synchronize: "synchronize"
        case .wait(_, let forInput): forInput ? "wait, read" : "wait"
        case .end: "end"
        }
    }

    var leftovers: [Int] { state.leftovers.map(\.number) }
    var unknown: [Int] { state.leftovers.filter(\.mayBeThere).map(\.number) }
}
