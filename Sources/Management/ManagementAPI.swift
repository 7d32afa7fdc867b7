// The management HTTP API: the only place that speaks HTTP, and the only one where waiting meets an event loop.

import AsyncHTTPClient
import Broker
import NIOCore
import NIOHTTP1
import NIOPosix
import Posix

/// Asks RabbitMQ's management API.
///
/// One event loop's thread asks, reads and decodes; the caller's thread waits for it, or goes on and looks later. So make
/// one only when there is a question: commands that have none shall not pay for the thread.
package final class ManagementAPI: Sendable {
    private let questions: Questions

    /// Throws `badCertificateFile` when a certificate or key can't be used.
    package init(_ parameters: ManagementParameters) throws(ManagementError) {
        var configuration = HTTPClient.Configuration()
        if let endpoint = parameters.endpoints.first(where: \.usesTLS) {
            let operation = "connect to \(endpoint.description)"
            configuration.tlsConfiguration = try parameters.tls.httpConfiguration(operation)
        }
        configuration.httpVersion = .http1Only
        // Following would carry the login to wherever a reply points.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .nanoseconds(parameters.connectTimeout.nanoseconds))
        // The client's own retrying would hide why there is no connection.
        configuration.connectionPool.retryConnectionEstablishment = false
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = HTTPClient(eventLoopGroupProvider: .shared(loops), configuration: configuration)
        questions = Questions(parameters: parameters, loops: loops, client: client)
    }

    deinit {
        // Ends questions that are still open. Failing to leave in good order matters to nobody any more.
        try? questions.client.syncShutdown()
        try? questions.loops.syncShutdownGracefully()
    }

    /// Name, type and counts of every queue of a vhost, by one cheap request, sorted by name. The counts are live for classic
    /// queues and up to 5 seconds old for quorum queues.
    package func summaries(ofVhost vhost: String) throws(ManagementError) -> [QueueSummary] {
        let query = QueueQuery(vhost: vhost, columns: [.type, .ready, .unacknowledged, .messages])
        return try queues(query).map { record in
            var type: String?
            if case .text(let text) = record.values[0] { type = text }
            return QueueSummary(
                vhost: record.vhost, name: record.name, type: type, ready: record.values[1].integer,
                unacknowledged: record.values[2].integer, messages: record.values[3].integer)
        }
    }

    /// All queues that `query` asks for, sorted by vhost and name, each once.
    package func queues(_ query: QueueQuery) throws(ManagementError) -> [QueueRecord] {
        try ask(query).result()
    }

    /// Asks for queues and doesn't wait.
    package func ask(_ query: QueueQuery) throws(ManagementError) -> PendingQueues {
        try questions.ask(query)
    }
}

/// What the event loop's thread needs of the API to go on. It doesn't keep the API itself alive: that one's end waits for
/// the thread, so it must not come on the thread.
private struct Questions: Sendable {
    let parameters: ManagementParameters
    let loops: MultiThreadedEventLoopGroup
    let client: HTTPClient

    func ask(_ query: QueueQuery) throws(ManagementError) -> PendingQueues {
        let target = try target(of: query)
        let deadline = NIODeadline.now() + .nanoseconds(parameters.timeout.nanoseconds)
        return PendingQueues(attempt(query, target, parameters.endpoints[...], deadline, isRetry: false))
    }

    private func operation(_ endpoint: ManagementParameters.Endpoint) -> String {
        "ask \(endpoint.description) for queues"
    }

