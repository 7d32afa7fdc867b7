// The management HTTP API: the only module that speaks HTTP.

import Broker
import JSON
import Posix
import Synchronization

/// Asks RabbitMQ's management API.
///
/// The caller's thread asks, reads and decodes; or another does, and the caller looks later.
package final class ManagementAPI: Sendable {
    let parameters: ManagementParameters
    /// What the last question has left, with its connection.
    private let keptSession = Mutex<HTTPSession?>(nil)

    /// Throws `badCertificateFile` when a certificate or key can't be used.
    package init(_ parameters: ManagementParameters) throws(ManagementError) {
        if let endpoint = parameters.endpoints.first(where: \.usesTLS) {
            let operation = "connect to \(endpoint.description)"
            do throws(BrokerError) {
                try parameters.tls.checkFiles(operation)
            } catch {
                throw ManagementError(operation, .badCertificateFile, error.text)
            }
        }
        self.parameters = parameters
    }

    /// All queues that `query` asks for, sorted by vhost and name, each once, within the time that the parameters allow
    /// and by `deadline`.
    package func queues(_ query: QueueQuery, by deadline: Instant = .never) throws(ManagementError) -> [QueueRecord] {
        try answer(query, try target(of: query), within: TimeLimit(parameters.timeout, by: deadline))
    }

    /// Asks for the same without waiting.
    package func ask(_ query: QueueQuery, by deadline: Instant = .never) throws(ManagementError) -> PendingQueues {
        let target = try target(of: query)
        let limit = TimeLimit(parameters.timeout, by: deadline)
        return try PendingQueues("ask for queues") { () throws(ManagementError) in
            try self.answer(query, target, within: limit)
        }
    }

    /// The URL's part that is the same for all endpoints.
    private func target(of query: QueueQuery) throws(ManagementError) -> String {
        var target = "/api/\(query.resource.rawValue)"
        if let vhost = query.vhost, query.resource != .connections {
            guard let segment = PathSegment(vhost) else {
                throw ManagementError(
                    "ask for the queues of vhost \"\(vhost)\"", .invalidInput,
                    "no URL can carry this name; AMQP can, for queues that are named")
            }
            target += "/" + segment.encoded
        }
        if let queue = query.queue.flatMap(PathSegment.init) { target += "/" + queue.encoded }
        let isCheap = query.resource == .queues && query.isCheap
        if isCheap { target += "?disable_stats=true&enable_queue_totals=true" }
        if let limit = query.limit {
            target += (isCheap ? "&" : "?") + "pagination=true&page=1&page_size=\(limit)&sort=name"
        }
        return target
    }

    // MARK: - On the thread that waits for the broker

    /// Tries each endpoint, and once more after a 500: a queue that is deleted meanwhile can cause one.
    private func answer(
        _ query: QueueQuery, _ target: String, within limit: TimeLimit
    ) throws(ManagementError) -> [QueueRecord] {
        var endpoints = parameters.endpoints[...]
        var isRetry = false
        while let endpoint = endpoints.first {
            do throws(ManagementError) {
                return try answer(query, endpoint, target, within: limit)
            } catch {
                if error.code == .serverError, !isRetry {
                    isRetry = true
                    continue
                }
                guard error.isWorthAnotherEndpoint, endpoints.count > 1 else { throw error }
                endpoints.removeFirst()
                isRetry = false
            }
        }
        throw ManagementError("ask the management API", .unreachable, "no address is given")
    }

    private func answer(
        _ query: QueueQuery, _ endpoint: ManagementParameters.Endpoint, _ target: String, within limit: TimeLimit
    ) throws(ManagementError) -> [QueueRecord] {
        let operation = "ask \(endpoint.description) for \(query.resource.rawValue)"
        let request = request(to: endpoint, target, within: limit)
        switch try reply(to: query, request, operation) {
        // Consumers of several channels may have the same tag.
        case .records(let records): return query.resource == .queues ? records.inOrder : records
        case .refusal(404, _) where query.queue != nil: return []
        case .refusal(let status, let body):
            throw ManagementError(operation, status: status, body: body, vhost: query.vhost)
        }
    }

    /// A request for a path of the API.
    func request(
        to endpoint: ManagementParameters.Endpoint, _ target: String, within limit: TimeLimit
    ) -> HTTPRequest {
        HTTPRequest(
            url: endpoint.description + target, host: endpoint.host,
            headers: [authorization, "Accept: application/json"], tls: parameters.tls,
            connectTimeout: parameters.connectTimeout, limit: limit)
    }

    private var authorization: String {
        var text = Array("Authorization: Basic ".utf8)
        Base64.append(Array("\(parameters.username):\(parameters.password.revealed)".utf8), to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Asks over the kept session, or over one of its own where another question is still at that.
    private func reply(
        to query: QueueQuery, _ request: HTTPRequest, _ operation: String
    ) throws(ManagementError) -> QueueReply {
        guard HTTPSession.isAvailable else {
            throw ManagementError(operation, .noLibrary, "libcurl isn't installed (apt-get install libcurl4)")
        }
        guard !request.limit.isOver else { throw .timedOut(operation, request.limit) }
        do {
            let reply = try keptSession.withLockIfAvailable { session in
                try Self.reply(to: query, request, over: &session)
            }
            if let reply { return reply }
            var session: HTTPSession?
            return try Self.reply(to: query, request, over: &session)
        } catch {
            throw ManagementError(operation, error, request, parameters)
        }
    }

    private static func reply(
        to query: QueueQuery, _ request: HTTPRequest, over session: inout HTTPSession?
    ) throws -> QueueReply {
        if session == nil { session = HTTPSession() }
        let receiver = QueueReplyReceiver(query)
        guard let head = try session?.get(request, receive: receiver.take) else { throw ReplyFault.noMemory }
        return try receiver.reply(head)
    }
}

extension [QueueRecord] {
    /// Sorted by vhost and name, byte by byte, and each queue once: the broker's list is no snapshot.
    fileprivate var inOrder: [QueueRecord] {
        if (1..<Swift.max(1, count)).allSatisfy({ self[$0 - 1].precedes(self[$0]) }) { return self }
        // Numbers move faster than records do.
        let order = indices.sorted { self[$0].precedes(self[$1]) }
        var result: [QueueRecord] = []
        result.reserveCapacity(count)
        for record in order.lazy.map({ self[$0] }) where result.last.map({ $0.precedes(record) }) ?? true {
            result.append(record)
        }
        return result
    }
}

extension QueueRecord {
    /// Bytes are compared: to Swift's strings two names that a broker tells apart may be equal.
    package func precedes(_ other: QueueRecord) -> Bool {
        let order = vhost.utf8Order(to: other.vhost)
        return order == 0 ? name.utf8Order(to: other.name) < 0 : order < 0
    }
}

extension String {
    /// Below, at or above 0, as this text's bytes come before those of `other`, are the same, or come after.
    fileprivate func utf8Order(to other: String) -> Int {
        let order = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { others in
                guard let left = bytes.baseAddress, let right = others.baseAddress else { return 0 }
                return Int(memcmp(left, right, min(bytes.count, others.count)))
            }
        }
        // Strings that Swift has made are contiguous, and so all of these are.
        guard let order = order ?? nil else {
            return utf8.lexicographicallyPrecedes(other.utf8) ? -1 : utf8.elementsEqual(other.utf8) ? 0 : 1
        }
        return order == 0 ? utf8.count - other.utf8.count : order
    }
}
