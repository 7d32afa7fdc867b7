// Takes the API's reply to a question for queues as it comes in.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a reply came to.
enum QueueReply: Sendable {
    case records([QueueRecord])
    /// Any status but 200, with the beginning of the body.
    case refusal(status: Int, body: [UInt8])
}

/// Why a reply with status 200 is none of the management API's.
enum ReplyFault: Error, Equatable {
    /// The body isn't JSON, or other JSON than a list of queues.
    case notQueues
    /// The body ends too early.
    case cutOff
    case tooLarge
}

/// Decodes a reply piece by piece, on the event loop's thread that reads it.
final class QueueReplyReceiver: HTTPClientResponseDelegate, Sendable {
    typealias Response = QueueReply

    /// Over a hundred thousand queues with full statistics stay below it.
    static let sizeLimit = 512 << 20
    /// A page of 500 queues with full statistics takes about 1.5 MB.
    private static let pageLimit = 16 << 20
    private static let refusalLimit = 4_096

    private struct State {
        let decoder = JSONDecoder()
        var status = 200
        var size = 0
        var scanner = ArrayScanner()
        var records: [QueueRecord] = []
        /// A page, or the beginning of a refusal.
        var body: [UInt8] = []
    }

    private struct Page: Decodable {
        var items: [QueueRecord]
    }

    private let isPage: Bool
    private let state: Mutex<State>

    init(_ query: QueueQuery) {
        isPage = query.limit != nil
        let state = State()
        if let key = QueueRecord.columnsKey { state.decoder.userInfo[key] = query.columns }
        self.state = Mutex(state)
    }

    func didReceiveHead(task: HTTPClient.Task<QueueReply>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        state.withLock { $0.status = Int(head.status.code) }
        guard head.status == .ok else { return task.eventLoop.makeSucceededVoidFuture() }
        guard head.headers.first(name: "content-type")?.lowercased().contains("json") ?? false else {
            return task.eventLoop.makeFailedFuture(ReplyFault.notQueues)
        }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard length <= Self.sizeLimit else { return task.eventLoop.makeFailedFuture(ReplyFault.tooLarge) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<QueueReply>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        do {
            try state.withLock { state in
                try buffer.withUnsafeReadableBytes { try take($0, into: &state) }
            }
            return task.eventLoop.makeSucceededVoidFuture()
        } catch {
            return task.eventLoop.makeFailedFuture(error)
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer, into state: inout State) throws {
        guard state.status == 200 else {
            state.body += bytes.prefix(Self.refusalLimit - state.body.count)
            return
        }
        state.size += bytes.count
        guard state.size <= (isPage ? Self.pageLimit : Self.sizeLimit) else { throw ReplyFault.tooLarge }
        if isPage {
            state.body += bytes
            return
        }
        let decoder = state.decoder
        var records: [QueueRecord] = []
        do {
            try state.scanner.scan(bytes) { element in
                records.append(try decoder.decode(QueueRecord.self, from: Data(element)))
            }
        } catch {
            throw error as? ArrayScanner.Fault == .elementTooLong ? ReplyFault.tooLarge : ReplyFault.notQueues
        }
        state.records += records
    }

    func didFinishRequest(task: HTTPClient.Task<QueueReply>) throws -> QueueReply {
        try state.withLock { state in
            guard state.status == 200 else { return .refusal(status: state.status, body: state.body) }
            guard !isPage else {
                guard let page = try? state.decoder.decode(Page.self, from: Data(state.body)) else {
                    throw state.body.last == UInt8(ascii: "}") ? ReplyFault.notQueues : ReplyFault.cutOff
                }
                return .records(page.items)
            }
            guard state.scanner.isComplete else { throw ReplyFault.cutOff }
            return .records(state.records)
        }
    }
}