    /// The URL's part that is the same for all endpoints.
    private func target(of query: QueueQuery) throws(ManagementError) -> String {
        var target = "/api/queues"
        if let vhost = query.vhost {
            guard let segment = PathSegment(vhost) else {
                throw ManagementError(
                    "ask for the queues of vhost \"\(vhost)\"", .invalidInput,
                    "no URL can carry this name; AMQP can, for queues that are named")
            }
            target += "/" + segment.encoded
        }
        var parameters = query.isCheap ? ["disable_stats=true", "enable_queue_totals=true"] : []
        if let limit = query.limit { parameters += ["pagination=true", "page=1", "page_size=\(limit)", "sort=name"] }
        return target + (parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&"))
    }

    /// Tries the first endpoint, once more after a 500 (a queue that is deleted meanwhile can cause one), then the others.
    private func attempt(
        _ query: QueueQuery, _ target: String, _ endpoints: ArraySlice<ManagementParameters.Endpoint>,
        _ deadline: NIODeadline, isRetry: Bool
    ) -> EventLoopFuture<[QueueRecord]> {
        guard let endpoint = endpoints.first else {
            return loops.any().makeFailedFuture(
                ManagementError("ask the management API", .unreachable, "no address is given"))
        }
        let operation = operation(endpoint)
        return send(query, endpoint.description + target, deadline).flatMapThrowing { reply in
            switch reply {
            case .records(let records): return records.inOrder
            case .refusal(let status, let body):
                throw ManagementError(operation, status: status, body: body, vhost: query.vhost)
            }
        }.flatMapError { error in
            let error = error as? ManagementError ?? ManagementError(operation, error, parameters)
            if error.code == .serverError, !isRetry {
                return attempt(query, target, endpoints, deadline, isRetry: true)
            }
            guard error.isWorthAnotherEndpoint, endpoints.count > 1 else {
                return loops.any().makeFailedFuture(error)
            }
            return attempt(query, target, endpoints.dropFirst(), deadline, isRetry: false)
        }
    }

    private func send(_ query: QueueQuery, _ url: String, _ deadline: NIODeadline) -> EventLoopFuture<QueueReply> {
        let login = HTTPClient.Authorization.basic(
            username: parameters.username, password: parameters.password.revealed)
        let headers: HTTPHeaders = [
            "authorization": login.headerValue, "accept": "application/json", "user-agent": "workq",
        ]
        do {
            let request = try HTTPClient.Request(url: url, method: .GET, headers: headers)
            return client.execute(request: request, delegate: QueueReplyReceiver(query), deadline: deadline)
                .futureResult
        } catch {
            return loops.any().makeFailedFuture(error)
        }
    }
}

/// An answer that is on its way.
package struct PendingQueues: Sendable {
    private let future: EventLoopFuture<[QueueRecord]>

    init(_ future: EventLoopFuture<[QueueRecord]>) {
        self.future = future
    }

    /// Waits for the answer.
    package func result() throws(ManagementError) -> [QueueRecord] {
        do {
            return try future.wait()
        } catch {
            throw error as? ManagementError ?? ManagementError("ask for queues", .connectionLost, "\(error)")
        }
    }

    /// Calls `body` once the answer is there, on another thread; `result()` doesn't wait from then on.
    package func whenDone(_ body: @escaping @Sendable () -> Void) {
        future.whenComplete { _ in body() }
    }
}

extension [QueueRecord] {
    /// Sorted by vhost and name, byte by byte, and each queue once: the broker's list is no snapshot.
    fileprivate var inOrder: [QueueRecord] {
        let isSorted = zip(self, dropFirst()).allSatisfy { $0.precedes($1) }
        guard !isSorted else { return self }
        var result: [QueueRecord] = []
        for record in sorted(by: { $0.precedes($1) }) where result.last.map({ $0.precedes(record) }) ?? true {
            result.append(record)
        }
        return result
    }
}

extension QueueRecord {
    /// Bytes are compared: to Swift's strings two names that a broker tells apart may be equal.
    package func precedes(_ other: QueueRecord) -> Bool {
        if !vhost.utf8.elementsEqual(other.vhost.utf8) {
            return vhost.utf8.lexicographicallyPrecedes(other.vhost.utf8)
        }
        return name.utf8.lexicographicallyPrecedes(other.name.utf8)
    }
}
