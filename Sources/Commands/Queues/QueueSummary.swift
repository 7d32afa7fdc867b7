// What the commands that change queues need to know of each.

import Management

/// A queue's type and message counts.
struct QueueSummary: Equatable {
    static let columns: [QueueColumn] = [.type, .ready, .unacknowledged, .messages]

    var name: String
    /// `classic`, `quorum`, `stream` or a type that came later; nil when the broker doesn't say.
    var type: String?
    /// nil when the broker doesn't say, as of a queue that is down.
    var ready: Int?
    var unacknowledged: Int?
    var messages: Int?

    /// What a list with `columns` tells of one of its queues.
    init(_ record: QueueRecord, in list: QueueList) {
        name = record.name
        if case .text(let text) = list.value(.type, of: record) { type = text }
        ready = list.value(.ready, of: record).integer
        unacknowledged = list.value(.unacknowledged, of: record).integer
        messages = list.value(.messages, of: record).integer
    }
}
