// A queue as the management API lists it, with just the columns that were asked for.

/// What to list.
package struct QueueQuery: Equatable, Sendable {
    /// nil for all vhosts that the user may see.
    package var vhost: String?
    /// What a record's values are, in this order. Name and vhost are always there besides.
    package var columns: [QueueColumn]
    /// Only so many queues from the front of the list by vhost and name, 1 to 500; nil for all.
    package var limit: Int?

    package init(vhost: String?, columns: [QueueColumn], limit: Int? = nil) {
        self.vhost = vhost
        self.columns = columns
        self.limit = limit
    }

    /// Whether the cheap query has all columns. The broker then puts no statistics together.
    package var isCheap: Bool { columns.allSatisfy(\.isCheap) }
}

/// A queue.
package struct QueueRecord: Equatable, Sendable {
    package var vhost: String
    package var name: String
    /// Parallel to the query's columns.
    package var values: [QueueValue]

    package init(vhost: String, name: String, values: [QueueValue]) {
        self.vhost = vhost
        self.name = name
        self.values = values
    }
}

/// What the commands that change queues need to know of each.
package struct QueueSummary: Equatable, Sendable {
    package var vhost: String
    package var name: String
    /// `classic`, `quorum`, `stream` or a type that came later; nil when the broker doesn't say.
    package var type: String?
    /// nil when the broker doesn't say, as of a queue that is down.
    package var ready: Int?
    package var unacknowledged: Int?
    package var messages: Int?
}

extension QueueRecord: Decodable {
    /// Where a decoder is told what is asked for.
    static let columnsKey = CodingUserInfoKey(rawValue: "columns")

    /// A key of the API's object.
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: Key(stringValue: "name"))
        vhost = try container.decodeIfPresent(String.self, forKey: Key(stringValue: "vhost")) ?? ""
        let columns = Self.columnsKey.flatMap { decoder.userInfo[$0] as? [QueueColumn] } ?? []
        values = []
        values.reserveCapacity(columns.count)
        for column in columns {
            switch column {
            case .name: values.append(.text(name))
            case .vhost: values.append(.text(vhost))
            default: values.append(Self.value(column.kind, at: column.path[...], in: container))
            }
        }
    }

    /// The value at the end of a path; unknown where the path ends early or leads to something of another kind.
    private static func value(
        _ kind: QueueColumn.Kind, at path: ArraySlice<String>, in container: KeyedDecodingContainer<Key>
    ) -> QueueValue {
        guard let first = path.first else { return .unknown }
        let key = Key(stringValue: first)
        guard container.contains(key) else { return .unknown }
        guard path.count == 1 else {
            guard let nested = try? container.nestedContainer(keyedBy: Key.self, forKey: key) else { return .unknown }
            return value(kind, at: path.dropFirst(), in: nested)
        }
        switch kind {
        case .count, .number:
            // Most values of these kinds are whole numbers, and RabbitMQ writes "" for some that it doesn't know.
            if let value = try? container.decodeIfPresent(Int.self, forKey: key) { return .integer(value) }
            return (try? container.decodeIfPresent(Double.self, forKey: key)).map(QueueValue.number) ?? .unknown
        case .text, .flag, .structure:
            return (try? container.decode(QueueValue.self, forKey: key)) ?? .unknown
        }
    }
}
