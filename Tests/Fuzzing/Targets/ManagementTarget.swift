// Replies of the management API, whole and in pieces: both must come to the same.

@testable import Management

/// The first byte chooses the question and the status of the answer.
@Sendable func readManagementReply(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    var query = QueueQuery(vhost: nil, columns: QueueColumn.all)
    switch first & 3 {
    case 0: query.limit = 500
    case 1: (query.vhost, query.queue) = ("/", "tasks")
    default: break
    }
    let statuses = [200, 200, 200, 200, 401, 403, 404, 500]
    let head = HTTPReplyHead(
        status: statuses[Int(first >> 2) % statuses.count], contentType: "application/json", contentLength: nil)
    let body = Array(bytes.dropFirst())
    let whole = reply(to: query, head, [body[...]])
    require(whole == reply(to: query, head, body.pieces), "in pieces it comes to something else")
    if head.status != 200 {
        let error = ManagementError("list queues", status: head.status, body: body, vhost: query.vhost)
        require(!error.message.isEmpty, "nobody says what the refusal means")
    }
}

private enum Outcome: Equatable {
    case records([QueueRecord])
    case refusal(status: Int, body: [UInt8])
    case fault(ReplyFault)
}

private func reply(to query: QueueQuery, _ head: HTTPReplyHead, _ pieces: [ArraySlice<UInt8>]) -> Outcome {
    let receiver = QueueReplyReceiver(query)
    do {
        for piece in pieces {
            try piece.withUnsafeBytes { try receiver.take(head, $0) }
        }
        switch try receiver.reply(head) {
        case .records(let records):
            for record in records { require(record.values.count == query.columns.count, "a value is missing") }
            return .records(records)
        case .refusal(let status, let body): return .refusal(status: status, body: body)
        }
    } catch let fault as ReplyFault {
        return .fault(fault)
    } catch {
        require(false, "\(error) isn't a fault of the reply")
        return .records([])
    }
}
