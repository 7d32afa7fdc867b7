// Who can be asked for queues.

import Broker
import Management
import Options
import Posix

/// Somebody who knows queues: the management API, or the broker over AMQP.
protocol QueueSource {
    /// What it knows in `columns` of the queues of `names`, or of all queues where there are none.
    ///
    /// A queue that doesn't exist is left out, and so is one that this source can't tell of. What isn't known is
    /// `unknown`. Throws what went wrong when nothing can be told.
    func list(_ columns: [QueueColumn], names: [String], by deadline: Instant) throws(QueueSourceError) -> QueueList
}

/// Why a source has no answer.
enum QueueSourceError: Error {
    case management(ManagementError)
    case broker(BrokerError)
}

extension CommandError {
    init(_ error: QueueSourceError) {
        switch error {
        case .management(let error): self.init(error)
        case .broker(let error): self.init(error)
        }
    }
}

/// The management API's answers.
///
/// The message counts come from the cheap query always: statistics beside them would make live counts old. Statistics
/// of a few named queues are asked for queue by queue, which costs the broker little.
struct ManagementQueues: QueueSource {
    /// Above so many names, one question for all queues is cheaper.
    static let singleLimit = 20

    let api: ManagementAPI
    /// nil for all vhosts.
    let vhost: String?
    /// How many queues of the front the broker need send; nil for all.
    var pageSize: Int?

    func list(_ columns: [QueueColumn], names: [String], by deadline: Instant) throws(QueueSourceError) -> QueueList {
        let all = (columns + [.type]).withoutRepeats
        let cheap = all.filter(\.isCheap)
        let statistics = all.filter { !$0.isCheap }
        do throws(ManagementError) {
            guard statistics.isEmpty || all.contains(where: Self.countColumns.contains) else {
                var records: [QueueRecord] = []
                for answer in try askStatistics(all, names, by: deadline) { records += try answer.result() }
                records.sort { $0.precedes($1) }
                return QueueList(columns: all, records: records)
            }
            // What is on a page isn't all that this column counts.
            let limit = all.contains(.readyWithRetries) ? nil : pageSize
            let more = statistics.isEmpty ? [] : try askStatistics(statistics, names, by: deadline)
            let records = try api.queues(QueueQuery(vhost: vhost, columns: cheap, limit: limit), by: deadline)
            var list = QueueList(columns: all, records: records)
            if !statistics.isEmpty {
                // The columns of the answer, in the order of the list.
                let places = all.map { cheap.firstIndex(of: $0) }
                for index in records.indices {
                    list.records[index].values = places.map { $0.map { records[index].values[$0] } ?? .unknown }
                }
            }
            for answer in more { list.fill(from: QueueList(columns: statistics, records: try answer.result())) }
            // Where that fails, they aren't known.
            try? fillStreams(&list, names, by: deadline)
            return list
        } catch {
            throw .management(error)
        }
    }

    private static let countColumns: [QueueColumn] = [.ready, .unacknowledged, .messages]

    /// The cheap query doesn't count what is on streams.
    private func fillStreams(
        _ list: inout QueueList, _ names: [String], by deadline: Instant
    ) throws(ManagementError) {
        let counts = list.columns.filter(Self.countColumns.contains)
        let places = counts.compactMap(list.columns.firstIndex)
        guard !counts.isEmpty, let type = list.columns.firstIndex(of: .type) else { return }
        let streams = list.records.filter { record in
            record.values[type] == .text("stream")
                && places.contains { record.values[$0] == .unknown }
                && (names.isEmpty || names.contains { $0.utf8.elementsEqual(record.name.utf8) })
        }
        guard !streams.isEmpty else { return }
        for answer in try askStatistics(counts, streams.map(\.name), by: deadline) {
            list.fill(from: QueueList(columns: counts, records: try answer.result()))
        }
    }

    /// Asks for statistics without waiting.
    func askStatistics(
        _ columns: [QueueColumn], _ names: [String], by deadline: Instant
    ) throws(ManagementError) -> [PendingQueues] {
        guard let vhost, (1...Self.singleLimit).contains(names.count), names.allSatisfy(QueueQuery.canName) else {
            return [
                try api.ask(QueueQuery(vhost: vhost, columns: columns, limit: pageSize, isCheap: false), by: deadline)
            ]
        }
        var answers: [PendingQueues] = []
        for name in names.withoutRepeats {
            answers.append(
                try api.ask(QueueQuery(vhost: vhost, columns: columns, queue: name, isCheap: false), by: deadline))
        }
        return answers
    }
}

/// What the broker itself tells over AMQP: ready tasks and consumers of named queues, live.
struct AMQPQueues: QueueSource {
    static let liveColumns: [QueueColumn] = [.ready, .consumers]

    let parameters: ConnectionParameters

    func list(_ columns: [QueueColumn], names: [String], by deadline: Instant) throws(QueueSourceError) -> QueueList {
        var parameters = parameters
        let time = max(deadline == .never ? parameters.requestTimeout : deadline - .now, .milliseconds(1))
        parameters.connectTimeout = min(parameters.connectTimeout, time)
        parameters.requestTimeout = min(parameters.requestTimeout, time)
        let session = QueueSession(parameters)
        defer { session.close() }
        var list = QueueList(columns: columns, records: [], liveColumns: Self.liveColumns, isFromAMQP: true)
        for name in names.withoutRepeats {
            do throws(BrokerError) {
                guard let status = try session.status(ofQueue: ShortString(name)) else { continue }
                let values = columns.map { $0.value(of: status, name, parameters.vhost) }
                list.records.append(QueueRecord(vhost: parameters.vhost, name: name, values: values))
            } catch {
                throw .broker(error)
            }
        }
        list.records.sort { $0.precedes($1) }
        return list
    }
}

extension QueueColumn {
    /// What AMQP tells of a queue.
    fileprivate func value(of status: QueueStatus, _ name: String, _ vhost: String) -> QueueValue {
        switch self {
        case .name: .text(name)
        case .vhost: .text(vhost)
        case .ready: .integer(status.ready)
        case .consumers: .integer(status.consumers)
        default: .unknown
        }
    }
}
