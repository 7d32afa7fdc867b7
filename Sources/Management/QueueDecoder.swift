// Decodes the API's description of a queue, and of all that it says no more than was asked for.

import JSON
import Posix

/// Reads queues with the columns of a query.
struct QueueDecoder {
    /// A key of the API's object, and what is wanted below it.
    private struct Field {
        let key: [UInt8]
        /// The columns that show the key's value.
        var columns: [(index: Int, kind: QueueColumn.Kind)] = []
        /// What is wanted of the value's own keys.
        var fields: [Field] = []

        init(_ key: String) {
            self.key = Array(key.utf8)
        }
    }

    /// A queue, as far as it is read.
    private struct Draft {
        var name: QueueValue?
        var vhost: QueueValue?
        var values: [QueueValue]
    }

    private let name: [UInt8]
    private let vhost = Array("vhost".utf8)
    private var fields: [Field] = []
    /// The columns that show the name, and those that show the vhost.
    private let nameColumns: [Int]
    private let vhostColumns: [Int]
    private let columnCount: Int

    init(_ columns: [QueueColumn], of resource: QueueQuery.Resource = .queues) {
        name = Array(resource.nameKey.utf8)
        nameColumns = columns.indices.filter { columns[$0] == .name }
        vhostColumns = columns.indices.filter { columns[$0] == .vhost }
        columnCount = columns.count
        for (index, column) in columns.enumerated() where column != .name && column != .vhost {
            Self.add(column, index, column.path[...], to: &fields)
        }
    }

    private static func add(
        _ column: QueueColumn, _ index: Int, _ path: ArraySlice<String>, to fields: inout [Field]
    ) {
        guard let key = path.first else { return }
        let place = fields.firstIndex { $0.key.elementsEqual(key.utf8) } ?? fields.endIndex
        if place == fields.endIndex { fields.append(Field(key)) }
        if path.count == 1 {
            fields[place].columns.append((index, column.kind))
        } else {
            add(column, index, path.dropFirst(), to: &fields[place].fields)
        }
    }

    /// Reads the next value, which must be a queue.
    func queue(_ reader: inout JSONReader) throws(JSONReader.Malformed) -> QueueRecord {
        var draft = Draft(values: Array(repeating: .unknown, count: columnCount))
        try reader.object { reader, key throws(JSONReader.Malformed) in
            if key.isSame(as: self.name) {
                draft.name = try QueueValue(reading: &reader)
            } else if key.isSame(as: self.vhost) {
                draft.vhost = try QueueValue(reading: &reader)
            } else {
                try Self.read(key, fields, &reader, into: &draft)
            }
        }
        guard case .text(let name)? = draft.name else { throw reader.malformed("no queue's name before this") }
        var vhost = ""
        if case .text(let text)? = draft.vhost { vhost = text }
        for index in nameColumns { draft.values[index] = .text(name) }
        for index in vhostColumns { draft.values[index] = .text(vhost) }
        return QueueRecord(vhost: vhost, name: name, values: draft.values)
    }

    /// Reads the value of a key, which may be one of `fields`.
    private static func read(
        _ key: UnsafeBufferPointer<UInt8>, _ fields: [Field], _ reader: inout JSONReader, into draft: inout Draft
    ) throws(JSONReader.Malformed) {
        guard let place = fields.firstIndex(where: { key.isSame(as: $0.key) }) else { return try reader.skip() }
        // A copy of the field would count references for each key.
        guard fields[place].fields.isEmpty || !reader.isAtObject else {
            return try reader.object { reader, key throws(JSONReader.Malformed) in
                try read(key, fields[place].fields, &reader, into: &draft)
            }
        }
        let value = try QueueValue(reading: &reader)
        for (index, kind) in fields[place].columns where kind.shows(value) { draft.values[index] = value }
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func isSame(as other: [UInt8]) -> Bool {
        guard count == other.count, let baseAddress else { return false }
        return memcmp(baseAddress, other, count) == 0
    }
}

extension QueueColumn.Kind {
    /// Whether a column of this kind can show a value. RabbitMQ writes "" for some numbers that it doesn't know.
    fileprivate func shows(_ value: QueueValue) -> Bool {
        !isNumeric || value.number != nil
    }
}

extension QueueValue {
    fileprivate init(reading reader: inout JSONReader) throws(JSONReader.Malformed) {
        if let text = try reader.plainText() {
            self = .text(text)
        } else {
            self.init(json: try reader.value())
        }
    }
}
