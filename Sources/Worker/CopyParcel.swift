// A copy as it is under way.

import Broker

/// What is sent, and by what it is known again when the broker speaks of it.
struct CopyParcel {
    var task: WorkerState.TaskID
    /// Which of the worker's queues it came from.
    var queue = 0
    var destination: ShortString
    /// By which a returned copy is known again, with its destination.
    var messageID: ShortString?
    var body: [UInt8]
    /// Not a copy, but what a command has written about its task.
    var isAnswer = false
    /// How long it waits on its queue, where that is a retry queue.
    var delay: Duration?
    /// What came back because its queue was missing, and is sent again.
    var isSecond = false
    /// Asks whether the broker takes anything.
    var isKnock = false
}
