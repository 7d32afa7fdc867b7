// Which of several queues may start its tasks: those of earlier queues go first.

import Posix

/// Holds tasks of later queues back while the next task of an earlier one may be on its way. Pure.
///
/// A consumer that holds as many tasks as it may has a queue behind it that probably has more. When one of its tasks is
/// settled the next one comes after the way to the broker and back, and without waiting for it a place that becomes
/// free would go to a task of a later queue, which is here already, every time.
struct Precedence {
    /// How long the way to the broker and back may take. A place stays free for so long when an earlier queue has run
    /// empty.
    static let patience = Duration.milliseconds(50)

    private struct Queue {
        /// Unacknowledged tasks that this worker has of it.
        var held = 0
        /// Tasks that the broker may be about to send, and how long they are waited for.
        var expected = 0
        var until = Instant(nanoseconds: 0)
    }

    private var queues: [Queue]
    /// The most that each consumer may hold; 0 for any number.
    private var prefetch = 0
    /// When the event happened that is being handled.
    var now = Instant(nanoseconds: 0)

    init(queueCount: Int) {
        queues = Array(repeating: Queue(), count: queueCount)
    }

    /// The consumers may hold so many tasks each, and the first of those come.
    mutating func begin(prefetch: Int) {
        self.prefetch = prefetch
        for index in queues.indices {
            queues[index].expected = prefetch == 0 ? 1 : max(0, prefetch - queues[index].held)
            queues[index].until = now + Self.patience
        }
    }

    /// What was held is the broker's again.
    mutating func lose() {
        queues = Array(repeating: Queue(), count: queues.count)
    }

    mutating func receive(from queue: Int) {
        queues[queue].held += 1
        queues[queue].expected = max(0, queues[queue].expected - 1)
    }

    mutating func settle(of queue: Int) {
        defer { queues[queue].held -= 1 }
        guard prefetch > 0, queues[queue].held >= prefetch || freeFrom(queue) > now else { return }
        queues[queue].expected += 1
        queues[queue].until = now + Self.patience
    }

    /// When tasks of queues behind this one may start, as far as it is concerned.
    func freeFrom(_ queue: Int) -> Instant {
        queues[queue].expected > 0 ? queues[queue].until : Instant(nanoseconds: 0)
    }

    /// The last queue whose tasks may start now.
    var last: Int {
        queues.indices.first { freeFrom($0) > now } ?? queues.count - 1
    }
}
