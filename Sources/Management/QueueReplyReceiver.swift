// Takes the API's reply to a question for queues as it comes in.

import JSON

/// What a reply came to.
enum QueueReply: Sendable {
    case records([QueueRecord])
    /// Any status but 200, with the beginning of the body.
    case refusal(status: Int, body: [UInt8])
}

/// Why a reply with status 200 is none of the management API's, or can't be taken.
enum ReplyFault: Error, Equatable {
    /// The body isn't JSON, or other JSON than a list of queues.
    case notQueues
    /// The body ends too early.
    case cutOff
    case tooLarge
    case noMemory
}

/// Decodes a reply piece by piece.
final class QueueReplyReceiver {
    /// Over a hundred thousand queues with full statistics stay below it.
    private static let sizeLimit = 512 << 20
    /// A page of 500 queues with full statistics takes about 1.5 MB.
    private static let pageLimit = 16 << 20
    private static let refusalLimit = 4_096

    private let decoder: QueueDecoder
    private let isSingle: Bool
    private let isPage: Bool
    private var hasBegun = false
    private var size = 0
    private var splitter = JSONArraySplitter()
    private var records: [QueueRecord] = []
    /// A page or a single queue, or the beginning of a refusal.
    private var body: [UInt8] = []

    init(_ query: QueueQuery) {
        decoder = QueueDecoder(query.columns, of: query.resource)
        isSingle = query.queue != nil
        isPage = query.limit != nil || isSingle
    }

    /// Takes the next piece of a reply's body.
    func take(_ head: HTTPReplyHead, _ bytes: UnsafeRawBufferPointer) throws {
        guard head.status == 200 else {
            body += bytes.prefix(Self.refusalLimit - body.count)
            return
        }
        try begin(head)
        size += bytes.count
        guard size <= (isPage ? Self.pageLimit : Self.sizeLimit) else { throw ReplyFault.tooLarge }
        if isPage {
            body += bytes
            return
        }
        do {
            try splitter.scan(bytes, element: append)
        } catch {
            throw Self.fault(error)
        }
    }

    private func append(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
        records.append(try decoder.queue(&reader))
    }

    private static func fault(_ fault: JSONArraySplitter.Fault) -> ReplyFault {
        switch fault {
        case .notAnArray: .notQueues
        case .elementTooLong: .tooLarge
        }
    }

    private func begin(_ head: HTTPReplyHead) throws(ReplyFault) {
        guard !hasBegun else { return }
        hasBegun = true
        guard head.contentType.lowercased().hasPrefix("application/json") else { throw .notQueues }
        guard head.contentLength ?? 0 <= Self.sizeLimit else { throw .tooLarge }
    }

    /// What the whole reply comes to.
    func reply(_ head: HTTPReplyHead) throws(ReplyFault) -> QueueReply {
        guard head.status == 200 else { return .refusal(status: head.status, body: body) }
        try begin(head)
        if isPage {
            try readPage()
            return .records(records)
        }
        let isComplete: Bool
        do throws(JSONArraySplitter.Fault) {
            isComplete = try splitter.finish(element: append)
        } catch {
            throw Self.fault(error)
        }
        guard isComplete else { throw .cutOff }
        return .records(records)
    }

    private func readPage() throws(ReplyFault) {
        do throws(JSONReader.Malformed) {
            try JSONReader.read(body) { reader throws(JSONReader.Malformed) in
                guard !isSingle else { return try append(&reader) }
                var hasItems = false
                try reader.object { reader, key throws(JSONReader.Malformed) in
                    guard key.elementsEqual("items".utf8) else { return try reader.skip() }
                    hasItems = true
                    try reader.array(append)
                }
                guard hasItems else { throw reader.malformed("no items before this") }
            }
        } catch {
            throw body.last == UInt8(ascii: "}") ? .notQueues : .cutOff
        }
    }
}
